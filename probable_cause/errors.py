"""Every error that a user can meet. A message says where, what was found, what is allowed and what to try."""

from __future__ import annotations

from collections.abc import Iterable


class ProbableCauseError(Exception):
    """Base of all errors that this package raises on purpose."""


class FaultsError(ProbableCauseError):
    """Several faults of one input, reported together.

    `faults` holds one line for each; the message lists them all under `title`.
    """

    def __init__(self, title: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join([title, *(f"  - {fault}" for fault in self.faults)]))


class SettingsError(FaultsError):
    """A configuration file with faults."""


class RulesError(FaultsError):
    """Rule files with faults."""


class BundleError(FaultsError):
    """An incident bundle that can't be read."""


class RejectedLineError(ProbableCauseError):
    """A log line that no parser takes. It becomes a rejected row with `reason`; it never stops a stream.

    `reason` is a short snake_case word that counts are kept by; `detail` says what was found.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class SourceError(ProbableCauseError):
    """The stream can't be read: missing, no permission, or a position that is no longer kept."""


class TableError(ProbableCauseError):
    """A DynamoDB table is missing, or refuses what the job needs."""


class BusyError(ProbableCauseError):
    """A table does not answer, or not soon enough, after many attempts. It passes: the batch is replayed."""


class FencedError(ProbableCauseError):
    """A newer driver of the same job took over; this one must stop."""


class EnvironmentFaultError(ProbableCauseError):
    """The machine lacks something: Java, a free port, disk, credentials."""
