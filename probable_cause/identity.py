"""What makes an event the same event, whichever way it came.

On the stream an event is one CloudWatch Logs event: its id counts, and a redelivery has the same. A file has no such
id. There an event is known by what it says itself, its *natural key*:

    cloudtrail    eventID
    aws_config    resource, capture time, state id
    vpc_flow      interface, ends, ports, protocol, window, action, packets, bytes
    application   log stream, timestamp, message: what an export of CloudWatch Logs keeps of a line

A row from a file has the event id `file:<natural key>`. Items of cloudtrail and aws_config remember both ways (the
occurrences of schemas.FOLDED), so an event of these that comes by both counts once. The other two families repeat too
much for that: the archive, whose rows have the natural key, tells which of their events were seen.
"""

from __future__ import annotations

FILE = "file:"

_FLOW = (
    "interface_id, source_ip, destination_ip, source_port, destination_port, protocol, start, end, action, packets, "
    "bytes"
)
_BY_FAMILY = {
    "cloudtrail": "try_element_at(fields, 'event_id')",
    "aws_config": (
        "nullif(concat_ws('|', try_element_at(fields, 'resource_id'), try_element_at(fields, 'capture_time'), "
        "try_element_at(fields, 'state_id')), '')"
    ),
    "vpc_flow": f"concat_ws('|', {_FLOW})",
    "application": "concat_ws('|', log_stream, unix_millis(delivered_at), message)",
}
_NAMED = "('cloudtrail', 'aws_config')"


def natural_key() -> str:
    """SQL of the natural key of an event (schemas.EVENT): 32 hexadecimal digits, but an eventID as it is; null where
    the event has none."""
    short = " ".join(
        f"when '{family}' then {key if family == 'cloudtrail' else f'md5({key})'}" for family, key in _BY_FAMILY.items()
    )
    return f"case family {short} end"


def file_id() -> str:
    """SQL of the event id of a row that was read from a file."""
    return f"concat('{FILE}', coalesce({natural_key()}, md5(coalesce(record, message))))"


def also() -> str:
    """SQL of the hash by which an event of the stream is remembered for its coming from a file too; else null."""
    return f"if({_from_stream()}, xxhash64('stream', {natural_key()}), cast(null as bigint))"


def other() -> str:
    """SQL of the hash by which the same event is known when it came the other way; else null."""
    by_file = f"xxhash64(concat('{FILE}', {natural_key()}))"
    by_stream = f"xxhash64('stream', {natural_key()})"
    return (
        f"case when {_from_stream()} then {by_file} when family in {_NAMED} and {natural_key()} is not null "
        f"then {by_stream} end"
    )


def _from_stream() -> str:
    return f"family in {_NAMED} and {natural_key()} is not null and not startswith(event_id, '{FILE}')"
