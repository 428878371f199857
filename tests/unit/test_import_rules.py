"""Who may import what (ARCHITECTURE.md, "Import rules"). The imports are read, not run."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "probable_cause"
STANDARD = set(sys.stdlib_module_names)

# Stages: functions of DataFrames, Columns and plain values. The rule catalogue's reader is at the edge, not a stage.
STAGES = {
    "envelope": ["envelope.py"],
    "families": ["families/**/*.py"],
    "rules": [
        "rules/classify.py",
        "rules/describe.py",
        "rules/model.py",
        "rules/tables.py",
        "rules/spark_sql.py",
        "rules/keys.py",
    ],
    "attribution": ["attribution.py", "addresses.py"],
    "relevance": ["relevance.py"],
    "fold": ["fold.py"],
}
BANNED_IN_STAGES = {"boto3", "botocore", "yaml", "os", "time", "logging"}
BANNED_NAMES = {"SparkSession", "current_timestamp", "current_date", "now"}
STATE_LOGIC = [path for path in (PACKAGE / "state").glob("*.py") if path.name not in ("dynamodb.py",)]
# The data path's only importers of boto3 are the class of the tables and the source; the rest are tools beside it.
BOTO3 = {"state/dynamodb.py", "doctor.py", "local/account.py"}


def modules(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in PACKAGE.glob(pattern))


def imports(path: Path) -> set[str]:
    """Absolute names of what a module imports: `a.b` of `import a.b`, and `a.b.c` of `from a.b import c`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


ALL = modules("**/*.py")


def test_there_is_something_to_look_at() -> None:
    assert len(ALL) > 30
    for patterns in STAGES.values():
        assert modules(*patterns), patterns


@pytest.mark.parametrize("stage", STAGES)
def test_stages_do_no_io_read_no_clock_and_do_not_know_each_other(stage: str) -> None:
    others = {other for other in STAGES if other != stage}
    for path in modules(*STAGES[stage]):
        assert not tops(path) & BANNED_IN_STAGES, relative(path)
        for name in imports(path):
            parts = name.split(".")
            assert parts[-1] not in BANNED_NAMES, (relative(path), name)
            if parts[0] == "probable_cause" and len(parts) > 1:
                assert parts[1] not in others | {"pipeline", "sink", "settings", "state"}, (relative(path), name)


@pytest.mark.parametrize("path", modules("verdict/*.py") + sorted(STATE_LOGIC), ids=relative)
def test_verdict_and_item_logic_are_standard_library_only(path: Path) -> None:
    for name in imports(path):
        top, *rest = name.split(".")
        inside = top == "probable_cause" and (not rest or rest[0] in {"state", "verdict", "errors", "schemas"})
        assert inside or top in STANDARD, (relative(path), name)
    assert not tops(path) & {"os", "time", "random", "socket", "subprocess"}, relative(path)


def test_only_the_edges_import_boto3() -> None:
    found = {relative(path) for path in ALL if tops(path) & {"boto3", "botocore"}}
    allowed = BOTO3 | {name for name in found if name.startswith(("sources/", "lambdas/"))}
    assert found <= allowed


def test_nothing_imports_the_jobs_or_the_command_line() -> None:
    for path in ALL:
        names = imports(path)
        assert not any(name.split(".")[0] == "jobs" for name in names), relative(path)
        if relative(path) != "cli.py":
            assert not any(name.startswith("probable_cause.cli") for name in names), relative(path)


def test_only_sessions_build_sessions() -> None:
    for path in ALL:
        if relative(path) == "session.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "builder":
                raise AssertionError(f"{relative(path)}: builds a session")


def test_jobs_are_short() -> None:
    for path in (ROOT / "jobs").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 60, path.name


def test_unit_tests_do_not_import_spark() -> None:
    for path in (ROOT / "tests" / "unit").rglob("*.py"):
        assert "pyspark" not in tops(path), path
