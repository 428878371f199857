"""CloudTrail records read together are those read alone, field by field: whatever way a line goes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.workload import World, records
from probable_cause.envelope import open_record
from probable_cause.families import cloudtrail_columns
from probable_cause.families.cloudtrail import NOTES, OBJECTS
from tests.fuzz.both_ways import alone, together
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import seeds

KNOWN = [line for _, _, line in seeds("cloudtrail")]  # fixtures, and the shared logs where they are there
WORKLOAD = [
    line
    for _, data in records(400, 1, World(), {"cloudtrail": 1.0})
    for payload in open_record(data, 2**20)
    for line in payload.messages
]


def check(lines: list[str]) -> None:
    for line, found in zip(lines, together("cloudtrail", lines), strict=True):
        assert found == alone("cloudtrail", line), line


def plain(lines: list[str]) -> int:
    """How many of the lines go the quick way."""
    return len(lines) - len(cloudtrail_columns.parse_plain(lines)[1])


RECORD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:anna",
        "arn": "arn:aws:sts::123456789012:assumed-role/admin/anna@example.com",
        "accountId": "123456789012",
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"attributes": {"mfaAuthenticated": "true", "creationDate": "2026-03-01T11:00:00Z"}},
    },
    "eventTime": "2026-03-01T12:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RevokeSecurityGroupIngress",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2.17",
    "requestParameters": {"groupId": "sg-0abc1234def567890", "vpcId": "vpc-0abc1234"},
    "responseElements": {"_return": True},
    "requestID": "59bb2b8a",
    "eventID": "9b7ffd28",
    "readOnly": False,
    "resources": [{"ARN": "arn:aws:s3:::orders", "type": "AWS::S3::Bucket"}],
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "123456789012",
    "eventCategory": "Management",
    "tlsDetails": {"tlsVersion": "TLSv1.3"},
    "sessionCredentialFromConsole": "true",
}


def test_lines_that_the_project_knows() -> None:
    check(KNOWN)
    check(WORKLOAD)
    bare = sum(line.startswith("{") and '"eventName"' in line for line in KNOWN)
    assert plain(KNOWN) > bare / 2


def test_mutated_lines() -> None:
    rng = random.Random(5)
    pool = KNOWN + WORKLOAD + [json.dumps(RECORD)] * 100
    check([mutate(rng.choice(pool), rng.choice(pool), rng) for _ in range(6000)])


def test_the_default_records_go_the_quick_way() -> None:
    usual = [*WORKLOAD, json.dumps(RECORD)]
    assert plain(usual) == len(usual)


# What looks plain but for one thing: each is laid over RECORD.
TRAPS: tuple[dict[str, Any], ...] = (
    {"eventTime": "2026-03-01 12:00:00 PST"},
    {"eventTime": 1_772_366_400},
    {"eventTime": "1772366400"},
    {"eventTime": None, "time": "2026-03-01T12:00:00Z"},
    {"recipientAccountId": None},
    {"recipientAccountId": 123456789012},
    {"recipientAccountId": None, "userIdentity": {}, "account": "210987654321"},
    {"awsRegion": "", "region": "eu-west-1"},
    {"sourceIPAddress": "cloudformation.amazonaws.com"},
    {"sourceIPAddress": "2001:db8::7"},
    {"sourceIPAddress": None},
    {"userAgent": None},
    {"userAgent": "True"},
    {"userAgent": {"name": "terraform"}},
    {"readOnly": "True"},
    {"readOnly": "False", "managementEvent": 1},
    {"requestID": "", "eventID": ["a"]},
    {"eventVersion": 1.08},
    {"sessionCredentialFromConsole": True},
    {"sessionCredentialFromConsole": 1},
    {"errorCode": "AccessDenied", "errorMessage": "True"},
    {"errorCode": 0},
    {"errorCode": "", "errorMessage": {"why": "not"}},
    {"errorCode": "Client.DryRunOperation"},
    {"requestParameters": {"dryRun": True}},
    {"requestParameters": '{"groupId":"sg-0abc1234def567890"}'},
    {"requestParameters": "sg-0abc1234def567890"},
    {"requestParameters": ["sg-0abc1234def567890"]},
    {"responseElements": {"ConsoleLogin": "Failure"}},
    {"responseElements": {"_return": False}},
    {"responseElements": "{}"},
    {"resources": None},
    {"resources": ["arn:aws:s3:::orders"]},
    {"resources": "arn:aws:s3:::orders"},
    {"resources": [{"ARN": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0abc1234def567890", "type": "T"}]},
    {"additionalEventData": '{"a":1}'},
    {"serviceEventDetails": {"keyId": "arn:aws:kms:eu-west-1:123456789012:key/1", "state": "failed"}},
    {"userIdentity": "anna"},
    {"userIdentity": None},
    {"userIdentity": {"type": "Root", "invokedBy": 7}},
    {"userIdentity": {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}},
    {"userIdentity": {"type": ["AssumedRole"], "arn": 7}},
    {"userIdentity": '{"type":"Root"}'},
    {"insightDetails": {"eventName": "RunInstances", "insightType": "ApiCallRateInsight"}},
    {"insightDetails": "{"},
    {"eventName": ""},
    {"eventName": 7},
    {"eventName": "UpdateFunctionCode20150331v2", "eventSource": "lambda.amazonaws.com"},
    {"eventName": "A" * 300},
    {"eventSource": None},
    {"eventSource": ""},
    {"detail": RECORD},
)


@pytest.mark.parametrize("change", TRAPS, ids=lambda change: json.dumps(change)[:60])
def test_traps(change: dict[str, Any]) -> None:
    check([json.dumps(RECORD | change)])
    check([WORKLOAD[0], json.dumps(RECORD | change), json.dumps(RECORD)])  # one odd value among plain ones


def test_an_identity_nested_too_deeply_or_too_long() -> None:
    for inner in ("[" * 400 + "]" * 400, json.dumps("x" * 5000)):
        check(
            [json.dumps(RECORD | {"userIdentity": 0}).replace('"userIdentity": 0', f'"userIdentity": {{"a": {inner}}}')]
        )


WORDS = st.sampled_from(
    """Root IAMUser AssumedRole AWSService True False true failure i-0abc1234def567890 sg-0abc1234 orders-db
    arn:aws:rds:eu-west-1:123456789012:db:orders arn:aws:sts::123456789012:assumed-role/ci/run arn:a:b:c:d:
    https://sqs.eu-west-1.amazonaws.com/123456789012/jobs 10.0.0.7 ec2.amazonaws.com lambda.amazonaws.com
    terraform/1.5 2026-03-01T12:00:00Z {} [] {"type":"Root"} {"ARN":1} é AKIAEXAMPLE a:b""".split()  # noqa: SIM905
)
VALUES = st.recursive(
    st.one_of(WORDS, st.sampled_from(["", None, True, False, 0, 1, 1.5, 2**70, -1])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                """type arn ARN accountId principalId userName invokedBy accessKeyId sessionContext sessionIssuer name
                attributes mfaAuthenticated items instanceId dryRun failures code message _return queueUrl
                dbInstanceIdentifier functionName groupId DeleteFlowLogsRequest tags id onBehalfOf userId""".split()  # noqa: SIM905
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
KEYS = sorted({*RECORD, *NOTES.values(), *OBJECTS, "errorCode", "time", "account", "region"})
CHANGES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)
GONE = st.sets(st.sampled_from(sorted(RECORD)), max_size=3)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.tuples(CHANGES, GONE, st.booleans()), min_size=1, max_size=12))
def test_hostile_records(changes: list[tuple[dict[str, Any], set[str], bool]]) -> None:
    check(
        [
            json.dumps({key: value for key, value in (RECORD | new).items() if key not in gone}, ensure_ascii=escaped)
            for new, gone, escaped in changes
        ]
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=())), min_size=1, max_size=16))
def test_any_text(lines: list[str]) -> None:
    check([*lines, *(json.dumps(RECORD | {"requestID": line}) for line in lines), json.dumps(RECORD)])
