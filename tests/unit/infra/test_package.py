"""What a deployment uploads: each Lambda's zip holds all that its handler imports, and only that."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.infra.templates import resources
from tools import package

# Lambda's runtime has boto3 and what it needs; anything else must be in the zip.
ALONE = """
import sys
class Absent:
    allowed = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "probable_cause"}
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in self.allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not in Lambda's runtime", name=name)
sys.path[:] = [sys.argv[1], *(one for one in sys.path if not one.endswith(sys.argv[3]))]
sys.meta_path.insert(0, Absent())
import importlib
module = importlib.import_module(sys.argv[2])
assert sys.argv[1] in module.__file__, module.__file__
print(module.handler.__doc__)
"""


@pytest.mark.parametrize("name", [name for name in package.LAMBDAS if name not in package.LIBRARIES])
def test_a_zip_runs_with_nothing_but_the_runtimes_boto3(name: str, tmp_path: Path) -> None:
    target = tmp_path / f"{name}.zip"
    size = package.lambda_zip(name, target)
    assert size < 1024**2
    command = [sys.executable, "-c", ALONE, str(target), package.LAMBDAS[name], package.ROOT.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


def test_the_same_code_is_the_same_zip(tmp_path: Path) -> None:
    for name in ("a", "b"):
        package.lambda_zip("responder", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_indexers_zip_has_its_libraries_and_not_their_tests(tmp_path: Path) -> None:
    for file in ("pyarrow/lib.so", "pyarrow/tests/test_x.py", "pyarrow/include/arrow/api.h", "numpy/core.py"):
        path = tmp_path / "libraries" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    package.lambda_zip("log_indexer", tmp_path / "zip", tmp_path / "libraries")
    names = set(zipfile.ZipFile(tmp_path / "zip").namelist())
    assert {"pyarrow/lib.so", "numpy/core.py", "probable_cause/parsing.py"} <= names
    assert not [name for name in names if "tests/" in name or "include/" in name or "pyspark" in name]


def test_a_shared_library_that_others_need_is_not_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "libraries" / "pyarrow"
    folder.mkdir(parents=True)
    (folder / "lib.cpython-313.so").write_bytes(b"\x7fELF..libarrow_acero.so.2600\0libm.so.6\0")
    with pytest.raises(SystemExit, match=r"lacks libarrow_acero\.so\.2600"):
        package.lambda_zip("log_indexer", tmp_path / "zip", tmp_path / "libraries")
    (folder / "libarrow_acero.so.2600").write_bytes(b"\x7fELF")
    package.lambda_zip("log_indexer", tmp_path / "zip", tmp_path / "libraries")


def test_the_templates_name_the_zips_and_handlers_that_are_packaged() -> None:
    found = {}
    for _, _, one in resources("AWS::Lambda::Function"):
        key = one["Properties"]["Code"]["S3Key"]["Fn::Sub"]
        name = key.removeprefix("${CodePrefix}/").removesuffix(".zip")
        found[name] = one["Properties"]["Handler"].removesuffix(".handler")
    assert found == package.LAMBDAS


def test_environment_script_is_shell() -> None:
    done = subprocess.run(["sh", "-n", "tools/environment.sh"], cwd=package.ROOT, capture_output=True, check=False)
    assert done.returncode == 0
