"""The formats of VPC and transit gateway flow logs: which field stands where. Pure data, from AWS' field lists.

A format is what `describe_flow_logs` gives as LogFormat, `${version} ${account-id} ...`, or the same names without
`${}`, separated by blanks (as in a header line), commas or tabs. Without a format it is the default one of version 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from probable_cause.errors import RejectedLineError

DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
# Versions 3 to 5, the transit gateway's (6), ECS' (7), 8 and later. A name that is not here is read as text.
_LATER = """vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type
sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path resource-type tgw-id
tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id
tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id packets-lost-no-route
packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired ecs-cluster-arn ecs-cluster-name
ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name
ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason resource-id encryption-status"""
KNOWN = frozenset([*DEFAULT.split(), *_LATER.split()])

# Field -> (column of schemas.PARSED, kind of value, largest value). All other fields are text of `fields`.
_BIGINT = 2**63 - 1
COLUMNS: dict[str, tuple[str, str, int]] = {
    "account-id": ("account_id", "text", 0),
    "interface-id": ("interface_id", "text", 0),
    "region": ("region", "text", 0),
    "srcaddr": ("source_ip", "address", 0),
    "dstaddr": ("destination_ip", "address", 0),
    "pkt-srcaddr": ("pkt_source_ip", "address", 0),
    "pkt-dstaddr": ("pkt_destination_ip", "address", 0),
    "srcport": ("source_port", "number", 65_535),
    "dstport": ("destination_port", "number", 65_535),
    "protocol": ("protocol", "number", 255),
    "packets": ("packets", "number", _BIGINT),
    "bytes": ("bytes", "number", _BIGINT),
    "start": ("start", "time", _BIGINT),
    "end": ("end", "time", _BIGINT),
    "action": ("action", "action", 0),
    "log-status": ("log_status", "status", 0),  # also an entry of `fields`
}
ACTIONS = frozenset({"ACCEPT", "REJECT"})
STATUSES = frozenset({"OK", "NODATA", "SKIPDATA"})

# Names that other tools give the fields (Athena's table, Security Lake's parsers, camel case), written without
# separators and in lower case.
_ALIASES = {
    "account": "account-id", "sourceaddress": "srcaddr", "destinationaddress": "dstaddr", "sourceip": "srcaddr",
    "destinationip": "dstaddr", "destaddr": "dstaddr", "sourceport": "srcport", "destinationport": "dstport",
    "destport": "dstport", "numpackets": "packets", "numbytes": "bytes", "starttime": "start", "endtime": "end",
    "status": "log-status", "packetsrcaddr": "pkt-srcaddr", "packetdstaddr": "pkt-dstaddr",
}  # fmt: skip
_BY_WORD = {field.replace("-", ""): field for field in KNOWN} | _ALIASES
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class FlowFormat:
    """Fields in the order of the line, and what stands between them (None: blanks or tabs, any number)."""

    fields: tuple[str, ...]
    delimiter: str | None = None


def field_name(word: str) -> str:
    """AWS' name of a field, from any of its spellings: `srcAddr`, `account_id`, `${log-status}`."""
    word = word.strip().removeprefix("${").removesuffix("}")
    return _BY_WORD.get(word.lower().replace("-", "").replace("_", ""), word.lower().replace("_", "-"))


@lru_cache(maxsize=256)
def read_format(form: str | None) -> FlowFormat:
    """The format of a format string; the default one for None and blank text.

    Raises:
        RejectedLineError: bad_format, when a part of it can't be a field's name.
    """
    if form is None or not form.strip():
        return FlowFormat(tuple(DEFAULT.split()))
    delimiter = next((mark for mark in (",", ";", "|") if mark in form), None)
    words = form.replace("}${", "} ${").split(delimiter)
    fields = tuple(field_name(word) for word in words)
    bad = [field for field in fields if not _NAME.fullmatch(field)]
    if bad:
        raise RejectedLineError("bad_format", f"{bad[0]!r:.60} is no field name; write ${{srcaddr}} ${{dstaddr}} ...")
    return FlowFormat(fields, delimiter)


def is_header(tokens: list[str]) -> bool:
    """Whether the tokens are field names: the first line of a flow log file."""
    return all(_BY_WORD.get(token.lower().replace("-", "").replace("_", "")) for token in tokens)
