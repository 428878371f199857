"""How the job ends when something under it ends: with an error that says what to do, and its threads stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from py4j.protocol import Py4JError, Py4JNetworkError

from probable_cause import settings
from probable_cause.errors import EnvironmentFaultError, ProbableCauseError, TableError
from probable_cause.progress import Progress
from probable_cause.stream import StreamJob


class Jvm:
    """Calls are answered until it is killed."""

    def __init__(self) -> None:
        self.killed: Exception | None = None
        self.listeners: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return Jvm.__call__.__get__(self) if name in ("nanoTime", "removeListener") else self

    def __call__(self, listener: Any = None) -> None:
        if self.killed:
            raise self.killed
        self.listeners = [one for one in self.listeners if one is not listener]

    def addListener(self, listener: Any) -> None:  # noqa: N802 - Spark's name
        self.listeners.append(listener)


def job(monkeypatch: pytest.MonkeyPatch, jvm: Jvm, fails: Exception | None, killed: Exception | None) -> StreamJob:
    """A job whose query ends with `fails`, its JVM being `killed` meanwhile (None: it lives)."""
    made = object.__new__(StreamJob)
    made.__dict__ |= {
        "_spark": SimpleNamespace(streams=jvm, _jvm=jvm),
        "_settings": settings.load(),
        "_archive": Mock(),
        "progress": Progress(),
    }

    def run() -> None:
        jvm.killed = killed
        if fails:
            raise fails

    monkeypatch.setattr(made, "_run", run)
    return made


@pytest.mark.parametrize(
    ("fails", "killed", "raised"),
    [
        (Py4JError("An error occurred while calling o1.isActive"), ConnectionRefusedError(111, "refused"), "gone"),
        (Py4JNetworkError("Answer from Java side is empty"), Py4JNetworkError("no answer"), "gone"),
        (ProbableCauseError("the query failed"), Py4JError("An error occurred while calling z:nanoTime"), "gone"),
        (Py4JError("Method x does not exist"), None, Py4JError),
        (TableError("no such table"), None, TableError),
        (None, None, None),
        (None, ConnectionRefusedError(111, "refused"), None),  # it was asked to stop, and had stopped
    ],
)
def test_a_killed_jvm_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, fails: Exception | None, killed: Exception | None, raised: Any
) -> None:
    jvm = Jvm()
    made = job(monkeypatch, jvm, fails, killed)
    if raised is None:
        made.run()
    elif raised == "gone":
        with pytest.raises(EnvironmentFaultError, match="Start the job again") as fault:
            made.run()
        assert fault.value.__cause__ is fails
    else:
        with pytest.raises(raised) as fault:
            made.run()
        assert fault.value is fails
    made._archive.stop.assert_called_once_with()  # type: ignore[union-attr]
    assert len(jvm.listeners) == (1 if killed else 0)
