"""What must hold of every template: cfn-lint's rules, safe settings; code and templates agree."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from probable_cause.dashboard.http import SECURITY_HEADERS
from probable_cause.families import flow_format
from probable_cause.lambdas.responder.told import SENT
from probable_cause.state import tables
from tests.unit.infra import templates
from tests.unit.infra.templates import NAMES, load, resources, role_statements, statements

KEEPS_DATA = {"AWS::DynamoDB::Table", "AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::OpenSearchService::Domain",
              "AWS::Cognito::UserPool"}  # fmt: skip
# Actions that AWS defines without resources, and reads of names whose resources nobody knows beforehand.
NO_RESOURCE = re.compile(
    r"(ec2|autoscaling|rds|ecs|eks|elasticloadbalancing|logs):Describe|(ecs|eks|lambda|dynamodb|kinesis):List"
    r"|tag:Get|sts:GetCallerIdentity"
)


def all_statements() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, logical, one in resources():
        properties = one.get("Properties", {})
        documents = [p["PolicyDocument"] for p in properties.get("Policies", ()) if "PolicyDocument" in p]
        if one["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            documents.append(properties["PolicyDocument"])
        found += [(f"{name}.{logical}", each) for document in documents for each in statements(document)]
    return found


def test_the_templates_are_there() -> None:
    assert set(NAMES) == {
        "main", "ingest", "stream", "state", "analysis", "analysis-ec2", "lookup", "search", "dashboard", "response",
        "alarms", "spoke",
    }  # fmt: skip


@pytest.mark.parametrize("definition", [*tables.ALL, SENT], ids=lambda definition: definition.name)
def test_a_table_is_the_one_that_the_command_creates(definition: tables.TableDefinition) -> None:
    (template,) = [
        one["Properties"]
        for _, _, one in resources("AWS::DynamoDB::Table")
        if one["Properties"]["TableName"] == {"Fn::Sub": "${TablePrefix}" + definition.name}
    ]
    request = tables.create_request(definition)
    for same in ("AttributeDefinitions", "KeySchema", "BillingMode"):
        assert template[same] == request[same]
    assert template["SSESpecification"] == {"SSEEnabled": request["SSESpecification"]["Enabled"]}
    assert template["TimeToLiveSpecification"] == {"AttributeName": tables.EXPIRES_AT, "Enabled": True}
    assert template["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    if definition is not SENT:
        stream = request["StreamSpecification"]
        assert template["StreamSpecification"] == {"StreamViewType": stream["StreamViewType"]}


def test_every_parameter_is_described_and_constrained_where_that_can_be() -> None:
    free = {"JwtAudience", "AlarmEmail", "ExistingTrailLogGroup", "SelectionCriteria", "InstanceType"}
    free |= {"DeadLettersName", "ResponderName", "RefresherName"}
    for name in NAMES:
        for parameter, one in load(name)["Parameters"].items():
            assert one.get("Description"), (name, parameter)
            bounded = {"AllowedPattern", "AllowedValues", "MinValue"} & set(one)
            typed = one["Type"] not in ("String", "Number")
            assert bounded or typed or parameter in free, (name, parameter)
        assert load(name).get("Outputs"), name


def test_main_gives_each_nested_stack_parameters_that_it_has_and_all_that_it_needs() -> None:
    for logical, one in load("main")["Resources"].items():
        file = one["Properties"]["TemplateURL"]["Fn::Sub"].rsplit("/", 1)[1].removesuffix(".yaml")
        given, known = set(one["Properties"]["Parameters"]), load(file)["Parameters"]
        assert given <= set(known), logical
        assert {name for name, p in known.items() if "Default" not in p} <= given, logical
        wanted = re.findall(r"'(\w+)', 'Outputs\.(\w+)'", str(one["Properties"]["Parameters"]))
        for other, output in wanted:
            assert output in load(other.lower())["Outputs"], (logical, other, output)


def test_what_holds_data_is_kept_when_its_stack_goes() -> None:
    for name, logical, one in resources():
        if one["Type"] in KEEPS_DATA:
            assert one.get("DeletionPolicy") == one.get("UpdateReplacePolicy") == "Retain", (name, logical)


def test_buckets_are_private_encrypted_and_https_only() -> None:
    denied = set()
    for name, _, one in resources("AWS::S3::BucketPolicy"):
        for statement in one["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement.get("Condition") == {
                "Bool": {"aws:SecureTransport": "false"}
            }:
                denied.add((name, one["Properties"]["Bucket"]["Ref"]))
    for name, logical, one in resources("AWS::S3::Bucket"):
        properties = one["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert properties["BucketEncryption"] and properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert (name, logical) in denied


def test_queues_topics_and_streams_are_encrypted() -> None:
    for name, logical, one in resources():
        properties = one.get("Properties", {})
        if one["Type"] == "AWS::SQS::Queue":
            assert properties.get("SqsManagedSseEnabled") is True, (name, logical)
        if one["Type"] == "AWS::SNS::Topic":
            assert properties.get("KmsMasterKeyId"), (name, logical)
        if one["Type"] == "AWS::Kinesis::Stream":
            assert properties["StreamEncryption"]["EncryptionType"] == "KMS"


def test_functions_have_a_log_that_ends_and_event_sources_a_place_for_failures() -> None:
    for name, logical, one in resources("AWS::Lambda::Function"):
        group = one["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        assert load(name)["Resources"][group]["Properties"]["RetentionInDays"], (name, logical)
    for name, logical, one in resources("AWS::Lambda::EventSourceMapping"):
        properties = one["Properties"]
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], (name, logical)
        if "StartingPosition" in properties:
            assert properties["DestinationConfig"]["OnFailure"] and properties["BisectBatchOnFunctionError"]


def test_no_statement_allows_everything() -> None:
    for where, one in all_statements():
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        assert not any("*" in action for action in actions), (where, actions)
        if one["Resource"] == "*":
            assert all(NO_RESOURCE.match(action) for action in actions), (where, actions)
        assert one["Effect"] == "Allow" and "NotAction" not in one and "NotResource" not in one


def test_services_assume_roles_for_nobody_else() -> None:
    for name, logical, one in resources("AWS::IAM::Role"):
        for statement in one["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            assert statement["Principal"] != "*" and "*" not in str(statement["Principal"]), (name, logical)


def test_the_spoke_lets_the_hub_read_what_the_hub_reads_at_home() -> None:
    reads = {a for a in templates.actions(role_statements("lookup")) if a.split(":")[0] not in ("dynamodb", "logs")}
    spoke = templates.actions(role_statements("spoke", "LookupRole"))
    assert spoke == reads - {"sts:GetCallerIdentity", "sts:AssumeRole"}


def test_flow_logs_have_the_fields_that_the_parser_and_attribution_want() -> None:
    found = [one["Properties"]["LogFormat"] for _, _, one in resources("AWS::EC2::FlowLog")]
    assert len(found) == 4 and len(set(found)) == 1
    fields = re.findall(r"\$\{([a-z-]+)\}", found[0])
    assert set(fields) <= flow_format.KNOWN and {"pkt-srcaddr", "pkt-dstaddr", "log-status"} <= set(fields)
    assert flow_format.read_format(found[0])


def test_the_page_has_the_same_headers_in_aws() -> None:
    config = load("dashboard")["Resources"]["Headers"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    text, values = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert list(values) == ["Pool"]
    assert text.replace("${Pool}", "") == SECURITY_HEADERS["Content-Security-Policy"]
    assert security["FrameOptions"]["FrameOption"] == SECURITY_HEADERS["X-Frame-Options"]
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == SECURITY_HEADERS["Referrer-Policy"]
    custom = {one["Header"]: one["Value"] for one in config["CustomHeadersConfig"]["Items"]}
    done = {"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "X-Content-Type-Options"}
    assert custom == {name: value for name, value in SECURITY_HEADERS.items() if name not in done}


def test_the_policies_of_strings_are_json() -> None:
    for _, logical, one in resources():
        for name in ("PolicyDocument", "DestinationPolicy"):
            text = one.get("Properties", {}).get(name, {})
            text = text.get("Fn::Sub", "") if isinstance(text, dict) else ""
            text = text[0] if isinstance(text, list) else text
            if text:
                assert json.loads(text), logical


def test_no_line_that_we_write_comes_back_to_us() -> None:
    criteria = load("ingest")["Parameters"]["SelectionCriteria"]["Default"]
    left_out = set(json.loads(criteria.removeprefix("LogGroupName NOT IN ")))
    written = set()
    for name, _, one in resources("AWS::Logs::LogGroup"):
        group = one["Properties"]["LogGroupName"]
        text = group if isinstance(group, str) else group["Fn::Sub"]
        written.add(text.replace("${TablePrefix}", ""))
        assert name != "analysis-ec2"
    assert left_out == written
