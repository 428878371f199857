"""Application lines read together are those read alone, field by field: whatever way a line goes."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.workload import World, records
from probable_cause.envelope import open_record
from probable_cause.families import app_columns, app_keys
from probable_cause.families.values import words
from tests.fuzz.both_ways import alone, together
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import seeds

KNOWN = [line for _, _, line in seeds("application")]  # fixtures, and the shared logs where they are there
WORKLOAD = [
    line
    for _, data in records(400, 1, World(), {"application": 1.0})
    for payload in open_record(data, 2**20)
    for line in payload.messages
]
ENOUGH = 32  # lines that are read together


def check(lines: list[str]) -> None:
    batch = lines * -(-ENOUGH // len(lines))
    for line, found in zip(batch, together("application", batch), strict=True):
        assert found == alone("application", line), line


def plain(lines: list[str]) -> int:
    """How many of the lines go the quick way."""
    return len(lines) - len(app_columns.parse_plain(lines)[1])


def quiet(line: str) -> str:
    """The line at a quiet level, so that nothing but its form decides which way it goes."""
    return re.sub("WARN(ING)?|ERROR|FATAL|CRITICAL|SEVERE", "INFO", re.sub('"(warn|error|fatal)"', '"info"', line))


def test_lines_that_the_project_knows() -> None:
    check(KNOWN)
    check([quiet(line) for line in KNOWN])
    check(WORKLOAD)


def test_mutated_lines() -> None:
    rng = random.Random(5)
    pool = [quiet(line) for line in KNOWN] + WORKLOAD * 10
    check([mutate(rng.choice(pool), rng.choice(pool), rng) for _ in range(4000)])


PLAIN = [
    "2026-03-01 12:00:00,123 INFO  [http-1] c.e.Orders - order 17 accepted",
    "2026-03-01T12:00:00.123 DEBUG [] Orders - 3 items of Chrome/120.0.0.0",
    "2026-02-30 12:00:61 TRACE [a b] c.e.Orders$Inner - a day that is none",
    "2026-03-01 12:00:00.123  INFO 7 --- [           main] c.e.Orders   : accepted",
    "2026-03-01 12:00:00,123 - shop.orders - INFO - accepted",
    '{"level":"info","logger":"api","message":"GET /orders/17 200","duration_ms":3}',
    '{"timestamp":"2026-03-01T12:00:00Z","severity":"INFO","msg":"served","status":200,"ctx":{"a":[1]},"thread":"t"}',
    'time=2026-03-01T12:00:00Z level=info msg="cache hit" key=user:17 empty= quoted=""',
    '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /orders HTTP/1.1" 200 17 "-" "Mozilla/5.0 Chrome/120.0.0.0"',
    '10.0.0.1 - anna [01/Mar/2026:12:00:00 -0700] "" 304 -',
]


@pytest.mark.parametrize("line", PLAIN)
def test_the_default_formats_go_the_quick_way(line: str) -> None:
    assert plain([line] * ENOUGH) == ENOUGH
    check([line])


def test_what_tells_more_goes_the_other_way() -> None:
    more = [
        PLAIN[0].replace("INFO", "WARN"),
        PLAIN[0] + " for 10.0.0.7",
        PLAIN[0] + " on i-0abc1234def567890",
        PLAIN[5].replace("}", ',"error":"none"}'),
        PLAIN[7].replace("level=info", "level=error"),
        PLAIN[8].replace(" 200 ", " 502 "),
    ]
    assert plain(more * ENOUGH) == 0
    check(more)


# What looks plain but for one thing.
TRAPS = [
    '2026-03-01 12:00:00,123 INFO  [a] b - 1.2:80 - "GET /x HTTP/1.1" 500',
    '2026-03-01 12:00:00,123 INFO  [a] b - "GET /x HTTP/1.1" 500',
    '2026-03-01 12:00:00,123 INFO  [a] b - {"level":"error","logger":"c"}',
    "2026-03-01 12:00:00,123 INFO  [a] b - sent to arn:aws:sqs:us-east-1:123456789012:jobs",
    "2026-03-01 12:00:00,123 INFO  [a] b - trace_id=0123456789abcdef",
    "2026-03-01 12:00:00,123 INFO  [a] b - 1:2:3:4:5:6:7:8",
    "0000-01-01 00:00:00 INFO  [a] b - c",
    "2026-03-01 12:00:00.123  INFO 7 --- [a] [b] :: c",
    "2026-03-01 12:00:00.123  INFO 7 --- [a] c.e.App:x: c",
    '{"level":"info","message":"m","type":"platform.report"}',
    '{"level":"info","message":"m","rcode":"SERVFAIL"}',
    '{"level":"info","message":"m","stack":"at 10.0.0.1"}',
    '{"level":"info","message":"m","error":"none"}',
    '{"level":"info","message":"m","ip":"10.0.0.1"}',
    '{"level":"info","message":"m","logger":"-","category":"c"}',
    '{"level":"info","message":"m","logger":{"name":"c"}}',
    '{"level":"","severity":"info","message":"m"}',
    '{"level":"info","message":" m "}',
    '{"level":"info","message":"{}"}',
    '{"level":"info","message":"","msg":"m"}',
    '{"level":"info","Level":"debug","message":"m"}',
    '{"levelno":"10","message":"m"}',
    '{"level":"info","message":"m","ts":true}',
    '{"level":"info","name":"app","hostname":"h","v":0,"msg":"m"}',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}],"level":"info","message":"m"}',
    "level=info level=error msg=m",
    "INIT_START=1 level=info msg=m",
    'level=info msg="say \\"no\\""',
    "level=info status=x msg=m",
    '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "for 10.0.0.7"',
    '10.0.0.1 - 10.0.0.7 [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1',
    '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /?trace_id=0123456789abcdef HTTP/1.1" 200 1',
]


@pytest.mark.parametrize("line", TRAPS)
def test_traps(line: str) -> None:
    check([line])


# Hostile parts of otherwise plain lines: what another reader, or a search of the message, might take for its own.
PARTS = st.lists(
    st.sampled_from(
        words(
            """a Ab 17 -- : :: [ ] ( ) { } " ' = | / , . \\ INFO ERROR info c.e.A a::b x=1 10.0.0.7 fd00::1 Foo/1.2.3.4
            i-0abc1234def567890 arn:aws:s3:::b trace_id=0123456789abcdef TraceID Trace: [client 10.0.0.8] client: timed
            upstream: out refused stdout F nova.api: user@db LOG: 200 500 GET Lambda é"""
        )
        + ["-", "\t", "\x1b[1m", ", client: "]
    ),
    max_size=6,
).flatmap(lambda parts: st.sampled_from([" ", ""]).map(lambda glue: glue.join(parts)))
TIMES = st.sampled_from(
    [
        "2026-03-01 12:00:00",
        "2026-03-01T12:00:00.123",
        "2026-13-01 00:00:00,1",
        "0000-01-01 00:00:00",
        "2026-03-01 12:00:60",
        "2026-03-01T12:00:00Z",
        "2026-03-01 12:00:00.1234567",
        "2026-03-01 12:00:00 UTC",
    ]
)
LEVELS = st.sampled_from(["INFO", "DEBUG", "TRACE", "INFORMATION", "WARN", "info", "INFO "])
TEXTS = st.one_of(
    st.builds("{} {} [{}] {} - {}".format, TIMES, LEVELS, PARTS, PARTS, PARTS),
    st.builds("{} {} [{}] c.e.App - {}".format, TIMES, LEVELS, PARTS, PARTS),
    st.builds("{}  {} 7 --- [{}] {} : {}".format, TIMES, LEVELS, PARTS, PARTS, PARTS),
    st.builds("{} {} 7 --- [main] c.e.App : {}".format, TIMES, LEVELS, PARTS),
    st.builds("{} - {} - {} - {}".format, TIMES, PARTS, LEVELS, PARTS),
    st.builds("{} - a.b - {} - {}".format, TIMES, LEVELS, PARTS),
    st.builds(
        '{} - {} [{}] "{}" {} {}{}'.format,
        st.sampled_from(["10.0.0.1", "010.0.0.1", "256.0.0.1", "::1"]),
        st.sampled_from(["-", "anna", "[x", "a b"]),
        st.sampled_from(["01/Mar/2026:12:00:00 +0000", "31/Feb/2026:12:00:00 -0700", "01/Foo/2026:12:00:00 +0000"]),
        PARTS,
        st.integers(100, 600),
        st.sampled_from(["-", "0", "12"]),
        PARTS,
    ),
    st.builds(
        "{}={} level={} msg={} {}={}".format,
        st.sampled_from(["time", "Time", "INIT_START", "npm", "a-1", "level"]),
        TIMES,
        LEVELS.map(str.lower),
        st.one_of(PARTS, PARTS.map('"{}"'.format)),
        st.sampled_from(sorted(app_keys.NESTED | set(app_keys.LEVEL + app_keys.LOGGER + app_keys.ERROR_TEXT))),
        PARTS,
    ),
)
KEYS = sorted({key for value in vars(app_keys).values() if isinstance(value, list | frozenset) for key in value})
VALUES = st.one_of(
    PARTS,
    st.sampled_from(["info", "INFO", "debug", "warn", "-", "", " a ", "200", "2026-03-01T12:00:00Z"]),
    st.sampled_from([None, True, False, 0, 1, 6, 20, 30, 200, 500, 1_772_366_400, 1_772_366_400.5, 2**70, 1.5]),
    st.sampled_from([[], {}, ["a"], {"message": "x", "level": "error"}, {"name": "ERROR"}]),
)
OBJECTS = st.builds(
    lambda front, middle, more, key, compact: json.dumps(
        front | {key: middle} | more, separators=(",", ":") if compact else None, ensure_ascii=compact
    ),
    st.fixed_dictionaries({"level": st.sampled_from(["info", "DEBUG", "trace", "warn"]), "message": VALUES}),
    VALUES,
    st.dictionaries(
        st.sampled_from([*KEYS, *map(str.title, KEYS), "type", "rcode", "v", "hostname", "x", "resourceLogs"]),
        VALUES,
        max_size=4,
    ),
    st.sampled_from(["Level", "MESSAGE", "@t", "logger", "ts", "err", "type", "y"]),
    st.booleans(),
)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(st.one_of(TEXTS, OBJECTS), min_size=1, max_size=16))
def test_hostile_lines(lines: list[str]) -> None:
    check(lines)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1, max_size=16))
def test_any_text(lines: list[str]) -> None:
    check([*lines, *PLAIN])
