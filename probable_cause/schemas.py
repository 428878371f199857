"""The contracts between the stages, as Spark DDL. Nothing is imported here, so that every module may read them.

    sources   -> RECORD      a Kinesis record as it arrived
    envelope  -> LINE        one log line of it (inside the same Python hop as families)
    families  -> EVENT       the canonical event, or a row with reject_reason
    rules     -> INTEREST    an event that a rule matched, with the rule's columns
    attribution -> ATTRIBUTED  one row per (event of interest, application)
    fold      -> FOLDED      one row per (application, layer, cause): what the sink writes

Times are UTC timestamps with microseconds in Spark; in JSON they are ISO 8601 with milliseconds and `Z`.
"""

from __future__ import annotations

FAMILIES = ("cloudtrail", "aws_config", "vpc_flow", "application")
EVENT_TYPES = ("application", "network", "cloudsystem")
BASELINE = "baseline"  # the role of what is usual: remembered, and only its absence is of interest
ROLES = ("cause", "symptom", "recovery", BASELINE)
UNATTRIBUTED = "(unattributed)"  # the application of events that belong to none: kept and counted like any other
OTHERS = "(others)"  # the cause under which those of a flood are counted that get no item of their own; also its role
OTHERS_SUMMARY = "other causes, too many to list"
OUTCOMES = ("success", "failure", "accept", "reject", "nodata", "skipdata")
BUCKET = 300  # seconds of a span, by which what is usual is remembered: FOLDED's `buckets` are numbered from the epoch
SILENCE = "silence"  # the outcome of a symptom that no line shows: accepted traffic that stays away

RECORD = "shard_id string, sequence_number string, arrived_at timestamp, data binary"

# What a family's parser gives for one line (design contract of the `parse` command). Absent is null.
PARSED = """
    family string, event_time timestamp, account_id string, region string,
    action string, outcome string, error_code string, actor string,
    source_ip string, destination_ip string, source_port int, destination_port int, protocol int,
    interface_id string, bytes bigint, packets bigint, start bigint, end bigint,
    resource_ids array<string>, resource_type string, level string, logger string, message string,
    pkt_source_ip string, pkt_destination_ip string, event_source string,
    fields map<string,string>, record string
""".strip()

# Where the line came from. delivered_at is CloudWatch's own timestamp of the line, arrived_at Kinesis' of the record.
# skipped_lines is null for an event; a row that has it stands for so many lines of its family that the prefilter passed
# over, and for nothing else. original is the line as it came; null where `message` is all of it.
ORIGIN = """
    event_id string, owner string, log_group string, log_stream string, application_id string,
    delivered_at timestamp, arrived_at timestamp, position string, original string,
    reject_reason string, reject_detail string, skipped_lines bigint
""".strip()

EVENT = f"{ORIGIN}, {PARSED}"

# The columns that a matched rule adds.
RULE = """
    rule_id string, event_type string, role string, relevance double,
    half_life_seconds bigint, window_seconds bigint,
    cause_template string, summary_template string,
    explains array<string>, symptom string, resolves array<string>
""".strip()

INTEREST = f"{EVENT}, {RULE}"

# What attribution adds: the application's own end (endpoint, e.g. 10.1.1.10 of type Instance), the other end (peer),
# the edge of the service graph where both ends are known (`app1 -> app2:5432/tcp`), and those of the event's resources
# that the application owns, `resource` being how they are named in one string.
OWNERSHIP = """
    endpoint string, endpoint_type string, peer string, edge string,
    resource string, owned_resource_ids array<string>
""".strip()

ATTRIBUTED = f"{INTEREST}, {OWNERSHIP}"

# `edges` and, of rows of role BASELINE only, `buckets`: the spans of 300 s in which the events lie, numbered from the
# epoch; such rows list no occurrences.
FOLDED = """
    application_id string, event_type string, cause_id string, role string, rule_id string, family string,
    relevance double, half_life_seconds bigint, window_seconds bigint,
    first_seen timestamp, last_seen timestamp, count bigint,
    summary string, message string, original string, action string, outcome string, error_code string,
    actor string, actor_type string, resource_ids array<string>, addresses array<string>,
    explains array<string>, symptom string, resolves array<string>,
    occurrences array<struct<at: bigint, id: bigint, also: bigint, other: bigint>>,
    sample_event_ids array<string>,
    edges array<string>, buckets array<bigint>,
    delivered_at timestamp, arrived_at timestamp
""".strip()


def column_names(ddl: str) -> list[str]:
    """Names of the top-level columns of a DDL string above, in order."""
    depth, names, word = 0, [], ""
    for char in ddl + ",":
        if char in "<(":
            depth += 1
        elif char in ">)":
            depth -= 1
        if char == "," and depth == 0:
            names.append(word.split()[0])
            word = ""
        else:
            word += char
    return names
