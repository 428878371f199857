"""How the job ends, or goes on, when something under it ends: its errors say what to do, its threads are stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError

from probable_cause import settings, stream
from probable_cause.errors import BusyError, EnvironmentFaultError, ProbableCauseError, SourceError, TableError
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


def thrown(*told: str) -> Py4JJavaError:
    """Of a call into the JVM; each text is caused by the next."""
    made = None
    for text in reversed(told):
        made = SimpleNamespace(
            _target_id="o1", _gateway_client=None, toString=lambda text=text: text, getCause=lambda cause=made: cause
        )
    return Py4JJavaError("An error occurred while calling o1.load.\n", made)


CLOSED = thrown("org.apache.spark.SparkException: in awaitResult", "java.io.IOException: Stream closed")


@pytest.mark.parametrize(
    ("fails", "starts", "raised", "told"),
    [
        ([CLOSED] * 2, 3, None, ""),
        ([CLOSED] * 9, 5, ProbableCauseError, "^the query failed: java.io.IOException: Stream closed$"),
        ([thrown("x.PythonException: BusyError: slow down")] * 7, 8, None, ""),
        (
            [thrown("x.PythonException: SourceError: no stream s: create it")],
            1,
            SourceError,
            "^no stream s: create it$",
        ),
        ([thrown("null")] * 5, 5, ProbableCauseError, "as when a Python worker was killed"),
        ([ValueError("a fault of ours")], 1, ValueError, "a fault of ours"),
    ],
)
def test_a_start_that_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, fails: list[Exception], starts: int, raised: type[Exception] | None, told: str
) -> None:
    made = object.__new__(StreamJob)
    waits: list[float] = []
    stopping = SimpleNamespace(is_set=lambda: False, wait=waits.append)
    made.__dict__ |= {
        "_stopping": stopping,
        "_finished_batches": 0,
        "progress": Progress(),
        "_settings": settings.load(),
    }
    begun = []

    def start() -> str:
        begun.append(1)
        if len(begun) <= len(fails):
            raise fails[len(begun) - 1]
        return "query"

    monkeypatch.setattr(made, "_start", start)
    monkeypatch.setattr(made, "_supervise", lambda query: None)
    if raised is None:
        made._run()
    else:
        with pytest.raises(raised, match=told):
            made._run()
    assert len(begun) == starts and len(waits) == len(begun) - 1
    assert waits == sorted(waits) and max(waits, default=0) <= 30


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (thrown("x: BusyError: slow down"), BusyError, "slow down"),
        (TableError("no table"), TableError, "no table"),
        (ValueError("of ours\nand more"), ProbableCauseError, "the query failed: ValueError: of ours"),
    ],
)
def test_why_a_query_failed(error: Exception, kind: type[Exception], told: str) -> None:
    reason = stream.reason_of(error)
    assert (type(reason), str(reason)) == (kind, told)
