"""The tables in DynamoDB. The only importer of boto3 on the data path besides the Kinesis source."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from probable_cause.errors import BusyError, TableError
from probable_cause.state import tables
from probable_cause.state.tables import TableDefinition, Tables, Write

T = TypeVar("T")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_RETRIED = {
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
# Of a call of the data path: 0.05 s, then twice as long each time, half of it on average. Throttling may last until
# on-demand capacity has grown; after these (about half a minute) the batch fails, and is replayed.
_ATTEMPTS = 12
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_ONCE = {"mode": "standard", "total_max_attempts": 1}


def client(service: str, region: str, endpoint_url: str | None = None, retries: dict[str, Any] | None = None) -> Any:
    """A boto3 client. An emulator on this machine needs no credentials, so it gets placeholders when none are set.

    AWS itself always uses the default credential chain.

    Args:
        retries: as botocore's Config takes them.
    """
    keys = placeholder_keys(endpoint_url)
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(
            retries=retries or {"mode": "standard", "max_attempts": 4},
            max_pool_connections=32,
            connect_timeout=5,
            read_timeout=30,
        ),
        **keys,
    )


def placeholder_keys(endpoint_url: str | None) -> dict[str, str]:
    """Credentials for an emulator on this machine when none are set; nothing for AWS."""
    local = endpoint_url and urlsplit(endpoint_url).hostname in _LOOPBACK
    if local and not os.environ.get("AWS_ACCESS_KEY_ID"):
        return {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return {}


def connect(region: str, endpoint_url: str | None = None, prefix: str = "") -> Tables:
    """The four tables of an installation; nothing is called yet."""
    # botocore's standard mode pauses half a second before its first retry. DynamoDB is ready again much sooner.
    dynamodb = client("dynamodb", region, endpoint_url, _ONCE)
    return Tables(*(DynamoDBTable(dynamodb, definition, prefix) for definition in tables.ALL))


def create(region: str, endpoint_url: str | None = None, prefix: str = "") -> list[str]:
    """Creates the tables that do not exist, with TTL and point-in-time recovery; returns the names created.

    Raises:
        TableError: when DynamoDB refuses.
    """
    dynamodb = client("dynamodb", region, endpoint_url)
    created = []
    for definition in tables.ALL:
        name = prefix + definition.name
        try:
            dynamodb.create_table(**tables.create_request(definition, prefix))
            created.append(name)
        except dynamodb.exceptions.ResourceInUseException:
            continue
        except (ClientError, BotoCoreError) as exc:
            raise TableError(f"table {name} can't be created: {exc}; check credentials, region and endpoint") from exc
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": tables.EXPIRES_AT}
        )
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    return created


def plain_item(attributes: dict[str, Any]) -> dict[str, Any]:
    """The item of a low-level image such as a stream record's: `{"Count": {"N": "3"}}` is `{"Count": 3}`."""
    deserialize = TypeDeserializer().deserialize
    return {name: _from_dynamodb(deserialize(value)) for name, value in attributes.items()}


class DynamoDBTable:
    """One table over a low-level client. Reads are consistent: the job decides by what it reads."""

    def __init__(
        self,
        dynamodb: Any,
        definition: TableDefinition,
        prefix: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.definition, self._pause = definition, pause
        self.name = prefix + definition.name
        self._dynamodb = dynamodb
        self._to_attribute = TypeSerializer().serialize
        self._from_attribute = TypeDeserializer().deserialize

    def query(self, hash_value: str, prefix: str = "", newest_first: bool = False) -> list[dict[str, Any]]:
        names = {"#hash": self.definition.hash_key}
        values: dict[str, Any] = {":hash": {"S": hash_value}}
        condition = "#hash = :hash"
        if prefix and self.definition.range_key:
            names["#range"] = self.definition.range_key
            values[":prefix"] = {"S": prefix}
            condition += " AND begins_with(#range, :prefix)"
        return self._pages(
            self._dynamodb.query,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
        )

    def scan(self) -> list[dict[str, Any]]:
        return self._pages(self._dynamodb.scan, ConsistentRead=True)

    def get(self, key: dict[str, str]) -> dict[str, Any] | None:
        answer = self._call(
            lambda: self._dynamodb.get_item(TableName=self.name, Key=self._attributes(key), ConsistentRead=True)
        )
        return self._item(answer["Item"]) if "Item" in answer else None

    def get_all(self, keys: Sequence[dict[str, str]]) -> list[dict[str, Any] | None]:
        asked = {self.name: {"Keys": [self._attributes(key) for key in keys], "ConsistentRead": True}}
        answer = self._call(lambda: self._dynamodb.batch_get_item(RequestItems=asked))
        found = [self._item(item) for item in answer["Responses"].get(self.name, ())]
        # Throttled ones come back unread; one by one they are waited for.
        unread = [self._item(key) for key in answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", ())]
        found += [item for key in unread if (item := self.get(key)) is not None]
        return [next((item for item in found if key.items() <= item.items()), None) for key in keys]

    def apply(self, write: Write) -> bool:
        given = _Placeholders(self._attribute)
        conditions = [
            f"attribute_not_exists({given.name(k)})" if v is None else f"{given.name(k)} = {given.value(v)}"
            for k, v in write.expected.items()
        ]
        conditions += [
            f"(attribute_not_exists({given.name(k)}) OR {given.name(k)} <> {given.value(v)})"
            for k, v in write.excluded.items()
        ]
        to_set = {name: value for name, value in write.attributes.items() if value is not None}
        request: dict[str, Any]
        if write.whole:
            call, request = self._dynamodb.put_item, {"Item": self._attributes({**to_set, **write.key})}
        else:
            changes = {
                "SET": [f"{given.name(name)} = {given.value(value)}" for name, value in to_set.items()],
                "REMOVE": [given.name(name) for name in write.attributes if name not in to_set],
            }
            expression = " ".join(f"{verb} {', '.join(named)}" for verb, named in changes.items() if named)
            call = self._dynamodb.update_item
            request = {"Key": self._attributes(write.key), "UpdateExpression": expression}
        if conditions:
            request["ConditionExpression"] = " AND ".join(conditions)
        try:
            self._call(lambda: call(TableName=self.name, **request, **given.arguments()))
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def delete(self, key: dict[str, str]) -> None:
        self._call(lambda: self._dynamodb.delete_item(TableName=self.name, Key=self._attributes(key)))

    def _pages(self, call: Callable[..., Any], **request: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self._call(partial(call, TableName=self.name, **request, **start))
            items += [self._item(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _call(self, request: Callable[[], T]) -> T:
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            try:
                return request()
            except ClientError as exc:
                code = exc.response["Error"]["Code"]
                if code == "ResourceNotFoundException":
                    raise TableError(
                        f"table {self.name} does not exist in this region: `probable-cause tables create` makes it"
                    ) from exc
                if code in ("AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"):
                    raise TableError(f"table {self.name}: {exc}; check the role's policy and credentials") from exc
                if not _worth_retrying(exc):
                    raise
                if last:
                    raise BusyError(f"table {self.name}: {exc} ({_ATTEMPTS} attempts); the batch is replayed") from exc
            except (BotoConnectionError, HTTPClientError) as exc:
                if last:
                    raise BusyError(f"table {self.name} can't be reached: {exc} ({_ATTEMPTS} attempts)") from exc
            except BotoCoreError as exc:
                raise TableError(f"table {self.name} can't be reached: {exc}") from exc
            # Full jitter, so that threads that were throttled together do not come back together.
            self._pause(random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)))  # noqa: S311
        raise AssertionError("unreachable")

    def _attributes(self, item: dict[str, Any]) -> dict[str, Any]:
        return {name: self._attribute(value) for name, value in item.items()}

    def _attribute(self, value: Any) -> dict[str, Any]:
        attribute: dict[str, Any] = self._to_attribute(_to_dynamodb(value))
        return attribute

    def _item(self, attributes: dict[str, Any]) -> dict[str, Any]:
        return {name: _from_dynamodb(self._from_attribute(value)) for name, value in attributes.items()}


class _Placeholders:
    """What stands in a call's expressions for names and values."""

    def __init__(self, to_attribute: Callable[[Any], dict[str, Any]]) -> None:
        self._to_attribute = to_attribute
        self._names: dict[str, str] = {}
        self._values: dict[str, dict[str, Any]] = {}

    def name(self, attribute: str) -> str:
        return self._names.setdefault(attribute, f"#a{len(self._names)}")

    def value(self, content: Any) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = self._to_attribute(content)
        return placeholder

    def arguments(self) -> dict[str, Any]:
        """Of the call; DynamoDB refuses empty ones."""
        names = {placeholder: attribute for attribute, placeholder in self._names.items()}
        told = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": self._values}
        return {argument: content for argument, content in told.items() if content}


def _worth_retrying(exc: ClientError) -> bool:
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or exc.response["Error"]["Code"] in _RETRIED


def _to_dynamodb(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: _to_dynamodb(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_to_dynamodb(inner) for inner in value]
    return value


def _from_dynamodb(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Binary):
        return bytes(value.value)
    if isinstance(value, dict):
        return {name: _from_dynamodb(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_from_dynamodb(inner) for inner in value]
    return value
