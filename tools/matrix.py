"""The unit and Spark tests on each pair of Spark and Delta and each Python that is supported: `make test-matrix`.

    python tools/matrix.py [--python 3.12 ...] [TEST ...]

What `make test` runs on, the pin of setup.py and this environment's Python, is left out. Each other environment is made
once, in .local/matrix, from setup.py's own pins but for the pair. A Python that is not on this machine is passed over,
and told. The last lines are the matrix as docs/runbook.md shows it.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Newest Spark that a delta-spark allows whose jars Maven has (coordinates name both).
NEWEST = ("4.2.0", "4.4.0")
PYTHONS = ["3.11", "3.12", "3.13"]
TIERS = ["tests/unit", "tests/spark"]
EXTRAS = "archive,demo,dev,notebook"
OWN = "{}.{}".format(*sys.version_info)


def runs(python):
    """Whether there is such a Python; a version manager's stand-in may be there without one."""
    program = f"python{python}"
    if shutil.which(program) is None:
        return False
    return subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0


def environment(python, spark, delta, pins):
    """Makes the environment, or finds it; gives its Python."""
    folder = ROOT / ".local" / "matrix" / f"python{python}-{spark}"
    made = folder / "bin" / "python"
    mark = folder / "ready"
    wanted = "\n".join([f"pyspark=={spark}", f"delta-spark=={delta}", *others(pins)])
    if not mark.exists() or mark.read_text() != wanted:
        print(f"Installing pyspark {spark} and delta-spark {delta} for Python {python} ...", flush=True)
        subprocess.run([f"python{python}", "-m", "venv", str(folder)], check=True)
        pip = [str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wanted.split("\n")], check=True)
        subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
        mark.write_text(wanted)
    return made


def pinned():
    """The pins of setup.py."""
    command = [sys.executable, "-c", READ, EXTRAS]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [pin for pin in told.split("\n") if pin]


def pair(pins):
    """(Spark's, Delta's) version among them."""
    found = dict(pin.split("==", 1) for pin in pins)
    return found["pyspark"], found["delta-spark"]


def others(pins):
    """Those without Spark and Delta."""
    return [pin for pin in pins if not pin.startswith(("pyspark=", "delta-spark="))]


# setup.py is run with a setup() that only listens: a new Python's environment has no setuptools.
READ = """
import sys, types
found = {}
listener = types.SimpleNamespace(setup=lambda **given: found.update(given), find_packages=lambda **_: [])
sys.modules["setuptools"] = listener
exec(compile(open("setup.py").read(), "setup.py", "exec"), {"__file__": "setup.py"})
print(*found["install_requires"], sep="\\n")
for extra in sys.argv[1].split(","):
    print(*found["extras_require"][extra], sep="\\n")
"""


def passes(made, tests):
    """Whether the tests pass in an environment."""
    own = {**os.environ, "PYSPARK_PYTHON": str(made), "PYSPARK_DRIVER_PYTHON": str(made)}
    own["PATH"] = f"{made.parent}{os.pathsep}{own['PATH']}"
    command = [str(made), "-m", "pytest", "-q", "-rs", *tests]
    return subprocess.run(command, cwd=ROOT, env=own, check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this one; may come again")
    parser.add_argument("tests", nargs="*", default=TIERS, metavar="TEST", help="instead of " + " and ".join(TIERS))
    chosen = parser.parse_args()
    pins = pinned()
    told = []
    for spark, delta in (pair(pins), NEWEST):
        for python in chosen.python or PYTHONS:
            if (python, spark) == (OWN, pair(pins)[0]):
                how = "by `make test`"
            elif not runs(python):
                how = "not run: no such Python on this machine"
            else:
                made = environment(python, spark, delta, pins)
                print(f"Python {python}, pyspark {spark}, delta-spark {delta}:", flush=True)
                how = "pass" if passes(made, chosen.tests) else "FAILED"
            told.append(f"| {spark}, {delta} | {python} | {how} |")
    print("\n".join(told))
    return 1 if any("FAILED" in line for line in told) else 0


if __name__ == "__main__":
    sys.exit(main())
