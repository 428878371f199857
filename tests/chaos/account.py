"""The emulators under the harness, the proxy before them, and what a job needs on them: stream, tables, lookup rows."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from probable_cause.clock import wall_clock
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb, lookups, tables
from probable_cause.state.tables import Tables
from tests.aws.kinesis_emulators import REGION, Emulator, dynalite, kinesis_local
from tests.chaos.proxy import Faults, proxy
from tests.chaos.workload import World

KINESIS = ("kinesis-local", "moto")
DYNAMODB = ("dynalite", "moto")
_GROUPS = [
    {"pattern": "^/vpc/flow$", "family": "vpc_flow"},
    {"pattern": "^/app/(?P<application_id>[^/]+)", "family": "application"},
    {"pattern": "^/aws/cloudtrail$", "family": "cloudtrail"},
]


RULES = Path(__file__).parents[2] / "conf" / "rules"
_RULES = ("vpc_flow/reject.yml", "application/by_category.yml", "cloudtrail/ec2_instances.yml")


@dataclass
class Cloud:
    """Two emulators, and the URL at which the job sees them through the proxy."""

    kinesis: Emulator
    dynamodb_url: str
    url: str
    faults: Faults
    folder: Path
    _names: Iterator[int] = field(default_factory=itertools.count)

    def account(self, world: World, stream: str | None = None, shards: int = 2, **over: Any) -> Account:
        """A stream of its own (or `stream`), tables and a configuration.

        Args:
            over: `prefix` of tables that exist; `reading`: settings below `stream`; `identity` and `lookup` as there.
        """
        name = f"chaos{next(self._names)}"
        client = self.kinesis.client()
        if stream is None:
            client = self.kinesis.stream(name, shards)
        content: dict[str, Any] = {
            "aws": {"endpoint_url": self.url, "region": REGION},
            "stream": {"name": stream or name, "lag": "200ms", "trigger": "200ms", **over.get("reading", {})},
            "checkpoint": str(self.folder / name / "checkpoint"),
            "rejects": {"path": str(self.folder / name / "rejected")},
            "tables": {"prefix": f"{over.get('prefix', name)}."},
            "verdict": {"sweep": "2s"},
            "health": {"file": str(self.folder / name / "health.json"), "port": 0},
            "metrics": {"emf": True},
            "log_groups": _GROUPS,
            "network": {"accepted_cidrs": ["10.0.0.0/8"]},
            "rules": {"paths": [str(RULES / one) for one in _RULES]},  # all of them cost seconds of every start
        }
        content |= {key: value for key, value in over.items() if key in ("identity", "lookup")}
        conf = self.folder / f"{name}.yml"
        conf.write_text(yaml.safe_dump(content), encoding="utf-8")
        prefix = content["tables"]["prefix"]
        if "prefix" not in over:
            make_tables(self.dynamodb_url, prefix)
        direct = dynamodb.connect(REGION, self.dynamodb_url, prefix)
        if "prefix" not in over:
            lookups.put(direct, *world.lookup(), wall_clock())
        through = dynamodb.connect(REGION, self.url, prefix)
        return Account(name, stream or name, conf, direct, through, client, self.folder / name)


@dataclass
class Account:
    """`tables` go straight to the emulator; `shaky` through the proxy, as operators meet them."""

    name: str
    stream: str
    conf: Path
    tables: Tables
    shaky: Tables
    client: Any
    folder: Path
    put: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def log(self) -> Path:
        return self.conf.with_suffix(".log")

    def put_records(self, records: list[bytes]) -> None:
        """In order as far as the shards allow; keys spread them."""
        with self._lock:
            for start in range(0, len(records), 50):
                part = records[start : start + 50]
                entries = [{"Data": one, "PartitionKey": str(self.put + n)} for n, one in enumerate(part)]
                self.put += len(part)
                while entries:
                    answer = self.client.put_records(StreamName=self.stream, Records=entries)
                    failed = [e for e, a in zip(entries, answer["Records"], strict=True) if a.get("ErrorCode")]
                    entries = failed

    def reshard(self, dice: random.Random) -> None:
        """A split, and a merge where there are neighbours to merge."""
        shards = self.client.list_shards(StreamName=self.stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
        shards.sort(key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
        one = dice.choice(shards)
        low, high = (int(one["HashKeyRange"][key]) for key in ("StartingHashKey", "EndingHashKey"))
        middle = str((low + high) // 2 + 1)
        self.client.split_shard(StreamName=self.stream, ShardToSplit=one["ShardId"], NewStartingHashKey=middle)
        rest = [shard for shard in shards if shard is not one]
        for left, right in itertools.pairwise(rest):
            if int(left["HashKeyRange"]["EndingHashKey"]) + 1 == int(right["HashKeyRange"]["StartingHashKey"]):
                self._active()
                self.client.merge_shards(
                    StreamName=self.stream, ShardToMerge=left["ShardId"], AdjacentShardToMerge=right["ShardId"]
                )
                break
        self._active()

    def _active(self) -> None:
        while (
            self.client.describe_stream_summary(StreamName=self.stream)["StreamDescriptionSummary"]["StreamStatus"]
            != "ACTIVE"
        ):
            threading.Event().wait(0.05)


def make_tables(url: str, prefix: str) -> None:
    """The tables with their keys: an emulator may lack what else CreateTable can ask for."""
    client = dynamodb.client("dynamodb", REGION, url)
    for definition in tables.ALL:
        request = tables.create_request(definition, prefix)
        wanted = ("TableName", "AttributeDefinitions", "KeySchema", "BillingMode")
        client.create_table(**{name: request[name] for name in wanted})
        client.get_waiter("table_exists").wait(TableName=request["TableName"], WaiterConfig={"Delay": 1})


@contextmanager
def cloud(kinesis: str, dynamodb_name: str, folder: Path, faults: Faults) -> Iterator[Cloud]:
    """Starts the emulators named, and the proxy."""
    with ExitStack() as stack:
        moto = None
        if "moto" in (kinesis, dynamodb_name):
            url = stack.enter_context(embedded_aws(free_port(), folder / "moto.log"))
            moto = Emulator("moto", url)
        streams = moto if kinesis == "moto" else stack.enter_context(kinesis_local(folder))
        assert streams is not None
        if dynamodb_name == "moto":
            assert moto is not None
            tables_url = moto.url
        else:
            tables_url = stack.enter_context(dynalite(folder))
        front = stack.enter_context(proxy(streams.url, tables_url, faults))
        yield Cloud(streams, tables_url, front, faults, folder)
