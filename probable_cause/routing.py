"""Which family a log group carries. Pure values, that travel as an option of the source."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from probable_cause.envelope import MAX_DECOMPRESSED


@dataclass(frozen=True)
class Route:
    """What a log group carries: the family, its format (vpc_flow), and the application that owns every line of it."""

    family: str
    format: str | None = None
    application_id: str | None = None


@dataclass(frozen=True)
class Routing:
    """Log group -> Route. `groups` are (pattern, family, format, application_id); the first match wins. A record that
    grows beyond `max_decompressed` bytes is rejected.

    A named group `application_id` of the pattern wins over the fixed one. Hashable, picklable, and JSON-able, so that
    it travels as an option of the source.
    """

    groups: tuple[tuple[str, str, str | None, str | None], ...]
    max_decompressed: int = MAX_DECOMPRESSED

    @classmethod
    def from_json(cls, text: str, max_decompressed: int = MAX_DECOMPRESSED) -> Routing:
        """From a JSON list of [pattern, family, format or null, application_id or null].

        Raises:
            ValueError, TypeError: it is something else.
        """
        groups = tuple((pattern, family, form, app) for pattern, family, form, app in json.loads(text))
        return cls(groups, max_decompressed)

    def to_json(self) -> str:
        """The groups, as from_json() takes them."""
        return json.dumps(self.groups)

    def route(self, log_group: str) -> Route | None:
        """The route of `log_group`, None when no pattern matches."""
        return _route(self, log_group)


@lru_cache(maxsize=4096)
def _route(routing: Routing, log_group: str) -> Route | None:
    for pattern, family, form, application_id in routing.groups:
        match = re.search(pattern, log_group)
        if match:
            return Route(family, form, match.groupdict().get("application_id") or application_id)
    return None
