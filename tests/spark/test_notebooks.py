"""The notebooks run from top to bottom on a bundle, and are kept without outputs."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from tests.conftest import COLD_JVM, ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_all_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # One kernel for all: they share its Spark session, as a person's notebooks don't.
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JDK_JAVA_OPTIONS", COLD_JVM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    manager = KernelManager(kernel_name="python3")
    shown = {}
    try:
        for path in NOTEBOOKS:
            notebook = nbformat.read(path, 4)
            client = NotebookClient(
                notebook, km=manager, timeout=240, resources={"metadata": {"path": str(path.parent)}}
            )
            client.execute(cleanup_kc=path == NOTEBOOKS[-1], reset_kc=False)
            shown[path.stem] = "\n".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    finally:
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)
    assert "REJECT on" in shown["1_tables"]
    assert "image/png" in shown["2_incident_review"]
    assert "Root cause:" in shown["2_incident_review"]
    assert "->" in shown["3_rule_tuning"]
