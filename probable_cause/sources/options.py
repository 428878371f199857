"""The options of the Kinesis source, checked. Spark hands them over as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probable_cause.envelope import MAX_DECOMPRESSED
from probable_cause.errors import SettingsError
from probable_cause.prefilter import NOTHING, Prefilter
from probable_cause.routing import Routing
from probable_cause.sources.connection import Connection
from probable_cause.sources.scout import Limits

NAME = "probable-cause-kinesis"


@dataclass(frozen=True)
class Options:
    """The source's options, checked. Picklable: it travels to the executors."""

    connection: Connection
    routing: Routing
    limits: Limits
    starting_position: str = "TRIM_HORIZON"
    shards_per_task: int = 8
    prefilter: Prefilter = NOTHING

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Options:
        """From Spark's options (text).

        Raises:
            SettingsError: with every fault of them.
        """
        values = {key.lower(): value for key, value in given.items() if value not in (None, "")}
        faults = [f"{key}: no such option; there are {', '.join(_OPTIONS)}" for key in values if key not in _LOWER]

        def choice(key: str, allowed: tuple[str, ...]) -> str:
            value = values.get(key.lower(), allowed[0])
            if value not in allowed:
                faults.append(f"{key}: found {value!r}, allowed are {', '.join(allowed)}")
            return value

        def number(key: str, default: int, least: int) -> int:
            value = values.get(key.lower(), str(default))
            if not value.isdecimal() or int(value) < least:
                faults.append(f"{key}: found {value!r}, allowed is a whole number from {least}")
                return default
            return int(value)

        if "streamname" not in values:
            faults.append("streamName: missing; give the name or the ARN of a Kinesis stream")
        try:
            limit = number("maxDecompressed", MAX_DECOMPRESSED, 1024)
            routing = Routing.from_json(values.get("routing", ""), limit)
        except (ValueError, TypeError):
            faults.append(
                "routing: expected the JSON of decode.Routing: a list of [pattern, family, format or null, "
                f"application_id or null]; found {values.get('routing', '')!r:.100}"
            )
            routing = Routing(())
        prefilter = NOTHING
        if "prefilter" in values:
            try:
                prefilter = Prefilter.from_json(values["prefilter"])
            except (ValueError, TypeError):
                faults.append(
                    f"prefilter: expected the JSON of prefilter.Prefilter; found {values['prefilter']!r:.100}"
                )
        options = cls(
            connection=Connection(
                values.get("streamname", ""), values.get("region"), values.get("endpointurl"), values.get("rolearn")
            ),
            routing=routing,
            limits=Limits(
                number("lagMs", 250, 0), number("maxSpanMs", 30_000, 100), choice("onTrimmed", ("fail", "skip"))
            ),
            starting_position=choice("startingPosition", ("TRIM_HORIZON", "LATEST")),
            shards_per_task=number("shardsPerTask", 8, 1),
            prefilter=prefilter,
        )
        if faults:
            raise SettingsError(f"The options of source {NAME} have faults:", faults)
        return options


_OPTIONS = (
    "streamName",
    "region",
    "endpointUrl",
    "roleArn",
    "startingPosition",
    "lagMs",
    "maxSpanMs",
    "onTrimmed",
    "routing",
    "maxDecompressed",
    "shardsPerTask",
    "prefilter",
)
_LOWER = {option.lower() for option in _OPTIONS}
