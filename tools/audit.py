"""What is installed is what setup.py pins, fits together, and has no known vulnerability as far as can be found out.

Part of `make check`. The look-up of vulnerabilities needs pip-audit and the network; without one of them it is left
out, with the reason. Exit 1 only for what was found.
"""

import ast
import os
import shutil
import subprocess
import sys
from importlib import metadata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS = 90


def pins(path):
    """name -> version of every `name==version` text in setup.py."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    heads = [text.partition(";")[0] for text in texts]  # without for which Pythons a pin is
    found = [head.split("==") for head in heads if head.count("==") == 1 and " " not in head]
    return {name.split("[")[0]: version for name, version in found}


def drift(wanted):
    """Sentences about packages that are installed in another version than pinned; absent ones are of other extras."""
    told = []
    for name, version in sorted(wanted.items()):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if installed != version:
            told.append("%s is %s, setup.py pins %s: run `make setup` again" % (name, installed, version))
    return told


def vulnerabilities():
    """(sentences, reason for not looking)."""
    program = shutil.which("pip-audit", path=os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", ""))
    if program is None:
        return [], "pip-audit is not installed (python -m pip install pip-audit)"
    command = [program, "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [], "its service did not answer within %d s" % SECONDS
    if done.returncode == 0:
        return [], ""
    if "GHSA-" in done.stdout or "PYSEC-" in done.stdout or "CVE-" in done.stdout:
        return done.stdout.strip().splitlines(), ""
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return [], "its service is not reached: %s" % last[:200]


def main():
    wanted = pins(os.path.join(ROOT, "setup.py"))
    faults = drift(wanted)
    known, reason = vulnerabilities()
    for fault in faults + known:
        sys.stdout.write("audit: %s\n" % fault)
    if not faults:
        sys.stdout.write("audit: %d pinned versions are what is installed\n" % len(wanted))
    if reason:
        sys.stdout.write("audit: known vulnerabilities were not looked up: %s\n" % reason)
    elif not known:
        sys.stdout.write("audit: no known vulnerability\n")
    return 1 if faults or known else 0


if __name__ == "__main__":
    sys.exit(main())
