"""Writes the demonstrated scenarios as incident bundles beside this file: `python -m tests.scenarios.build`.

Every scenario has applications, resources, addresses and log streams of its own, since all of them are played into one
account by `make demo`. The same seed writes the same bytes; a test holds the committed files equal to what this writes.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.incidents.actors import Actor, aws_service, iam_user, pipeline, sso_person
from benchmarks.incidents.aws_lines import cloudtrail, config_change, flow, flow_gap
from benchmarks.incidents.recorder import Recorder, stamp, write_bundle

SEED = 20260301
T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TRAIL, CONFIG, FLOWS = "/aws/cloudtrail/management", "/aws/config/changes", "/vpc/flow/main"
ONCALL = sso_person("oncall-2")
ADMIN = iam_user("network-admin")


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


class Scenario:
    """One bundle in the making. Times are minutes after T0."""

    def __init__(self, name: str, description: str) -> None:
        self.name, self.description = name, description
        self.draw = random.Random(f"{SEED} {name}")
        self.recorder = Recorder(self.draw)
        self.by_ip: list[dict[str, str]] = []
        self.by_resource: list[dict[str, str]] = []
        self.operator: list[dict[str, str]] = []
        self.truth: list[dict[str, Any]] = []

    def ip(self, address: str, application: str, endpoint_type: str = "Instance", **validity: str) -> None:
        self.by_ip.append({"ip": address, "application_id": application, "endpoint_type": endpoint_type, **validity})

    def resource(self, resource_id: str, application: str, resource_type: str) -> None:
        row = {"resource_id": resource_id, "application_id": application, "resource_type": resource_type}
        self.by_resource.append(row)

    def call(
        self, minute: float, service: str, name: str, parameters: Mapping[str, Any], actor: Actor = ONCALL,
        delay: float = 60.0, **more: Any,
    ) -> None:  # fmt: skip
        line = cloudtrail(self.draw, at(minute), service, name, actor, parameters, **more)
        self.recorder.add("cloudtrail", TRAIL, "123456789012_CloudTrail_eu-central-1", at(minute), line, delay)

    def config(self, minute: float, delay: float = 60.0, **item: Any) -> None:
        line = config_change(self.draw, at(minute), **item)
        self.recorder.add("aws_config", CONFIG, item["resource_type"].replace("::", "-"), at(minute), line, delay)

    def traffic(
        self, first: float, last: float, count: int, source: str, destination: str, port: int, interface: str,
        action: str = "REJECT", delay: float = 65.0,
    ) -> None:  # fmt: skip
        for second in spread(first, last, count):
            moment = T0 + timedelta(seconds=second)
            line = flow(self.draw, moment, source, destination, port, action, interface=interface)
            self.recorder.add("vpc_flow", FLOWS, f"{interface}-all", moment, line, delay)

    def app(self, application: str, stream: str, first: float, last: float, count: int, lines: Sequence[str]) -> None:
        """`lines` take turns; `{at}` and `{epoch}` in them become the instant."""
        for number, second in enumerate(spread(first, last, count)):
            moment = T0 + timedelta(seconds=second, milliseconds=self.draw.randint(0, 999))
            text = lines[number % len(lines)].replace("{at}", stamp(moment))
            self.recorder.add("application", f"/app/{application}/service", stream, moment, text, 1.5)

    def quiet_traffic(self, application: str, stream: str, first: float, last: float, count: int) -> None:
        """What a healthy service writes."""
        lines = (
            "{at} INFO  [http-nio-8080-exec-4] c.e.web.AccessLog : GET /products/1182 200 14ms",
            "{at} INFO  [http-nio-8080-exec-7] c.e.web.AccessLog : POST /cart 201 31ms",
            "{at} DEBUG [scheduler-1] c.e.jobs.PriceRefresh : refreshed 214 prices in 402ms",
        )
        self.app(application, stream, first, last, count, lines)

    def act(self, minute: float, action: str, application: str, layer: str, reason: str) -> None:
        row = {"at": stamp(at(minute)), "action": action, "application_id": application, "event_type": layer}
        self.operator.append(row | {"who": "oncall-2", "reason": reason})

    def expect(self, minute: float, application: str, **truth: Any) -> None:
        self.truth.append({"at": stamp(at(minute)), "application_id": application, **truth})

    def write(self, folder: Path) -> None:
        incident: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "lookup": {"by_ip": self.by_ip, "by_resource": self.by_resource},
        }
        if self.operator:
            incident["operator"] = self.operator
        write_bundle(folder / self.name, incident | {"truth": self.truth}, self.recorder)


def spread(first: float, last: float, count: int) -> list[float]:
    """`count` instants from minute `first` to minute `last`, both included, in seconds after T0."""
    if count == 1:
        return [first * 60]
    return [(first + (last - first) * number / (count - 1)) * 60 for number in range(count)]


def instances(*ids: str) -> dict[str, Any]:
    return {"instancesSet": {"items": [{"instanceId": one} for one in ids]}}


def rule(port: int, cidr: str) -> dict[str, Any]:
    """One ipPermissions entry as CloudTrail writes it."""
    return {
        "items": [
            {
                "ipProtocol": "tcp",
                "fromPort": port,
                "toPort": port,
                "groups": {},
                "ipRanges": {"items": [{"cidrIp": cidr}]},
                "ipv6Ranges": {},
                "prefixListIds": {},
            }
        ]
    }


REFUSED = (
    "{at} ERROR [pool-3-thread-2] c.e.upstream.Client : connect to %s failed: Connection refused",
    "{at} WARN  [pool-3-thread-5] c.e.upstream.Client : retry 2 of 3 for %s: Connection refused",
)
DATABASE = (
    "{at} ERROR [main] c.e.db.Pool : could not connect to server: Connection timed out. Is the server running on host "
    '"%s" and accepting TCP/IP connections on port 5432?',
    "{at} ERROR [main] c.e.db.Pool : org.postgresql.util.PSQLException: The connection attempt to %s failed.",
)


def refused(host: str) -> tuple[str, ...]:
    return tuple(line % host for line in REFUSED)


def database(host: str) -> tuple[str, ...]:
    return tuple(line % host for line in DATABASE)


def all_four_families() -> Scenario:
    one = Scenario(
        "all-four-families", "A closed security group is seen by CloudTrail, Config, flow log and application at once"
    )
    app, group, web, store = "tour-shop", "sg-0a104f52000000001", "10.20.1.10", "10.20.2.20"
    one.ip(web, app)
    one.ip(store, app, "RDS")
    one.resource(group, app, "AWS::EC2::SecurityGroup")
    one.quiet_traffic(app, "web-1", -20, -1, 12)
    one.traffic(-20, -2, 6, web, store, 5432, "eni-0a104f52000000002", action="ACCEPT")
    parameters = {"groupId": group, "ipPermissions": rule(5432, "10.20.1.0/24")}
    one.call(0, "ec2", "RevokeSecurityGroupIngress", parameters, ADMIN, response={"_return": True})
    one.config(
        1.5,
        resource_type="AWS::EC2::SecurityGroup",
        resource_id=group,
        name="tour-store",
        changed={
            "Configuration.IpPermissions.0": {
                "previousValue": {
                    "ipProtocol": "tcp",
                    "fromPort": 5432,
                    "toPort": 5432,
                    "ipv4Ranges": [{"cidrIp": "10.20.1.0/24"}],
                },
                "updatedValue": None,
                "changeType": "DELETE",
            }
        },
        configuration={"groupId": group, "ipPermissions": [], "vpcId": "vpc-0a104f52000000003"},
    )
    one.traffic(0.5, 6, 12, web, store, 5432, "eni-0a104f52000000002")
    one.app(app, "web-1", 0.7, 6, 10, database("tour-db.c1example.eu-central-1.rds.amazonaws.com"))
    one.expect(
        10,
        app,
        root_cause={"event_type": "network", "action": "RevokeSecurityGroupIngress", "resource_id": group},
        layers={
            "network": {"action": "RevokeSecurityGroupIngress", "resource_id": group},
            "application": {"deferred_from": "network"},
            "cloudsystem": "healthy",
        },
        counts=[
            {"event_type": "network", "action": "RevokeSecurityGroupIngress", "count": 1},
            {"event_type": "network", "action": "REJECT", "count": 12},
        ],
    )
    return one


def reboot_explains_the_outage() -> Scenario:
    one = Scenario(
        "reboot-explains-the-outage", "An instance is rebooted, and the application on it is away for a while"
    )
    app, instance = "reboot-shop", "i-0b202eb0000000001"
    one.ip("10.21.1.10", app)
    one.resource(instance, app, "AWS::EC2::Instance")
    one.quiet_traffic(app, "api-1", -15, -1, 10)
    one.call(0, "ec2", "RebootInstances", instances(instance), response={"_return": True})
    one.expect(
        2,
        app,
        layers={"cloudsystem": {"action": "RebootInstances", "resource_id": instance}},
        counts=[{"event_type": "cloudsystem", "action": "RebootInstances", "count": 1}],
    )
    one.app(app, "gateway-1", 0.6, 2.5, 8, refused("10.21.1.10:8080"))
    one.expect(
        4,
        app,
        root_cause={"event_type": "cloudsystem", "action": "RebootInstances", "resource_id": instance},
        layers={
            "cloudsystem": {"action": "RebootInstances", "resource_id": instance},
            "application": {"deferred_from": "cloudsystem"},
            "network": "healthy",
        },
    )
    return one


def group_closed_after_the_reboot() -> Scenario:
    one = Scenario(
        "group-closed-after-the-reboot",
        "While a reboot is not acknowledged, a security group change blocks access: each layer keeps its own cause",
    )
    app, instance, group = "closed-shop", "i-0c30c105000000001", "sg-0c30c105000000002"
    web, store = "10.22.1.10", "10.22.2.20"
    one.ip(web, app)
    one.ip(store, app, "RDS")
    one.resource(instance, app, "AWS::EC2::Instance")
    one.resource(group, app, "AWS::EC2::SecurityGroup")
    one.call(0, "ec2", "RebootInstances", instances(instance), response={"_return": True})
    one.app(app, "web-1", 0.6, 2, 6, refused("10.22.1.10:8080"))
    one.expect(
        5,
        app,
        root_cause={"event_type": "cloudsystem", "action": "RebootInstances"},
        layers={"network": "healthy", "cloudsystem": {"action": "RebootInstances"}},
    )
    parameters = {"groupId": group, "ipPermissions": rule(5432, "10.22.1.0/24")}
    one.call(30, "ec2", "RevokeSecurityGroupIngress", parameters, ADMIN, response={"_return": True})
    one.traffic(30.4, 38, 20, web, store, 5432, "eni-0c30c105000000003")
    one.app(app, "web-1", 30.6, 38, 12, database("closed-db.c1example.eu-central-1.rds.amazonaws.com"))
    closed = {"action": "RevokeSecurityGroupIngress", "resource_id": group}
    layers = {
        "network": closed,
        "cloudsystem": {"action": "RebootInstances", "resource_id": instance},
        "application": {"deferred_from": "network"},
    }
    one.expect(40, app, root_cause={"event_type": "network", **closed}, layers=layers)
    one.act(41, "acknowledge", app, "cloudsystem", "planned kernel update")
    one.expect(
        42,
        app,
        root_cause={"event_type": "network", **closed},
        layers=layers,
        counts=[{"event_type": "network", "action": "REJECT", "count": 20}],
    )
    return one


def network_defers_to_the_reboot() -> Scenario:
    one = Scenario(
        "network-defers-to-the-reboot",
        "Refused flows after a reboot: the network layer has no cause of its own and defers",
    )
    app, instance = "deferring-shop", "i-0d40defe000000001"
    front, back = "10.23.1.10", "10.23.2.20"
    one.ip(back, app)
    one.resource(instance, app, "AWS::EC2::Instance")
    one.traffic(-10, -1, 8, front, back, 8443, "eni-0d40defe000000002", action="ACCEPT")
    one.call(0, "ec2", "RebootInstances", instances(instance), response={"_return": True})
    one.traffic(0.5, 3, 9, front, back, 8443, "eni-0d40defe000000002")
    reboot = {"action": "RebootInstances", "resource_id": instance}
    one.expect(
        6,
        app,
        root_cause={"event_type": "cloudsystem", **reboot},
        layers={"network": {"deferred_from": "cloudsystem", **reboot}, "cloudsystem": reboot, "application": "healthy"},
        counts=[{"event_type": "network", "action": "REJECT", "count": 9}],
    )
    return one


def repeated_213_times() -> Scenario:
    one = Scenario(
        "repeated-213-times", "One cause repeats 213 times, some of it delivered twice and out of order: one item"
    )
    app, back = "repeat-shop", "10.24.2.20"
    one.ip(back, app)
    one.traffic(0, 40, 213, "10.24.1.10", back, 443, "eni-0e502e0e000000001")
    one.recorder.duplicate(0.2, later=400)
    one.expect(15, app, layers={"network": {"action": "REJECT"}}, root_cause="none")
    one.expect(
        60,
        app,
        root_cause="none",
        layers={"network": {"action": "REJECT"}, "application": "healthy", "cloudsystem": "healthy"},
        counts=[{"event_type": "network", "action": "REJECT", "count": 213}],
    )
    return one


def bots_at_the_periphery() -> Scenario:
    one = Scenario("bots-at-the-periphery", "The Internet's bots are refused all day: nobody is troubled by it")
    app, edge = "edge-shop", "10.25.1.10"
    one.ip(edge, app)
    for number in range(40):
        source = f"203.0.113.{one.draw.randint(1, 254)}" if number % 2 else f"198.51.100.{one.draw.randint(1, 254)}"
        port = one.draw.choice([22, 23, 445, 3389, 5900, 6379, 8080])
        minute = number * 1.5
        one.traffic(minute, minute, 1, source, edge, port, "eni-0f60ed7e000000001")
    one.quiet_traffic(app, "edge-1", 0, 60, 10)
    one.expect(
        65,
        app,
        root_cause="none",
        layers={"network": "healthy", "application": "healthy", "cloudsystem": "healthy"},
        counts=[{"event_type": "network", "action": "REJECT", "count": 0}],
    )
    return one


def reject_between_two_applications() -> Scenario:
    one = Scenario(
        "reject-between-two-applications", "A load balancer is refused by an instance: both applications know"
    )
    one.ip("10.11.11.10", "front-shop", "ELB")
    one.ip("10.1.1.10", "back-shop", "Instance")
    one.traffic(0, 5, 7, "10.11.11.10", "10.1.1.10", 8080, "eni-0a70bf48000000001")
    counts = [{"event_type": "network", "action": "REJECT", "count": 7}]
    for app in ("front-shop", "back-shop"):
        one.expect(8, app, root_cause="none", layers={"network": {"action": "REJECT"}}, counts=counts)
    return one


def address_changed_hands() -> Scenario:
    one = Scenario(
        "address-changed-hands",
        "An address moves from one application to another between two refused flows: each has its own, late or not",
    )
    address, before, after = "10.27.1.10", "leaving-shop", "arriving-shop"
    one.ip(address, before, valid_to=stamp(at(5)))
    one.ip(address, after, "ELB", valid_from=stamp(at(5)))
    interface = "eni-0a70bf48000000027"
    # The first ones arrive after the address has moved.
    one.traffic(1, 3, 3, "10.27.9.9", address, 8080, interface, delay=420)
    one.traffic(6, 9, 4, "10.27.9.9", address, 8080, interface)
    for app, count in ((before, 3), (after, 4)):
        counts = [{"event_type": "network", "action": "REJECT", "count": count}]
        one.expect(12, app, root_cause="none", layers={"network": {"action": "REJECT"}}, counts=counts)
    return one


def database_stopped_trail_late() -> Scenario:
    one = Scenario(
        "database-stopped-trail-late",
        "Connection errors arrive first; the call that stopped the database arrives minutes later and is named",
    )
    app, store = "orders-shop", "orders-shop-db"
    one.ip("10.26.1.10", app)
    one.resource(store, app, "AWS::RDS::DBInstance")
    one.quiet_traffic(app, "orders-1", -20, -1, 12)
    host = f"{store}.c1example.eu-central-1.rds.amazonaws.com"
    one.app(app, "orders-1", 1, 9, 24, database(host))
    one.expect(
        3, app, root_cause="none", layers={"application": {"event_type": "application"}, "cloudsystem": "healthy"}
    )
    one.call(
        0,
        "rds",
        "StopDBInstance",
        {"dBInstanceIdentifier": store},
        delay=290,
        response={"dBInstanceIdentifier": store, "dBInstanceStatus": "stopping"},
    )
    stopped = {"action": "StopDBInstance", "resource_id": store}
    one.expect(
        10,
        app,
        root_cause={"event_type": "cloudsystem", **stopped},
        layers={"cloudsystem": stopped, "application": {"deferred_from": "cloudsystem"}, "network": "healthy"},
    )
    return one


def acknowledged_resolved_and_again() -> Scenario:
    one = Scenario(
        "acknowledged-resolved-and-again",
        "A reboot is acknowledged, then resolved, and then it happens again: a new episode opens",
    )
    app, instance = "lifecycle-shop", "i-0b80c9fe000000001"
    one.resource(instance, app, "AWS::EC2::Instance")
    reboot = {"action": "RebootInstances", "resource_id": instance}
    one.call(0, "ec2", "RebootInstances", instances(instance), response={"_return": True})
    one.app(app, "api-1", 0.5, 2, 6, refused("10.27.1.10:8080"))
    one.expect(
        5, app, root_cause=reboot, layers={"cloudsystem": reboot, "application": {"deferred_from": "cloudsystem"}}
    )
    one.act(6, "acknowledge", app, "cloudsystem", "seen")
    one.expect(7, app, root_cause=reboot, layers={"cloudsystem": reboot})
    one.act(10, "resolve", app, "cloudsystem", "the service is back")
    one.expect(
        11,
        app,
        root_cause="none",
        layers={"cloudsystem": "healthy"},
        counts=[{"event_type": "cloudsystem", "action": "RebootInstances", "count": 1}],
    )
    one.call(30, "ec2", "RebootInstances", instances(instance), response={"_return": True})
    one.app(app, "api-1", 30.5, 32, 6, refused("10.27.1.10:8080"))
    one.expect(
        35,
        app,
        root_cause={"event_type": "cloudsystem", **reboot},
        layers={"cloudsystem": reboot, "application": {"deferred_from": "cloudsystem"}},
        counts=[{"event_type": "cloudsystem", "action": "RebootInstances", "count": 1}],
    )
    return one


def decay_reorders() -> Scenario:
    one = Scenario(
        "decay-reorders", "An older, stronger change is shown until it has decayed below a newer, weaker one"
    )
    app, first, second, third = "decay-shop", "i-0c90deca000000001", "i-0c90deca000000002", "i-0c90deca000000003"
    for instance in (first, second, third):
        one.resource(instance, app, "AWS::EC2::Instance")
    stopped = {"action": "StopInstances", "resource_id": first}
    one.call(0, "ec2", "StopInstances", instances(first))
    one.call(30, "ec2", "RebootInstances", instances(second), response={"_return": True})
    one.expect(35, app, root_cause="none", layers={"cloudsystem": stopped})
    one.call(600, "ec2", "RebootInstances", instances(third), response={"_return": True})
    one.expect(605, app, layers={"cloudsystem": {"action": "RebootInstances", "resource_id": third}})
    return one


def the_window_passes() -> Scenario:
    one = Scenario(
        "the-window-passes", "Errors and refusals end; hours later all is healthy again with no event arriving"
    )
    app, back = "quiet-shop", "10.28.2.20"
    one.ip(back, app)
    one.traffic(0, 4, 6, "10.28.1.10", back, 6379, "eni-0da0159e000000001")
    one.app(app, "cache-1", 0.5, 4, 5, refused("10.28.2.20:6379"))
    one.expect(
        8,
        app,
        root_cause="none",
        layers={"network": {"action": "REJECT"}, "application": {"event_type": "application"}},
    )
    one.expect(5 * 60, app, layers={"network": {"action": "REJECT"}})
    healthy = {"network": "healthy", "application": "healthy", "cloudsystem": "healthy"}
    one.expect(6 * 60 + 10, app, root_cause="none", layers=healthy)
    return one


def undone_by_itself() -> Scenario:
    one = Scenario("undone-by-a-start", "Stopped by mistake and started again: the recovery resolves the cause by rule")
    app, instance = "undone-shop", "i-0eb05edf000000001"
    one.resource(instance, app, "AWS::EC2::Instance")
    stopped = {"action": "StopInstances", "resource_id": instance}
    one.call(0, "ec2", "StopInstances", instances(instance))
    one.app(app, "api-1", 0.5, 5, 10, refused("10.29.1.10:8080"))
    one.expect(4, app, root_cause={"event_type": "cloudsystem", **stopped}, layers={"cloudsystem": stopped})
    one.call(5, "ec2", "StartInstances", instances(instance))
    one.expect(9, app, root_cause="none", layers={"cloudsystem": "healthy"})
    return one


def changes_that_caused_nothing() -> Scenario:
    one = Scenario(
        "changes-that-caused-nothing",
        "A failed call, a dry run, a read and another application's change, then the true cause",
    )
    app, group, instance = "honest-shop", "sg-0fc08fee000000001", "i-0fc08fee000000002"
    web, store = "10.30.1.10", "10.30.2.20"
    one.ip(web, app)
    one.ip(store, app, "RDS")
    one.resource(group, app, "AWS::EC2::SecurityGroup")
    one.resource(instance, app, "AWS::EC2::Instance")
    one.resource("i-0fc08fee000000003", "other-shop", "AWS::EC2::Instance")
    denied = ("Client.UnauthorizedOperation", "You are not authorized to perform this operation.")
    dry = ("Client.DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    one.call(0, "ec2", "TerminateInstances", instances(instance), error=denied)
    one.call(0.5, "ec2", "StopInstances", instances(instance), error=dry)
    one.call(1, "ec2", "DescribeSecurityGroups", {"securityGroupSet": {"items": [{"groupId": group}]}}, read_only=True)
    one.call(3.5, "ec2", "StopInstances", instances("i-0fc08fee000000003"))
    parameters = {"groupId": group, "ipPermissions": rule(5432, "10.30.1.0/24")}
    one.call(2, "ec2", "RevokeSecurityGroupIngress", parameters, pipeline(), response={"_return": True})
    one.traffic(2.4, 7, 14, web, store, 5432, "eni-0fc08fee000000004")
    closed = {"action": "RevokeSecurityGroupIngress", "resource_id": group}
    one.expect(
        10,
        app,
        root_cause={"event_type": "network", **closed},
        layers={"network": closed, "cloudsystem": "healthy"},
        counts=[{"event_type": "cloudsystem", "action": "StopInstances", "count": 0}],
    )
    one.expect(10, "other-shop", root_cause="none", layers={"network": "healthy", "application": "healthy"})
    return one


def bad_input_stops_nothing() -> Scenario:
    one = Scenario("bad-input-stops-nothing", "Records and lines that can't be read come between those of an outage")
    app, instance, back = "sturdy-shop", "i-0ad03452000000001", "10.31.2.20"
    one.ip(back, app)
    one.resource(instance, app, "AWS::EC2::Instance")
    recorder = one.recorder
    control = {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": int(T0.timestamp() * 1000), "message": "CWL CONTROL MESSAGE: Checking."}],
    }
    recorder.add_raw(at(0.1), gzip.compress(json.dumps(control).encode(), mtime=0))
    recorder.add_raw(at(0.2), b"this is no gzip")
    recorder.add_raw(at(0.3), gzip.compress(b"this is no JSON", mtime=0))
    recorder.add_raw(at(0.4), gzip.compress(b'{"messageType":"DATA_MESSAGE","logEvents":', mtime=0))
    recorder.add_raw(at(0.5), b"\x1f\x8b\x08\x00cut off")
    for message in (
        "",
        "2 123456789012 eni-1 not.an.ip 10.31.2.20 1 2 6 1 40 1772366400 1772366460 REJECT OK",
        "2 too short",
    ):
        recorder.add("vpc_flow", FLOWS, "eni-0ad03452000000002-all", at(1), message, 60)
    recorder.add(
        "vpc_flow",
        FLOWS,
        "eni-0ad03452000000002-all",
        at(1),
        flow_gap(at(1), "SKIPDATA", "eni-0ad03452000000002"),
        60,
    )
    recorder.add("cloudtrail", TRAIL, "sturdy", at(1), '{"eventVersion":"1.11","eventName":', 60)
    recorder.add("cloudtrail", TRAIL, "sturdy", at(1), "[]", 60)
    recorder.add("aws_config", CONFIG, "sturdy", at(1), '{"messageType":"SomethingElse"}', 60)
    one.call(0, "ec2", "RebootInstances", instances(instance), response={"_return": True})
    one.traffic(0.6, 4, 11, "10.31.1.10", back, 8443, "eni-0ad03452000000002")
    reboot = {"action": "RebootInstances", "resource_id": instance}
    one.expect(
        8,
        app,
        root_cause={"event_type": "cloudsystem", **reboot},
        layers={"cloudsystem": reboot},
        counts=[{"event_type": "network", "action": "REJECT", "count": 11}],
    )
    return one


def scaled_in_by_aws() -> Scenario:
    one = Scenario(
        "service-acts-then-a-person",
        "AWS terminates an instance of the group by itself; the person's change is what broke it",
    )
    app, group, role = "actor-shop", "actor-shop-asg", "actor-shop-role"
    instance = "i-0be0ac4f000000001"
    one.resource(group, app, "AWS::AutoScaling::AutoScalingGroup")
    one.resource(instance, app, "AWS::EC2::Instance")
    one.resource(role, app, "AWS::IAM::Role")
    one.call(0, "ec2", "TerminateInstances", instances(instance), aws_service("autoscaling"))
    detached = {"roleName": role, "policyArn": "arn:aws:iam::123456789012:policy/actor-shop-queue"}
    one.call(2, "iam", "DetachRolePolicy", detached, ADMIN)
    lines = (
        "{at} ERROR [worker-1] c.e.queue.Poller : User: arn:aws:sts::123456789012:assumed-role/actor-shop-role/"
        "i-0be0ac4f000000002 is not authorized to perform: sqs:ReceiveMessage (AccessDenied)",
    )
    one.app(app, "worker-1", 2.5, 8, 15, lines)
    change = {"action": "DetachRolePolicy", "resource_id": role}
    one.expect(
        10,
        app,
        root_cause={"event_type": "cloudsystem", **change},
        layers={"application": {"deferred_from": "cloudsystem"}},
    )
    return one


def accepted_then_refused() -> Scenario:
    one = Scenario(
        "accepted-then-refused",
        "One refused flow an hour after a change is no chance where an hourly job's traffic had been accepted",
    )
    app, other, rules = "flip-shop", "closed-shop-2", "acl-0cf0f11b000000001"
    web, store, stray = "10.32.1.10", "10.32.2.20", "10.32.1.30"
    one.ip(web, app)
    one.ip(store, app, "RDS")
    one.ip(stray, other)
    for owner in (app, other):
        one.resource(rules, owner, "AWS::EC2::NetworkAcl")
    for minute in (-180, -120, -60, -1):
        one.traffic(minute, minute + 0.5, 3, web, store, 5432, "eni-0cf0f11b000000002", action="ACCEPT")
    entry = {
        "networkAclId": rules,
        "ruleNumber": 90,
        "egress": False,
        "ruleAction": "deny",
        "cidrBlock": "10.32.1.0/24",
        "aclProtocol": "6",
        "portRange": {"from": 1, "to": 65535},
    }
    one.call(0, "ec2", "CreateNetworkAclEntry", entry, pipeline(), response={"_return": True})
    one.traffic(60, 60, 1, web, store, 5432, "eni-0cf0f11b000000002")
    one.traffic(60, 60, 1, stray, "10.32.9.9", 5432, "eni-0cf0f11b000000003")
    denied = {"action": "CreateNetworkAclEntry", "resource_id": rules}
    counts = [{"event_type": "network", "action": "REJECT", "count": 1}]
    one.expect(65, app, root_cause={"event_type": "network", **denied}, layers={"network": denied}, counts=counts)
    # The same refusal where nothing had been accepted may be chance.
    one.expect(65, other, root_cause="none", layers={"network": denied}, counts=counts)
    return one


def gone_silent() -> Scenario:
    one = Scenario(
        "gone-silent",
        "A route is deleted: nothing is refused, no error is logged, only the traffic to the database stays away",
    )
    app, table, other = "mute-shop", "rtb-0de51e47000000001", "closing-shop"
    web, store, edge = "10.33.1.10", "10.33.2.20", "10.33.3.30"
    one.ip(web, app)
    one.ip(store, app, "RDS")
    one.ip(edge, "mute-front", "ELB")
    one.ip("10.33.7.10", other)
    one.ip("10.33.7.20", other, "RDS")
    one.resource(table, app, "AWS::EC2::RouteTable")
    one.traffic(-150, -1, 150, web, store, 5432, "eni-0de51e47000000002", action="ACCEPT")
    one.traffic(-150, 58, 105, edge, web, 8080, "eni-0de51e47000000003", action="ACCEPT")
    # Of this one all records end: that is no silence.
    one.traffic(-150, -1, 150, "10.33.7.10", "10.33.7.20", 3306, "eni-0de51e47000000004", action="ACCEPT")
    route = {"routeTableId": table, "destinationCidrBlock": "10.33.2.0/24"}
    deleted = {"action": "DeleteRoute", "resource_id": table}
    one.call(0.2, "ec2", "DeleteRoute", route, ADMIN, response={"_return": True})
    one.expect(10, app, root_cause="none", layers={"network": deleted})
    one.expect(
        26,
        app,
        root_cause={"event_type": "network", **deleted},
        layers={"network": deleted, "application": "healthy", "cloudsystem": "healthy"},
    )
    one.expect(26, "mute-front", root_cause="none", layers={"network": "healthy"})
    one.call(
        30, "ec2", "CreateRoute", {**route, "natGatewayId": "nat-0de51e47000000005"}, ADMIN, response={"_return": True}
    )
    one.traffic(31, 58, 28, web, store, 5432, "eni-0de51e47000000002", action="ACCEPT")
    silences = [{"event_type": "network", "action": "SILENCE", "count": 0}]
    one.expect(60, app, root_cause="none", layers={"application": "healthy"}, counts=silences)
    one.expect(60, other, root_cause="none", layers={"network": "healthy"})
    return one


SCENARIOS: Sequence[Callable[[], Scenario]] = (
    all_four_families,
    reboot_explains_the_outage,
    group_closed_after_the_reboot,
    network_defers_to_the_reboot,
    repeated_213_times,
    bots_at_the_periphery,
    reject_between_two_applications,
    address_changed_hands,
    database_stopped_trail_late,
    acknowledged_resolved_and_again,
    decay_reorders,
    the_window_passes,
    undone_by_itself,
    changes_that_caused_nothing,
    bad_input_stops_nothing,
    scaled_in_by_aws,
    accepted_then_refused,
    gone_silent,
)


def build(folder: Path) -> None:
    """Writes every scenario below `folder`."""
    for scenario in SCENARIOS:
        scenario().write(folder)


if __name__ == "__main__":
    build(Path(__file__).parent)
