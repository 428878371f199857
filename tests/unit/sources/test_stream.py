"""Calls to Kinesis: what is retried, what is raised, and what the operator is told."""

from __future__ import annotations

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from probable_cause.errors import BusyError, SourceError
from probable_cause.sources.connection import Connection, client_for, is_loopback
from probable_cause.sources.faults import ExpiredIterator, InvalidPosition, ShardGone
from probable_cause.sources.positions import Position
from probable_cause.sources.stream import Stream
from tests.unit.sources.engine import stream_of
from tests.unit.sources.fake_kinesis import FakeKinesis, client_error

SHARD = "shardId-000000000000"


class Failing:
    """A client whose calls raise `errors` in turn, then answer."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> dict[str, Any]:
            self.calls.append(request)
            if self.errors:
                raise self.errors.pop(0)
            return {"ShardIterator": "i", "Shards": [], "Records": [], "operation": operation}

        return call


def stream(client: Any, connection: Connection | None = None) -> tuple[Stream, list[float]]:
    """With a clock that only pauses move, and the pauses."""
    pauses: list[float] = []
    made = Stream(
        connection or Connection("logs", "eu-west-1"),
        client,
        clock=lambda: sum(pauses),
        pause=pauses.append,
        jitter=random.Random(1),
    )
    return made, pauses


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException", "GetRecords"),
        client_error("LimitExceededException", "ListShards"),
        client_error("KMSThrottlingException", "GetRecords"),
        client_error("Whatever", "GetRecords", status=503),
        EndpointConnectionError(endpoint_url="https://kinesis"),
    ],
)
def test_throttling_and_outages_are_retried_with_growing_pauses(error: Exception) -> None:
    client = Failing(*[error] * 6)
    reader, pauses = stream(client)
    assert reader.call("list_shards", StreamName="logs")["Shards"] == []
    assert len(client.calls) == 7
    assert len(set(pauses)) == 6, "with jitter: readers that were throttled together must not come back together"
    assert all(0.05 <= pause <= 5 for pause in pauses)
    assert max(pauses) > 0.5, "they grow"


def test_patience_ends_and_says_whose_stream_it_is() -> None:
    error = client_error("ProvisionedThroughputExceededException", "GetRecords", "Rate exceeded")
    reader, pauses = stream(Failing(*[error] * 1000))
    with pytest.raises(BusyError, match=r"get_records of stream logs .*eu-west-1.*120 s: .*exceeded.*who else reads"):
        reader.call("get_records", ShardIterator="i")
    assert 120 <= sum(pauses) < 126


@pytest.mark.parametrize(
    ("error", "operation", "says"),
    [
        (
            client_error("ResourceNotFoundException", "X"),
            "list_shards",
            "There is no stream logs at AWS, .* eu-west-1",
        ),
        (client_error("AccessDeniedException", "X"), "get_records", "Allow kinesis:GetRecords"),
        (client_error("AccessDeniedException", "X"), "list_shards", "Allow kinesis:ListShards"),
        (client_error("KMSAccessDeniedException", "X"), "get_records", "kms:Decrypt"),
        (client_error("UnrecognizedClientException", "X"), "list_shards", "refuses the job's credentials"),
        (client_error("ExpiredTokenException", "X"), "list_shards", "Renew them"),
        (client_error("ValidationException", "X", "odd"), "list_shards", "odd"),
        (NoCredentialsError(), "list_shards", "No AWS credentials.*AWS_PROFILE"),
    ],
)
def test_what_can_t_be_retried_is_told_at_once(error: Exception, operation: str, says: str) -> None:
    reader, pauses = stream(Failing(error))
    with pytest.raises(SourceError, match=says):
        reader.call(operation)
    assert not pauses


@pytest.mark.parametrize(
    ("code", "expected"), [("ExpiredIteratorException", ExpiredIterator), ("InvalidArgumentException", InvalidPosition)]
)
def test_what_the_source_handles_itself(code: str, expected: type[Exception]) -> None:
    reader, _ = stream(Failing(client_error(code, "GetRecords")))
    with pytest.raises(expected):
        reader.page("i", 1)


def test_a_missing_shard_is_told_from_a_missing_stream() -> None:
    kinesis = FakeKinesis(random.Random(1))
    reader = stream_of(kinesis)
    with pytest.raises(ShardGone):
        reader.after("shardId-000000000099", Position())
    iterator = reader.after(SHARD, Position())
    kinesis.exists = False
    for call in (lambda: reader.after(SHARD, Position()), lambda: reader.page(iterator, 1), reader.shards):
        with pytest.raises(SourceError, match="There is no stream logs"):
            call()


def test_a_bug_is_not_hidden_by_retries() -> None:
    reader, pauses = stream(Failing(KeyError("bug")))
    with pytest.raises(KeyError):
        reader.call("list_shards")
    assert not pauses


def test_shards_of_every_page_with_parents() -> None:
    kinesis = FakeKinesis(random.Random(1), shard_count=3, list_page=2)
    kinesis.merge(SHARD, "shardId-000000000001")
    shards = stream_of(kinesis).shards()
    assert [(shard.id[-1], shard.closed) for shard in shards] == [("0", True), ("1", True), ("2", False), ("3", False)]
    assert shards[3].parents == (SHARD, "shardId-000000000001")


def test_an_arn_is_given_as_an_arn() -> None:
    arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/logs"
    client = Failing()
    reader, _ = stream(client, Connection(arn))
    reader.after(SHARD, Position("7"))
    reader.page("i", 1)
    assert [request["StreamARN"] for request in client.calls] == [arn, arn]
    assert reader.connection.name == "logs"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, False),
        ("http://127.0.0.1:5000", True),
        ("http://localhost:5000", True),
        ("http://[::1]:5000", True),
        ("https://kinesis.eu-west-1.amazonaws.com", False),
        ("http://10.0.0.1:5000", False),
        ("http://localhost.example.com", False),
        ("nonsense", False),
    ],
)
def test_is_loopback(url: str | None, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("probable_cause.sources.connection._clients", {})


@pytest.mark.usefixtures("no_credentials")
def test_an_emulator_on_this_machine_gets_dummy_credentials_and_nobody_else() -> None:
    local = client_for(Connection("logs", "eu-west-1", "http://127.0.0.1:1"))
    assert local._request_signer._credentials.access_key == "local"
    for endpoint in (None, "https://kinesis.example.com"):
        assert client_for(Connection("logs", "eu-west-1", endpoint))._request_signer._credentials is None


@pytest.mark.usefixtures("no_credentials")
def test_the_environment_s_credentials_win_also_for_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = client_for(Connection("logs", "eu-west-1", "http://127.0.0.1:1"))
    assert client._request_signer._credentials.access_key == "mine"


@pytest.mark.usefixtures("no_credentials")
def test_one_client_a_process_and_connection() -> None:
    here = Connection("logs", "eu-west-1", "http://127.0.0.1:1")
    assert client_for(here) is client_for(Connection("logs", "eu-west-1", "http://127.0.0.1:1"))
    assert client_for(here) is not client_for(Connection("other", "eu-west-1", "http://127.0.0.1:1"))


@pytest.mark.usefixtures("no_credentials")
def test_the_region_comes_from_the_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    client = client_for(Connection("arn:aws:kinesis:ap-south-1:111122223333:stream/logs"))
    assert client.meta.region_name == "ap-south-1"


@pytest.mark.usefixtures("no_credentials")
def test_a_missing_region_is_told() -> None:
    with pytest.raises(SourceError, match=r"aws\.region"):
        client_for(Connection("logs"))


def test_assumed_role_credentials_come_from_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr("probable_cause.sources.connection._clients", {})
    with mock_aws():
        client = client_for(Connection("logs", "eu-west-1", role_arn="arn:aws:iam::111122223333:role/reader"))
        with pytest.raises(ClientError, match="ResourceNotFound"):
            client.list_shards(StreamName="logs")
        assert client._request_signer._credentials.get_frozen_credentials().token
