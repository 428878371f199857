"""What is known of an application log line while it is read: each reader fills what it finds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

# Colour and cursor codes (ECMA-48), also where the escape character was lost or written out.
_ANSI = re.compile(r"(?:\x1b|\\x1b|\\u001b|\\033|\u241b)\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]", re.IGNORECASE)


_WRITTEN = ("\\x1b[", "\\u001b[", "\\u001B[", "\\033[")


@dataclass(slots=True)
class Reading:
    """`message` is the text still to be read, and at the end what a reader wants to see. `failed` is set by readers
    that know of a failure whatever the level is: a time-out, a kill."""

    message: str
    time: datetime | None = None
    level: str | None = None
    outer_level: str | None = None  # of the wrapper: syslog's priority counts where the line itself has no level
    logger: str | None = None
    source_ip: str | None = None
    source_port: str | None = None
    destination_ip: str | None = None
    destination_port: str | None = None
    kind: str | None = None
    category: str | None = None
    thrown: str | None = None
    record: str | None = None
    failed: bool = False
    trace: str = ""  # a stack trace that stands apart from the message
    fields: dict[str, str] = field(default_factory=dict)

    def note(self, **values: str | None) -> None:
        """Keeps values as `fields`; what is there already stays, None and empty text are left out."""
        for key, value in values.items():
            if value:
                self.fields.setdefault(key, value)


def without_colours(line: str) -> str:
    """The line without terminal codes."""
    if "\x1b" in line or "\u241b" in line or ("\\" in line and any(mark in line for mark in _WRITTEN)):
        return _ANSI.sub("", line)
    return line
