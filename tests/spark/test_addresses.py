"""CIDR ranges as Columns, held against Python's ipaddress module."""

from __future__ import annotations

import ipaddress
import random

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from probable_cause.addresses import as_hex, in_any

CIDRS = ["10.0.0.0/8", "192.168.4.0/22", "203.0.113.7/32", "fd00::/8", "2001:db8:0:1::/64", "0.0.0.0/30"]


def addresses(rng: random.Random) -> list[str]:
    random_v4 = [str(ipaddress.IPv4Address(rng.getrandbits(32))) for _ in range(200)]
    random_v6 = [str(ipaddress.IPv6Address(rng.getrandbits(128))) for _ in range(200)]
    edges = []
    for cidr in CIDRS:
        network = ipaddress.ip_network(cidr)
        first, last = int(network.network_address), int(network.broadcast_address)
        kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        edges += [str(kind(n)) for n in (first - 1, first, last, last + 1) if 0 <= n < 2**network.max_prefixlen]
    return [*random_v4, *random_v6, *edges, "::", "::1", "1::", "fd00::1:0:0:1"]


def test_agrees_with_ipaddress(spark: SparkSession) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    texts = addresses(random.Random(seed))
    rows = spark.createDataFrame([(one,) for one in texts], "ip string").select(
        "ip", F.expr(in_any("ip", CIDRS)).alias("inside"), F.expr(as_hex("ip")).alias("digits")
    )
    for row in rows.collect():
        address = ipaddress.ip_address(row["ip"])
        expected = any(address in ipaddress.ip_network(cidr) for cidr in CIDRS)
        assert row["inside"] == expected, row["ip"]
        assert row["digits"] == format(int(address), "08x" if address.version == 4 else "032x")


@pytest.mark.parametrize("text", [None, "", "-", "host", "10.1", "a.b.c.d", "10.1.1.1.1:80"])
def test_what_is_no_address_lies_nowhere(spark: SparkSession, text: str | None) -> None:
    row = spark.createDataFrame([(text,)], "ip string").select(F.expr(in_any("ip", CIDRS)).alias("inside")).first()
    assert row is not None
    assert row["inside"] is False
