#!/bin/sh
# The steps of the job's image, in one place: the Dockerfile runs them, and so does a test, in a clean folder with
# exactly the files that the Dockerfile copies.
#
#   sh tools/image.sh system       Java and what Spark's scripts call (as root, Debian)
#   sh tools/image.sh python       the package with its pinned dependencies; PIP names another pip
#   sh tools/image.sh check        what was installed works: the command, its rules, its configuration
set -eu
case "$1" in
system)
    apt-get update
    apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps
    rm -rf /var/lib/apt/lists/*
    ;;
python)
    ${PIP:-pip install --no-cache-dir} --editable '.[archive,demo]'
    ;;
check)
    probable-cause --help >/dev/null
    probable-cause rules check
    probable-cause tables show --conf conf/compose.yml >/dev/null
    ;;
*)
    echo "image.sh: $1 is no step; they are system, python and check" >&2
    exit 2
    ;;
esac
