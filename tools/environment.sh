#!/bin/sh
# The job's Python environment as EMR unpacks it: environment.tar.gz. Run it on Amazon Linux 2023, on the processor
# architecture of the job (analysis.yaml: Architecture): a machine, or a container of amazonlinux:2023.
#
#   sh tools/environment.sh dist/probable_cause-0.1.0-py3-none-any.whl dist/environment.tar.gz
set -eu
wheel=$1
target=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/environment"
# Spark itself is on EMR; shipping it again would add 400 MB to every container's start.
"$work/environment/bin/python" -m pip install --quiet "$wheel" venv-pack2
"$work/environment/bin/python" -m pip uninstall --quiet --yes pyspark py4j
"$work/environment/bin/venv-pack" --force --output "$target"
ls -l "$target"
