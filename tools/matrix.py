"""The unit and Spark tests on each other pair of Spark and Delta that is supported, in environments in .local/matrix.

    make test-matrix

The first pair is the pin of setup.py, which `make test` runs on; so only the others are run here. Each environment is
made once, from setup.py's own pins but for the pair. A Python that is not on this machine is passed over, and told.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Newest Spark that a delta-spark allows whose jars Maven has (coordinates name both).
PAIRS = [("4.2.0", "4.4.0")]
PYTHONS = ["python3.11", "python3.12", "python3.13"]
TIERS = ["tests/unit", "tests/spark"]
EXTRAS = "archive,demo,dev,notebook"


def runs(python):
    """Whether there is such a Python; a version manager's stand-in may be there without one."""
    if shutil.which(python) is None:
        return False
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def environment(python, spark, delta):
    """Makes the environment, or finds it; gives its Python."""
    folder = ROOT / ".local" / "matrix" / f"{python}-{spark}"
    made = folder / "bin" / "python"
    mark = folder / "ready"
    if not mark.exists():
        print(f"Installing pyspark {spark} and delta-spark {delta} for {python} ...", flush=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        pip = [str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"pyspark=={spark}", f"delta-spark=={delta}", *others()], check=True)
        subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
        mark.touch()
    return made


def others():
    """The pins of setup.py without Spark and Delta."""
    told = subprocess.run(
        [sys.executable, "-c", READ, EXTRAS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [pin for pin in told if pin and not pin.startswith(("pyspark=", "delta-spark="))]


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


def main():
    failed = []
    for python in PYTHONS:
        if not runs(python):
            print(f"{python} is not on this machine: passed over", flush=True)
            continue
        for spark, delta in PAIRS:
            made = environment(python, spark, delta)
            print(f"{python}, pyspark {spark}, delta-spark {delta}:", flush=True)
            own = {**os.environ, "PYSPARK_PYTHON": str(made), "PYSPARK_DRIVER_PYTHON": str(made)}
            own["PATH"] = f"{made.parent}{os.pathsep}{own['PATH']}"
            tests = sys.argv[1:] or TIERS
            if subprocess.run([str(made), "-m", "pytest", "-q", *tests], cwd=ROOT, env=own, check=False).returncode:
                failed.append(f"{python} with pyspark {spark}")
    if failed:
        print(f"FAILED on {'; '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
