"""What happens when DynamoDB is busy, out of reach, or says no: retried with jitter, then told in words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from probable_cause.errors import BusyError, ProbableCauseError, TableError
from probable_cause.state import tables
from probable_cause.state.dynamodb import DynamoDBTable
from probable_cause.state.tables import Write

KEY = {"ApplicationId": "shop", "EventKey": "network#x#1"}


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "X")  # type: ignore[typeddict-item]


class Failing:
    """A low-level client that fails with each of `errors`, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    def update_item(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return {}


def table(client: Failing) -> tuple[DynamoDBTable, list[float]]:
    pauses: list[float] = []
    return DynamoDBTable(client, tables.EVENTS, pause=pauses.append), pauses


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("TransactionConflictException"),
        refusal("InternalServerError", 500),
        refusal("SomethingNew", 503),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ],
)
def test_what_passes_is_retried_with_growing_pauses_and_jitter(error: Exception) -> None:
    client = Failing(*[error] * 8)
    one, pauses = table(client)
    assert one.apply(Write(KEY, {"Count": 1}))
    assert client.calls == 9
    assert len(set(pauses)) == 8
    assert all(0 <= pause <= 5 for pause in pauses)
    assert all(pause <= 0.05 * 2**n for n, pause in enumerate(pauses))


def test_after_many_attempts_the_batch_fails_and_says_that_it_is_replayed() -> None:
    client = Failing(*[refusal("ProvisionedThroughputExceededException")] * 100)
    one, pauses = table(client)
    with pytest.raises(BusyError, match=r"EventsOfInterestByApplication: .*12 attempts.*replayed"):
        one.apply(Write(KEY, {"Count": 1}))
    assert len(pauses) == 11


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("ResourceNotFoundException", TableError, "tables create"),
        ("AccessDeniedException", TableError, "role's policy"),
        ("ValidationException", ClientError, "ValidationException"),
    ],
)
def test_what_does_not_pass_is_not_retried(code: str, kind: type[Exception], says: str) -> None:
    client = Failing(refusal(code))
    one, pauses = table(client)
    with pytest.raises(kind, match=says):
        one.apply(Write(KEY, {"Count": 1}))
    assert (client.calls, pauses) == (1, [])
    assert not issubclass(BusyError, TableError), "the supervisor ends for good reasons only"
    assert issubclass(BusyError, ProbableCauseError)


def test_a_condition_that_does_not_hold_is_an_answer() -> None:
    one, _ = table(Failing(refusal("ConditionalCheckFailedException")))
    assert not one.apply(Write(KEY, {"Count": 1}, {"Stamp": None}))


class HalfRead:
    """A low-level client that answers a batch of keys for the first of them only, as a throttled table does."""

    def __init__(self, *known: str) -> None:
        self.known, self.asked = known, 0

    def _item(self, key: dict[str, Any]) -> dict[str, Any] | None:
        return {**key, "Count": {"N": "1"}} if key["EventKey"]["S"] in self.known else None

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.asked += 1
        ((name, request),) = RequestItems.items()
        assert request["ConsistentRead"] is True
        first, *unread = request["Keys"]
        found = [item for item in [self._item(first)] if item is not None]
        unprocessed = {"UnprocessedKeys": {name: {"Keys": unread, "ConsistentRead": True}}} if unread else {}
        return {"Responses": {name: found}, **unprocessed}

    def get_item(self, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        item = self._item(Key)
        return {} if item is None else {"Item": item}


@pytest.mark.parametrize("known", [(), ("a",), ("b",), ("a", "c"), ("a", "b", "c")])
def test_of_many_keys_those_that_come_back_unread_are_read_one_by_one(known: tuple[str, ...]) -> None:
    client = HalfRead(*known)
    keys = [{"ApplicationId": "shop", "EventKey": name} for name in ("a", "b", "c")]
    found = DynamoDBTable(client, tables.EVENTS).get_all(keys)
    assert [item and item["EventKey"] for item in found] == [name if name in known else None for name in "abc"]
    assert client.asked == 1
