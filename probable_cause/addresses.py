"""IP addresses in Spark SQL: comparing them with CIDR ranges without a UDF, for IPv4 and IPv6.

Spark SQL has no address type. An address is written as fixed-width hexadecimal text (8 digits for IPv4, 32 for IPv6),
in which a CIDR range is an interval of texts. The functions give SQL text, not Columns: a text is one call into the
JVM however long it is, and every micro batch is planned anew.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence


def as_hex(address: str) -> str:
    """SQL of the fixed-width hexadecimal text of the SQL expression `address`, an IP address; null when it is null."""
    octets = ", ".join(
        f"lpad(lower(hex(try_cast(get(split({address}, '[.]'), {i}) as int))), 2, '0')" for i in range(4)
    )
    # `::` stands for as many zero groups as are missing (RFC 4291, section 2.2).
    halves = f"split(lower({address}), '::')"
    left = f"filter(split(get({halves}, 0), ':'), g -> g != '')"
    right = f"filter(split(coalesce(get({halves}, 1), ''), ':'), g -> g != '')"
    zeros = f"array_repeat('0', greatest(0, 8 - size({left}) - size({right})))"
    groups = f"transform(concat({left}, {zeros}, {right}), g -> lpad(g, 4, '0'))"
    return f"if(contains({address}, ':'), array_join({groups}, ''), concat({octets}))"


def in_any(address: str, cidrs: Sequence[str]) -> str:
    """SQL of: the SQL expression `address` lies in one of the ranges. False when in none, or when it is no address.

    Args:
        cidrs: ranges such as 10.0.0.0/8 or fd00::/8, with host bits 0.
    """
    within = []
    for cidr in cidrs:
        network = ipaddress.ip_network(cidr)
        width = 8 if network.version == 4 else 32
        first = format(int(network.network_address), f"0{width}x")
        last = format(int(network.broadcast_address), f"0{width}x")
        within.append(f"(length(h) = {width} and h between '{first}' and '{last}')")
    return f"coalesce(exists(array({as_hex(address)}), h -> {' or '.join(within) or 'false'}), false)"
