"""Looked at before anything is installed: Python, Java, disk. One clear sentence each, and nothing but the standard
library, for it runs with whatever `python3` the machine has."""

import os
import re
import shutil
import subprocess
import sys

NEEDED = 3 * 1024**3  # bytes: the environment is about 1.5 GiB, and pip unpacks beside it


def fault():
    """The first thing that is wrong, as one sentence with what to do; None when all is well."""
    if sys.version_info < (3, 11):
        return "this is Python {}.{}: install 3.11 or newer, then `make PYTHON=python3.11 ...`".format(
            *sys.version_info
        )
    java = shutil.which("java")
    advice = "install Java 17 or newer, e.g. apt-get install openjdk-17-jre-headless"
    if java is None:
        return "Java was not found: " + advice
    told = subprocess.run([java, "-version"], stderr=subprocess.PIPE, check=False).stderr.decode("utf-8", "replace")
    found = re.search(r'version "(\d+)(?:\.(\d+))?', told)
    major = int(found.group(2) or 0) if found and found.group(1) == "1" else int(found.group(1)) if found else 0
    if major < 17:
        return "this is Java {}, Spark 4 needs 17 or newer: {}".format(major or "of no known version", advice)
    if not os.path.isdir(".venv") and shutil.disk_usage(".").free < NEEDED:
        free = shutil.disk_usage(".").free // 1024**2
        return "{} MiB of disk are free here, {} MiB are needed: make room".format(free, NEEDED // 1024**2)
    return None


if __name__ == "__main__":
    problem = fault()
    if problem:
        sys.stderr.write("probable-cause: " + problem + "\n")
        sys.exit(1)
