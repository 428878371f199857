"""Account traffic for benchmarks: seeded, mixed by volume as accounts are, in the envelopes that CloudWatch Logs sends.

By lines about 70 % flow records, 20 % application, 9 % CloudTrail, 1 % Config. About 1 % of each is of interest, of
calls half of that.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from probable_cause.state.lookups import Row

START = 1_772_366_400  # 2026-03-01T12:00:00Z
LINES_OF_A_RECORD = {"flow": 500, "application": 100, "cloudtrail": 20, "config": 4}
SHARE = {"flow": 0.70, "application": 0.20, "cloudtrail": 0.09, "config": 0.01}
OF_INTEREST = 0.01
_READS = ("DescribeInstances", "GetObject", "AssumeRole", "ListBuckets", "Decrypt", "DescribeTags", "GetParameter")
_WRITES = ("RebootInstances", "RevokeSecurityGroupIngress", "ModifyDBInstance", "UpdateFunctionCode20150331v2")
# (resource type, property, value before, value after)
_EVERYDAY_ITEMS = (
    ("AWS::Config::ResourceCompliance", "Configuration.complianceType", "NON_COMPLIANT", "COMPLIANT"),
    ("AWS::SSM::ManagedInstanceInventory", "Configuration.AWS:InstanceInformation.Content.AgentVersion", "3.2", "3.3"),
    ("AWS::SSM::AssociationCompliance", "Configuration.Status", "PENDING", "SUCCESS"),
    ("AWS::EC2::Instance", "Tags.0", "patch-group=a", "patch-group=b"),
)


@dataclass(frozen=True)
class World:
    """The size of the account: applications, each with instances that have an address and an id."""

    applications: int = 500
    lookup_rows: int = 10_000

    def lookup(self) -> list[Row]:
        """Rows of the lookup tables."""
        half = self.lookup_rows // 2
        rows = [Row(self.address(i), f"app-{i % self.applications}", "Instance") for i in range(half)]
        return rows + [Row(self.instance(i), f"app-{i % self.applications}", "AWS::EC2::Instance") for i in range(half)]

    def address(self, number: int) -> str:
        return f"10.{number // 62_500 % 250}.{number // 250 % 250}.{number % 250 + 1}"

    def instance(self, number: int) -> str:
        return f"i-{number:017x}"


def records(events: int, seed: int, world: World, share: Mapping[str, float] = SHARE) -> Iterator[tuple[str, bytes]]:
    """(family, gzip'd payload) of about `events` lines in all, mixed by `share`, in a seeded order."""
    rng = random.Random(seed)
    makers: dict[str, Callable[[random.Random, World, float], str]] = {
        "flow": _flow,
        "application": _application,
        "cloudtrail": _cloudtrail,
        "config": _config,
    }
    plan = [kind for kind, part in share.items() for _ in range(max(1, round(events * part / LINES_OF_A_RECORD[kind])))]
    rng.shuffle(plan)
    groups = {"flow": "/vpc/flow", "cloudtrail": "/aws/cloudtrail", "config": "/aws/config"}
    for number, kind in enumerate(plan):
        at = START + number * 600 / len(plan)
        group = groups.get(kind) or f"/app/app-{rng.randrange(world.applications)}"
        lines = [makers[kind](rng, world, at) for _ in range(LINES_OF_A_RECORD[kind])]
        events = [
            {"id": f"{number:036d}{index:020d}", "timestamp": int(at * 1000) + index, "message": line}
            for index, line in enumerate(lines)
        ]
        yield kind, subscription_record(group, f"stream-{number % 50}", events)


def subscription_record(group: str, stream: str, events: list[dict[str, Any]]) -> bytes:
    """What a CloudWatch Logs subscription puts on the stream. Events are {id, timestamp (epoch ms), message}."""
    payload = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": ["probable-cause"],
        "logEvents": events,
    }
    return gzip.compress(json.dumps(payload, separators=(",", ":")).encode(), compresslevel=6, mtime=0)


def _flow(rng: random.Random, world: World, at: float) -> str:
    half = world.lookup_rows // 2
    refused = rng.random() < OF_INTEREST
    a, b = world.address(rng.randrange(half)), world.address(rng.randrange(half))
    if rng.random() < 0.3:
        a = f"{rng.randint(11, 223)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
    start = int(at) - rng.randrange(60)
    return (
        f"2 123456789012 eni-{rng.randrange(16**8):08x}{rng.randrange(16**9):09x} {a} {b} {rng.randrange(1024, 65536)} "
        f"{rng.choice((443, 80, 5432, 6379))} 6 {rng.randrange(1, 900)} {rng.randrange(40, 900_000)} "
        f"{start} {start + 60} {'REJECT' if refused else 'ACCEPT'} OK"
    )


def _application(rng: random.Random, world: World, at: float) -> str:
    if rng.random() < OF_INTEREST:
        return rng.choice(
            (
                "2026-03-01 12:00:00,123 ERROR [pool-1] c.e.Db - java.net.ConnectException: Connection refused "
                f"(10.0.0.{rng.randrange(250)}:5432)",
                '{"level":"error","logger":"http","message":"upstream request timed out after 30000 ms"}',
            )
        )
    user, millis = rng.randrange(10**6), rng.randrange(900)
    return rng.choice(
        (
            f"2026-03-01 12:00:00,123 INFO  [http-{millis % 40}] c.e.Orders - order {user} accepted in {millis} ms",
            f'{{"level":"info","logger":"api","message":"GET /orders/{user} 200","duration_ms":{millis}}}',
            f'time=2026-03-01T12:00:00Z level=info msg="cache hit" key=user:{user}',
            f'10.0.0.{millis % 250} - - [01/Mar/2026:12:00:00 +0000] "GET /orders/{user} HTTP/1.1" 200 {millis}',
        )
    )


def _cloudtrail(rng: random.Random, world: World, at: float) -> str:
    write = rng.random() < OF_INTEREST
    name = rng.choice(_WRITES if write else _READS)
    instance = world.instance(rng.randrange(world.lookup_rows // 2))
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:deploy",
            "arn": "arn:aws:sts::123456789012:assumed-role/deploy/session",
            "accountId": "123456789012",
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "deploy"}},
        },
        "eventTime": "2026-03-01T12:00:00Z",
        "eventSource": "ec2.amazonaws.com" if write else "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.17",
        "requestParameters": {"instancesSet": {"items": [{"instanceId": instance}]}},
        "responseElements": None,
        "requestID": f"{rng.getrandbits(64):016x}",
        "eventID": f"{rng.getrandbits(64):016x}",
        "readOnly": not write,
        "eventType": "AwsApiCall",
        "recipientAccountId": "123456789012",
    }
    return json.dumps(record, separators=(",", ":"))


def _config(rng: random.Random, world: World, at: float) -> str:
    """Of interest are instances that stop or start; most items of an account tell of compliance and inventory."""
    instance = world.instance(rng.randrange(world.lookup_rows // 2))
    if rng.random() < OF_INTEREST:
        kind, states = "AWS::EC2::Instance", rng.choice((("running", "stopped"), ("stopped", "running")))
        name, (before, after) = "Configuration.State.Name", states
    else:
        kind, name, before, after = rng.choice(_EVERYDAY_ITEMS)
    changed = {name: {"previousValue": before, "updatedValue": after, "changeType": "UPDATE"}}
    item = {
        "configurationItemDiff": {"changedProperties": changed, "changeType": "UPDATE"},
        "configurationItem": {
            "configurationItemCaptureTime": "2026-03-01T12:00:00.000Z",
            "resourceId": instance,
            "resourceType": kind,
            "awsRegion": "eu-west-1",
            "awsAccountId": "123456789012",
            "configurationItemStatus": "OK",
        },
        "messageType": "ConfigurationItemChangeNotification",
    }
    return json.dumps({"source": "aws.config", "detail-type": "Config Item Change", "detail": item})
