"""IP addresses as Columns: comparing them with CIDR ranges without a UDF, for IPv4 and IPv6.

Spark SQL has no address type. An address is written as fixed-width hexadecimal text (8 digits for IPv4, 32 for IPv6),
in which a CIDR range is an interval of texts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F


def as_hex(address: Column) -> Column:
    """Fixed-width hexadecimal text of an IPv4 or IPv6 address in normal form; null when it is null."""
    return F.when(address.contains(":"), _ipv6_hex(address)).otherwise(_ipv4_hex(address))


def in_any(address: Column, cidrs: Sequence[str]) -> Column:
    """True when the address lies in one of the ranges; false when in none, or when it is null.

    Args:
        cidrs: ranges such as 10.0.0.0/8 or fd00::/8, with host bits 0.
    """
    digits = as_hex(address)
    condition = F.lit(False)
    for cidr in cidrs:
        network = ipaddress.ip_network(cidr)
        width = 8 if network.version == 4 else 32
        first = format(int(network.network_address), f"0{width}x")
        last = format(int(network.broadcast_address), f"0{width}x")
        condition = condition | ((F.length(digits) == width) & digits.between(first, last))
    return F.coalesce(condition, F.lit(False))


def _ipv4_hex(address: Column) -> Column:
    octets = F.split(address, r"\.")
    return F.concat(*(F.lpad(F.lower(F.hex(F.get(octets, i).try_cast("int"))), 2, "0") for i in range(4)))


def _ipv6_hex(address: Column) -> Column:
    """`::` stands for as many zero groups as are missing (RFC 4291, section 2.2)."""
    halves = F.split(F.lower(address), "::")
    left = F.filter(F.split(F.get(halves, 0), ":"), lambda group: group != "")
    right = F.filter(F.split(F.coalesce(F.get(halves, 1), F.lit("")), ":"), lambda group: group != "")
    missing = F.greatest(F.lit(0), F.lit(8) - F.size(left) - F.size(right))
    groups = F.concat(left, F.array_repeat(F.lit("0"), missing), right)
    return F.array_join(F.transform(groups, lambda group: F.lpad(group, 4, "0")), "")
