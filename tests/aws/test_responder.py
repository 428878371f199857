"""The responder as a Lambda on an emulator: the real table's stream in, bus, topic and queues out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from probable_cause.lambdas.responder import handler as responder
from probable_cause.lambdas.responder.told import SENT
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb, tables
from probable_cause.state.application import act, renew
from probable_cause.state.event_item import to_item
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.tables import Tables, Write
from probable_cause.verdict import DEFAULT
from tests.unit.verdict.events import at, cause, symptom

REGION = "us-east-1"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "response.schema.json").read_text("utf-8"))
STOP = cause("StopInstances", 0)


class Account:
    """Tables, a bus and a topic that both end in queues, dead letters, and the stream's records as Lambda gets them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqs = self.client("sqs")
        dynamodb.create(REGION, url)
        self.tables: Tables = dynamodb.connect(REGION, url)
        created = self.client("dynamodb").create_table(
            TableName=SENT.name,
            KeySchema=[{"AttributeName": "ApplicationId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "ApplicationId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        assert created["TableDescription"]["TableName"] == SENT.name
        self.queues = {n: self.sqs.create_queue(QueueName=n)["QueueUrl"] for n in ("bus", "topic", "dead", "again")}
        self.topic = self.client("sns").create_topic(Name="responses")["TopicArn"]
        self.client("sns").subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=self.arn("topic"),
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"layer": ["cloudsystem"]})},
        )
        events = self.client("events")
        events.create_event_bus(Name="responses")
        pattern = {"source": ["probable-cause"], "detail-type": ["Probable Cause Opened", "Probable Cause Resolved"]}
        events.put_rule(Name="all", EventBusName="responses", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="all", EventBusName="responses", Targets=[{"Id": "q", "Arn": self.arn("bus")}])
        self._iterator = self._start_of_stream()

    def client(self, service: str) -> Any:
        return dynamodb.client(service, REGION, self.url)

    def arn(self, queue: str) -> str:
        url = self.queues[queue]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def _start_of_stream(self) -> str:
        streams = self.client("dynamodbstreams")
        arn = self.client("dynamodb").describe_table(TableName=tables.STATES.name)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        request = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        return str(streams.get_shard_iterator(**request)["ShardIterator"])

    def records(self) -> dict[str, Any]:
        """The stream's new records: `aws:dynamodb` with NEW_AND_OLD_IMAGES, as an event source mapping hands over."""
        answer = self.client("dynamodbstreams").get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        return {"Records": answer["Records"]}

    def received(self, queue: str) -> list[dict[str, Any]]:
        found = []
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10)
            if not answer.get("Messages"):
                return found
            for one in answer["Messages"]:
                found.append(json.loads(one["Body"]))
                self.sqs.delete_message(QueueUrl=self.queues[queue], ReceiptHandle=one["ReceiptHandle"])

    def sees(self, minute: float, *events: EventOfInterest) -> None:
        for event in events:
            item = to_item(event)
            key = {"ApplicationId": item.pop("ApplicationId"), "EventKey": item.pop("EventKey")}
            self.tables.events.apply(Write(key, item))
            renew(self.tables, key["ApplicationId"], at(minute), DEFAULT)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with embedded_aws(free_port(), tmp_path_factory.mktemp("aws") / "aws.log") as url:
        yield Account(url)


@pytest.fixture(autouse=True)
def environment(aws: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.url,
        "SENT_TABLE": SENT.name,
        "EVENT_BUS": "responses",
        "TOPIC_ARN": aws.topic,
        "DEAD_LETTERS": aws.queues["dead"],
        "LOOK_AGAIN": aws.queues["again"],
    }.items():
        monkeypatch.setenv(name, value)
    for cached in (responder._responder, responder._states):
        cached.cache_clear()
    yield
    for cached in (responder._responder, responder._states):
        cached.cache_clear()


def test_a_life_is_told_on_the_bus_and_the_topic_each_transition_once(aws: Account) -> None:
    aws.sees(3, symptom("connectivity", 2), STOP)
    act(aws.tables, "shop", "cloudsystem", "acknowledged", "ana", at(4), "known")
    renew(aws.tables, "shop", at(4), DEFAULT)
    act(aws.tables, "shop", "cloudsystem", "resolved", "ana", at(5), "done")
    renew(aws.tables, "shop", at(5), DEFAULT)
    event = aws.records()
    assert len(event["Records"]) > 8 and all("NewImage" in one["dynamodb"] for one in event["Records"])
    assert responder.handler(event, None) == {"batchItemFailures": []}
    assert responder.handler(event, None) == {"batchItemFailures": []}  # delivered twice, told once
    on_bus = aws.received("bus")
    assert [(one["detail-type"], one["detail"]["layer"]) for one in on_bus] == [
        ("Probable Cause Opened", "application"),
        ("Probable Cause Opened", "cloudsystem"),
        ("Probable Cause Resolved", "application"),  # it had deferred to the stop (told, but not by this rule) ...
        ("Probable Cause Opened", "application"),  # ... and shows its symptom again
        ("Probable Cause Resolved", "cloudsystem"),
    ]
    assert {one["source"] for one in on_bus} == {"probable-cause"}
    on_topic = aws.received("topic")  # the subscription's filter lets one layer through
    assert [one["transition"] for one in on_topic] == ["Opened", "Acknowledged", "Resolved"]
    for document in [*on_topic, *(one["detail"] for one in on_bus)]:
        Draft202012Validator(SCHEMA).validate(document)
    assert not aws.received("dead")


def test_what_fails_comes_again_and_other_applications_go_on(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_BUS", "arn:aws:events:us-east-1:123456789012:event-bus/absent")
    monkeypatch.delenv("TOPIC_ARN")
    aws.sees(3, *(cause("StopInstances", 0, application_id=name) for name in ("one", "two")))
    event = aws.records()
    failed = responder.handler(event, None)["batchItemFailures"]
    numbers = [one["dynamodb"]["SequenceNumber"] for one in event["Records"]]
    assert len(failed) == 2 and all(one["itemIdentifier"] in numbers for one in failed)
    monkeypatch.setenv("EVENT_BUS", "responses")
    responder._responder.cache_clear()
    first = numbers.index(failed[0]["itemIdentifier"])
    assert responder.handler({"Records": event["Records"][first:]}, None) == {"batchItemFailures": []}
    assert [one["detail"]["application_id"] for one in aws.received("bus")] == ["one", "two"]


def test_an_unreadable_image_is_kept_aside_and_stops_nothing(aws: Account) -> None:
    aws.sees(3, cause("StopInstances", 0, application_id="three"))
    event = aws.records()
    broken = json.loads(json.dumps(event["Records"][-1], default=str))
    broken["dynamodb"]["NewImage"]["RootCause"] = {"S": "{"}
    assert responder.handler({"Records": [broken, *event["Records"]]}, None) == {"batchItemFailures": []}
    assert [one["detail"]["application_id"] for one in aws.received("bus")] == ["three"]
    (kept,) = aws.received("dead")
    assert "unreadable image" in kept["reason"] and kept["keys"]["ApplicationId"] == {"S": "three"}


def test_the_queue_has_an_application_looked_at_again(aws: Account) -> None:
    aws.sees(3, cause("StopInstances", 0, application_id="four"))
    aws.records()  # lost
    message = {"messageId": "m-1", "eventSource": "aws:sqs", "body": "four"}
    unknown = {"messageId": "m-2", "eventSource": "aws:sqs", "body": "never seen"}
    assert responder.handler({"Records": [message, unknown]}, None) == {"batchItemFailures": []}
    assert [one["detail"]["application_id"] for one in aws.received("bus")] == ["four"]
