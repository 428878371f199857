"""`make package`: the wheel, a zip for each Lambda, the job's files, templates and the page under dist/, with sizes.

A Lambda's zip holds the modules that its handler imports, directly or not, and no more. Only the log indexer needs
libraries beside boto3, which the runtime has; they are fetched for Lambda's own platform. The job's environment archive
must be built where the job runs: tools/environment.sh.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAMBDAS = {
    "responder": "probable_cause.lambdas.responder.handler",
    "lookup_refresher": "probable_cause.lambdas.lookup_refresher.handler",
    "dashboard_api": "probable_cause.lambdas.dashboard_api",
    "log_indexer": "probable_cause.lambdas.log_indexer.handler",
}
# Third-party modules that a handler needs, by the name of their distribution in setup.py.
LIBRARIES = {"log_indexer": ("pyarrow", "numpy", "orjson", "isal")}
PLATFORM = ("--platform", "manylinux_2_28_aarch64", "--platform", "manylinux2014_aarch64", "--python-version", "3.13",
            "--implementation", "cp", "--only-binary=:all:")  # fmt: skip
LAMBDA_LIMIT = 250 * 1024**2  # bytes of code and libraries, unzipped
# Parts of the libraries that are for building against them and for testing them, and what nothing here imports. Shared
# libraries of pyarrow need one another, so that few can go; `missing_libraries` holds that.
LEFT_OUT = (
    "*/tests/*", "*/include/*", "*.pxd", "*.pyx", "*.h", "*/__pycache__/*", "bin/*", "*cpp_tests*",
    "*flight*", "*gandiva*", "*parquet_encryption*",
)  # fmt: skip
_NEEDED = re.compile(rb"lib(?:arrow|parquet)\w*\.so\.\d+")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zips of the same content are the same bytes


def closure(module: str) -> set[Path]:
    """Files of the package that `module` imports, at its top or inside functions, with the packages above them."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        parent = ".".join(path.relative_to(ROOT).parts[: -1 if path.name == "__init__.py" else None][:-1])
        if parent:
            waiting.append(parent)
    return found


def _file(module: str) -> Path | None:
    if module.split(".")[0] != "probable_cause":
        return None
    path = ROOT.joinpath(*module.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


def lambda_zip(name: str, target: Path, libraries: Path | None = None) -> int:
    """Writes the zip of one Lambda; returns the size of its content in bytes."""
    size = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(closure(LAMBDAS[name])):
            size += _add(archive, path, path.relative_to(ROOT).as_posix())
        for path in sorted(libraries.rglob("*")) if libraries else []:
            inside = path.relative_to(libraries or path)
            if path.is_file() and not any(inside.match(pattern) for pattern in LEFT_OUT):
                size += _add(archive, path, inside.as_posix())
    if missing := missing_libraries(target):
        raise SystemExit(f"{target.name} lacks {', '.join(sorted(missing))}, which its libraries are linked with")
    if size > LAMBDA_LIMIT:
        raise SystemExit(f"{target.name} is {_mib(size)} unzipped; Lambda takes {_mib(LAMBDA_LIMIT)}")
    return size


def missing_libraries(target: Path) -> set[str]:
    """Arrow's shared libraries that others in the zip name, and that are not in it."""
    with zipfile.ZipFile(target) as archive:
        shared = [name for name in archive.namelist() if ".so" in Path(name).name]
        named = {found.decode() for name in shared for found in _NEEDED.findall(archive.read(name))}
    return named - {Path(name).name for name in shared}


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> int:
    content = path.read_bytes()
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    return len(content)


def fetch_libraries(name: str, folder: Path) -> Path:
    """The libraries of a Lambda, for its platform and in the versions that setup.py pins."""
    pins = {line.split("==")[0].strip(' "'): line.strip(' ",\n') for line in _setup_lines()}
    wanted = [pins.get(library, library) for library in LIBRARIES[name]]
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, *PLATFORM, "--target", str(folder), *wanted], check=True)
    return folder


def _setup_lines() -> list[str]:
    return [line for line in (ROOT / "setup.py").read_text("utf-8").splitlines() if "==" in line]


def build(target: Path, libraries: bool = True) -> list[tuple[str, int, int | None]]:
    """Everything that a deployment uploads; returns (file, bytes, bytes unzipped).

    Args:
        libraries: False leaves the log indexer out, whose libraries are fetched from PyPI.
    """
    target.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(target), str(ROOT)], check=True)
    sizes: dict[str, int] = {}
    for name in LAMBDAS:
        if name in LIBRARIES and not libraries:
            continue
        fetched = fetch_libraries(name, target / "libraries" / name) if name in LIBRARIES else None
        sizes[f"{name}.zip"] = lambda_zip(name, target / f"{name}.zip", fetched)
    shutil.copy(ROOT / "jobs" / "stream.py", target / "stream.py")
    for source, folder in (
        (ROOT / "infra" / "cloudformation", "cloudformation"),
        (ROOT / "infra" / "search", "search"),
    ):
        shutil.copytree(source, target / folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "probable_cause" / "dashboard" / "site", target / "site", dirs_exist_ok=True)
    files = sorted(one for one in target.iterdir() if one.is_file())
    return [(one.name, one.stat().st_size, sizes.get(one.name)) for one in files]


def _mib(size: int) -> str:
    return f"{size / 1024**2:.1f} MiB" if size >= 1024**2 else f"{size / 1024:.0f} KiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--target", type=Path, default=ROOT / "dist")
    parser.add_argument("--without-libraries", action="store_true", help="leave the log indexer out")
    chosen = parser.parse_args()
    for name, size, content in build(chosen.target, not chosen.without_libraries):
        print(f"{name:<48} {_mib(size):>10}" + (f"  ({_mib(content)} unzipped)" if content else ""))
    print("The job's environment: tools/environment.sh, on Amazon Linux 2023 of the job's architecture.")


if __name__ == "__main__":
    main()
