"""What the docs tell people to type exists and works; what the command line has is told in the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from probable_cause import cli

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    (path.name, block) for path in DOCS for block in re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
]
COMMANDS = [
    "dashboard", "demo", "run", "tables", "parse", "evaluate", "top", "explain", "history", "ack", "resolve", "reopen",
    "rules", "lookup", "rejects", "replay", "doctor",
]  # fmt: skip


@pytest.mark.parametrize(("document", "block"), BLOCKS)
def test_every_shell_block_runs(document: str, block: str) -> None:
    # The blocks name the clone's own environment; a test may run in another.
    script = block.replace(".venv/bin/probable-cause", f"{sys.executable} -m probable_cause.cli")
    done = subprocess.run(["sh", "-eu", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_shell_blocks() -> None:
    assert BLOCKS


def test_make_targets_that_the_docs_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in DOCS:
        named = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE))
        assert named <= targets, (path.name, named - targets)


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), (path.name, target)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_and_stands_in_the_readme(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"probable-cause {command}" in capsys.readouterr().out.split("examples:")[1]
    assert (
        f"`{command}`" in (readme := (ROOT / "README.md").read_text("utf-8")) or f"probable-cause {command}" in readme
    )


def test_bare_make_lists_the_targets() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    assert all(f"make {target}" in done.stdout for target in ("setup", "demo", "test", "check", "bench"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["top", "--as-of", "yesterday"], "2026-03-01T12:10:00Z"),
        (["parse", "--family", "syslog"], "invalid choice"),
        (["ack", "shop", "roof"], "invalid choice"),
        (["run", "--conf", "/nowhere.yml"], "no such file"),
        (["evaluate", "/nowhere"], "/nowhere"),
    ],
)
def test_what_is_wrong_is_told_on_stderr_without_a_traceback(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = cli.main(arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code != 0
    shown = capsys.readouterr()
    assert told in shown.err
    assert "Traceback" not in shown.err
