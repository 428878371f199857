"""Chromium for the browser tests, from Debian's packages where that can be had without asking anybody.

As root on a Debian it is installed; elsewhere one line says what to do, and those tests are skipped with that reason.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    if any(shutil.which(name) for name in NAMES):
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print("No chromium here: the browser tests will be skipped. On Debian: sudo apt-get install chromium")
        return
    print("Installing chromium for the browser tests ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "update", "-qq"], [apt, "install", "-qq", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            print(f"chromium could not be installed ({reason[0]}): the browser tests will be skipped", file=sys.stderr)
            return


if __name__ == "__main__":
    main()
