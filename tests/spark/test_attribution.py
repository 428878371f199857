"""Which application an event concerns: by address, resource and log group; shared, unknown, and nobody's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from probable_cause import pipeline, settings, wiring
from probable_cause.attribution import UNATTRIBUTED, attribute, of_network_interest
from probable_cause.lookup_cache import lookup_frame
from probable_cause.rules.model import RuleSet
from probable_cause.schemas import ATTRIBUTED, INTEREST, column_names
from probable_cause.state.lookups import Row
from tests.spark.rows import T0, at, frame, interest, reject

CIDRS = ["10.0.0.0/8"]
ROWS: list[tuple[Any, ...]] = [
    ("10.1.1.10", "app1", "Instance"),
    ("10.11.11.10", "app2", "ELB"),
    ("10.1.1.11", "app1", "RDS"),
    ("10.9.9.9", "app1", "Instance"),
    ("10.9.9.9", "app2", "Instance"),
    ("sg-1", "app1", "AWS::EC2::SecurityGroup"),
    ("sg-1", "app2", "AWS::EC2::SecurityGroup"),
    ("i-1", "app1", "AWS::EC2::Instance"),
    ("i-2", "app1", "AWS::EC2::Instance"),
    ("subnet-1", "app1", "AWS::EC2::Subnet"),
    ("/aws/lambda/pay", "app3", "AWS::Lambda::Function"),
    ("orders", "app3", "AWS::Lambda::Function"),
    ("10.1.1.50", "old", "Instance", None, T0),
    ("10.1.1.50", "new", "ELB", T0, None),
    ("i-50", "old", "AWS::EC2::Instance", at(-60), at(60)),
    ("i-60", "app4", "AWS::EC2::Instance"),
    ("vpc-60", "app5", "AWS::EC2::VPC"),
    ("arn:aws:iam::123456789012:role/pay/pay-task", "pay", "AWS::IAM::Role"),
    ("mail-task", "mail", "AWS::IAM::Role"),
    ("mail-task", "app1", "AWS::IAM::Role"),
    ("robot", "robots", "AWS::IAM::User"),
]
ITEM = {"family": "aws_config", "action": "UPDATE", "resource_ids": ["sg-60"], "rule_id": "item", "actor": None}
DENIED = {
    "family": "cloudtrail",
    "action": "GetObject",
    "outcome": "failure",
    "role": "symptom",
    "resource_ids": ["i-1"],
    "rule_id": "api-calls-denied",
}
APP_LINE = {"family": "application", "resource_ids": None, "event_type": "application", "role": "symptom"}

RELATED = json.dumps(
    [
        {"resourceId": "vpc-60", "resourceType": "AWS::EC2::VPC", "name": "Is contained in Vpc"},
        {"resourceId": "i-60", "resourceType": "AWS::EC2::Instance", "name": "Is associated with Instance"},
    ]
)


def called_by(name: str, path: str = "", kind: str = "role") -> str:
    """A record with the identity of a session of a role, or of a user."""
    who = {"arn": f"arn:aws:iam::123456789012:{kind}/{path}{name}", "userName": name}
    if kind == "role":
        session = {"arn": f"arn:aws:sts::123456789012:assumed-role/{name}/s-1"}
        who = {**session, "sessionContext": {"sessionIssuer": who}}
    return json.dumps({"userIdentity": who})


PORTS = {"source_port": 40_000, "destination_port": 5432, "protocol": 6}
BACK = {"source_port": 5432, "destination_port": 40_000, "protocol": 6}
# Ends and ports of a flow -> the edge that each application sees; None: none.
EDGES: list[tuple[str, dict[str, Any], dict[str, str | None]]] = [
    (
        "both see it",
        reject("e", "10.1.1.10", "10.11.11.10", **PORTS),
        dict.fromkeys(("app1", "app2"), "app1 -> app2:5432/tcp"),
    ),
    (
        "the answer is of the same edge",
        reject("e", "10.11.11.10", "10.1.1.10", **BACK),
        dict.fromkeys(("app1", "app2"), "app1 -> app2:5432/tcp"),
    ),
    ("within an application", reject("e", "10.1.1.10", "10.1.1.11", **PORTS), {"app1": "app1 -> app1:5432/tcp"}),
    (
        "by udp",
        reject("e", "10.1.1.10", "10.11.11.10", **PORTS | {"protocol": 17, "destination_port": 53}),
        dict.fromkeys(("app1", "app2"), "app1 -> app2:53/udp"),
    ),
    (
        "of the packet's own ends",
        reject("e", "10.5.5.5", "10.6.6.6", pkt_source_ip="10.1.1.10", pkt_destination_ip="10.11.11.10", **PORTS),
        dict.fromkeys(("app1", "app2"), "app1 -> app2:5432/tcp"),
    ),
    (
        "each of several owners its own",
        reject("e", "10.11.11.10", "10.9.9.9", **PORTS),
        {"app1": "app2 -> app1:5432/tcp", "app2": "app2 -> app2:5432/tcp"},
    ),
    ("an end that nobody has", reject("e", "10.1.1.10", "10.77.0.1", **PORTS), {"app1": None, UNATTRIBUTED: None}),
    (
        "two ports of clients",
        reject("e", "10.1.1.10", "10.11.11.10", **PORTS | {"destination_port": 50_000}),
        {"app1": None, "app2": None},
    ),
    (
        "no ports",
        reject("e", "10.1.1.10", "10.11.11.10", protocol=1, source_port=0, destination_port=0),
        {"app1": None, "app2": None},
    ),
    ("no flow", interest("e"), {"app1": None}),
]


def test_edges_of_flows(spark: SparkSession, lookup: Any) -> None:
    rows = [{**event, "event_id": name} for name, event, _ in EDGES]
    found: dict[str, dict[str, str | None]] = {name: {} for name, _, _ in EDGES}
    for row in attribute(frame(spark, INTEREST, rows), lookup, CIDRS).collect():
        found[row["event_id"]][row["application_id"]] = row["edge"]
    assert found == {name: wanted for name, _, wanted in EDGES}


# event -> {application: (endpoint_type, endpoint, peer, resource)}
CASES: list[tuple[str, dict[str, Any], dict[str, tuple[Any, ...]]]] = [
    (
        "a refused flow between two known ends concerns both",
        reject("e", "10.1.1.10", "10.11.11.10"),
        {"app1": ("Instance", "10.1.1.10", "10.11.11.10", None), "app2": ("ELB", "10.11.11.10", "10.1.1.10", None)},
    ),
    (
        "both ends in one application: one event, named by the end that was refused",
        reject("e", "10.1.1.10", "10.1.1.11"),
        {"app1": ("RDS", "10.1.1.11", "10.1.1.10", None)},
    ),
    (
        "an address that serves two applications",
        reject("e", "203.0.113.9", "10.9.9.9"),
        {
            "app1": ("Instance", "10.9.9.9", "203.0.113.9", None),
            "app2": ("Instance", "10.9.9.9", "203.0.113.9", None),
        },
    ),
    (
        "an end without an application is kept as unattributed, beside the other end's",
        reject("e", "10.1.1.10", "10.77.0.1"),
        {
            "app1": ("Instance", "10.1.1.10", "10.77.0.1", None),
            UNATTRIBUTED: ("address", "10.77.0.1", "10.1.1.10", None),
        },
    ),
    (
        "the packet's own address counts, not the interface's primary one",
        reject("e", "10.5.5.5", "10.6.6.6", pkt_source_ip="10.1.1.10", pkt_destination_ip="10.11.11.10"),
        {"app1": ("Instance", "10.1.1.10", "10.11.11.10", None), "app2": ("ELB", "10.11.11.10", "10.1.1.10", None)},
    ),
    ("a resource", interest("e"), {"app1": (None, None, None, "i-1")}),
    (
        "a shared resource concerns all",
        interest("e", resource_ids=["sg-1", "vpc-1"]),
        {"app1": (None, None, None, "sg-1"), "app2": (None, None, None, "sg-1")},
    ),
    (
        "named are the owned resources of the first one's kind",
        interest("e", resource_ids=["i-2", "i-1", "subnet-1", "i-3"]),
        {"app1": (None, None, None, "i-2, i-1")},
    ),
    ("nobody's resource", interest("e", resource_ids=["i-77"]), {UNATTRIBUTED: (None, None, None, "i-77")}),
    (
        "the log group names the application",
        interest("e", **APP_LINE, application_id="shop", log_group="/app/shop"),
        {"shop": (None, None, None, "")},
    ),
    (
        "the log group is looked up",
        interest("e", **APP_LINE, log_group="/aws/lambda/pay"),
        {"app3": (None, None, None, "")},
    ),
    (
        "the last part of the log group is looked up",
        interest("e", **APP_LINE, log_group="/aws/lambda/orders"),
        {"app3": (None, None, None, "")},
    ),
    (
        "an address that moved belongs to who had it then, however late the event comes",
        reject("e", "203.0.113.9", "10.1.1.50", event_time=at(-1), arrived_at=at(600)),
        {"old": ("Instance", "10.1.1.50", "203.0.113.9", None)},
    ),
    (
        "from the instant on, to the new one",
        reject("e", "203.0.113.9", "10.1.1.50", event_time=T0),
        {"new": ("ELB", "10.1.1.50", "203.0.113.9", None)},
    ),
    (
        "a resource while it was theirs",
        interest("e", resource_ids=["i-50"], event_time=at(59)),
        {"old": (None, None, None, "i-50")},
    ),
    (
        "a resource that was theirs no more",
        interest("e", resource_ids=["i-50"], event_time=at(60)),
        {UNATTRIBUTED: (None, None, None, "i-50")},
    ),
    (
        "a refused call is a symptom of the application whose role made it, not of the one it asked for",
        interest("e", **DENIED, message=called_by("pay-task", "pay/")),
        {"pay": (None, None, None, "")},
    ),
    (
        "a role by its name, shared; the resource is named to whose it is",
        interest("e", **DENIED, message=called_by("mail-task")),
        {"mail": (None, None, None, ""), "app1": (None, None, None, "i-1")},
    ),
    (
        "a user",
        interest("e", **DENIED, message="{}", record=called_by("robot", kind="user")),
        {"robots": (None, None, None, "")},
    ),
    (
        "a refused call by a role that nobody has",
        interest("e", **DENIED, message=called_by("admins")),
        {"app1": (None, None, None, "i-1")},
    ),
    (
        "a refused call by nobody's role, for nobody's resource",
        interest("e", **{**DENIED, "resource_ids": ["i-77"]}, message=called_by("admins")),
        {UNATTRIBUTED: (None, None, None, "i-77")},
    ),
    (
        "a call that succeeded concerns whose resource it is, whoever made it",
        interest("e", outcome="success", message=called_by("pay-task", "pay/")),
        {"app1": (None, None, None, "i-1")},
    ),
    (
        "a Config item's tag names the application",
        interest("e", **ITEM, fields={"tags": '{"Name":"web","app":" shop ","App":""}'}),
        {"shop": (None, None, None, "sg-60")},
    ),
    (
        "the tag's application, beside those of the table",
        interest("e", **{**ITEM, "resource_ids": ["sg-1"]}, fields={"tags": '{"app":"shop"}'}),
        {
            "app1": (None, None, None, "sg-1"),
            "app2": (None, None, None, "sg-1"),
            "shop": (None, None, None, "sg-1"),
        },
    ),
    (
        "what a Config item is related to, when nothing else is known; not the network that all share",
        interest("e", **ITEM, fields={"relationships": RELATED}),
        {"app4": (None, None, None, "sg-60")},
    ),
    (
        "a relation does not count beside a row of the item's own",
        interest("e", **{**ITEM, "resource_ids": ["i-1"]}, fields={"relationships": RELATED}),
        {"app1": (None, None, None, "i-1")},
    ),
    (
        "a relation to nothing known",
        interest("e", **ITEM, fields={"relationships": '[{"resourceId":"vpc-60","resourceType":"AWS::EC2::VPC"}]'}),
        {UNATTRIBUTED: (None, None, None, "sg-60")},
    ),
    (
        "relations and tags that can't be read",
        interest("e", **ITEM, fields={"relationships": "[[]]", "tags": "[1]"}),
        {UNATTRIBUTED: (None, None, None, "sg-60")},
    ),
]


@pytest.fixture
def lookup(spark: SparkSession) -> Any:
    return lookup_frame(spark, [Row(*row) for row in ROWS])


def test_cases(spark: SparkSession, lookup: Any) -> None:
    """All in one go: an event's case is its id."""
    rows = [{**event, "event_id": str(number)} for number, (_, event, _) in enumerate(CASES)]
    attributed = attribute(frame(spark, INTEREST, rows), lookup, CIDRS)
    assert set(attributed.columns) == set(column_names(ATTRIBUTED))
    found: dict[str, dict[str, tuple[Any, ...]]] = {}
    for row in attributed.collect():
        values = (row["endpoint_type"], row["endpoint"], row["peer"], row["resource"])
        found.setdefault(row["event_id"], {})[row["application_id"]] = values
    for number, (name, _, expected) in enumerate(CASES):
        assert found.get(str(number)) == expected, name


TAGGED = '{"team":"pay","owner":"mail","app":"shop"}'
TAG_CASES: list[tuple[list[str], str]] = [
    (["team"], "pay"),
    (["owner", "team"], "mail"),
    (["none", "app"], "shop"),
    (["o'wner"], UNATTRIBUTED),
    ([], UNATTRIBUTED),
]


@pytest.mark.parametrize(("tags", "application"), TAG_CASES)
def test_the_tags_of_the_settings_name_the_application(
    spark: SparkSession, lookup: Any, tags: list[str], application: str
) -> None:
    scope = wiring.scope_of(settings.load(overrides={"lookup": {"application_tags": tags}}), RuleSet(()))
    rows = frame(spark, INTEREST, [interest("e", **ITEM, fields={"tags": TAGGED})])
    assert [row["application_id"] for row in pipeline.described(rows, lookup, scope).collect()] == [application]


def test_an_unattributed_line_keeps_its_log_group(spark: SparkSession, lookup: Any) -> None:
    rows = [interest("e", **APP_LINE, log_group="/app/lost"), interest("f", **APP_LINE, log_group="/aws/lambda/pay")]
    found = attribute(frame(spark, INTEREST, rows), lookup, CIDRS).collect()
    assert {(row["application_id"], *row["owned_resource_ids"]) for row in found} == {
        (UNATTRIBUTED, "/app/lost"),
        ("app3",),
    }


def test_an_event_delivered_twice_in_a_batch_is_one(spark: SparkSession, lookup: Any) -> None:
    rows = frame(spark, INTEREST, [interest("same"), interest("same"), interest("other")])
    scope = wiring.scope_of(settings.load(), RuleSet(()))
    assert pipeline.described(rows, lookup, scope).count() == 2
    assert [row["count"] for row in pipeline.by_cause(rows, lookup, scope).collect()] == [2]


def test_events_without_a_resource_are_not_lost(spark: SparkSession, lookup: Any) -> None:
    rows = [interest("none", resource_ids=[]), interest("null", resource_ids=None)]
    found = attribute(frame(spark, INTEREST, rows), lookup, CIDRS).collect()
    assert {(row["event_id"], row["application_id"]) for row in found} == {
        ("none", UNATTRIBUTED),
        ("null", UNATTRIBUTED),
    }


def test_bots_are_counted_nowhere_by_default(spark: SparkSession) -> None:
    rows = [
        reject("bot", "198.51.100.7", "10.1.1.10"),
        reject("inside", "10.1.1.10", "10.11.11.10"),
        reject("outbound", "10.1.1.10", "198.51.100.7"),
        interest("call"),
        {"event_id": "unreadable", "family": "vpc_flow", "reject_reason": "missing_fields"},
    ]
    events = frame(spark, INTEREST, rows)
    kept = frame(spark, INTEREST, [row for row in rows if row["event_id"] != "bot"])
    found = of_network_interest(events, CIDRS, count_external=False)
    assert_df_equality(found, kept, transforms=[lambda rows: rows.orderBy("event_id")])
    assert of_network_interest(events, CIDRS, count_external=True).count() == 5
