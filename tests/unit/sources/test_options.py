"""The source's options, as Spark hands them over."""

from __future__ import annotations

import pickle

import pytest

from probable_cause.errors import SettingsError
from probable_cause.routing import Route, Routing
from probable_cause.settings import LogGroup
from probable_cause.sources import routing_of
from probable_cause.sources.connection import Connection
from probable_cause.sources.options import Options

GOOD = {"streamName": "logs", "routing": '[["flow", "vpc_flow", null, null]]'}


def test_defaults_and_values() -> None:
    options = Options.parse(GOOD)
    assert options.connection == Connection("logs")
    assert (options.limits.lag_ms, options.limits.max_span_ms, options.limits.on_trimmed) == (250, 30_000, "fail")
    assert (options.starting_position, options.shards_per_task) == ("TRIM_HORIZON", 8)
    more = {"LAGMS": "0", "maxspanms": "500", "onTrimmed": "skip", "startingPosition": "LATEST", "region": "eu-west-1"}
    options = Options.parse(
        GOOD | more | {"endpointUrl": "http://127.0.0.1:1", "roleArn": "arn:x", "shardsPerTask": "2"}
    )
    assert options.connection == Connection("logs", "eu-west-1", "http://127.0.0.1:1", "arn:x")
    assert (options.limits.lag_ms, options.limits.max_span_ms, options.limits.on_trimmed) == (0, 500, "skip")
    assert pickle.loads(pickle.dumps(options)) == options  # noqa: S301


def test_all_faults_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Options.parse(
            {"lagMs": "soon", "maxSpanMs": "1", "onTrimmed": "maybe", "routing": "{", "startingPosition": "x", "y": "1"}
        )
    text = str(caught.value)
    for word in (
        "streamName: missing",
        "lagMs: found 'soon'",
        "maxSpanMs: found '1'",
        "'maybe', allowed are fail, skip",
    ):
        assert word in text
    for word in ("routing: expected", "TRIM_HORIZON, LATEST", "y: no such option"):
        assert word in text
    assert len(caught.value.faults) == 7


ROUTING = routing_of(
    [
        LogGroup("^/vpc/flow$", "vpc_flow", "${version} ${action}"),
        LogGroup("(?i)trail", "cloudtrail"),
        LogGroup("^/app/(?P<application_id>[^/]+)", "application"),
        LogGroup("^/fixed/", "application", None, "app9"),
        LogGroup("^/both/(?P<application_id>[^/]*)", "application", None, "app9"),
    ]
)


@pytest.mark.parametrize(
    ("log_group", "expected"),
    [
        ("/vpc/flow", Route("vpc_flow", "${version} ${action}", None)),
        ("/vpc/flow/other", None),
        ("aws-CloudTrail-logs", Route("cloudtrail")),
        ("/app/web/access", Route("application", None, "web")),
        ("/app/trail", Route("cloudtrail")),  # the first match wins
        ("/fixed/x", Route("application", None, "app9")),
        ("/both/web", Route("application", None, "web")),
        ("/both/", Route("application", None, "app9")),
        ("", None),
    ],
)
def test_routes(log_group: str, expected: Route | None) -> None:
    assert ROUTING.route(log_group) == expected


def test_routing_travels_as_json_and_as_pickle() -> None:
    assert Routing.from_json(ROUTING.to_json()) == ROUTING
    assert pickle.loads(pickle.dumps(ROUTING)).route("/app/web") == Route("application", None, "web")  # noqa: S301
