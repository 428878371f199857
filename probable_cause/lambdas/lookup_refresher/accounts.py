"""Which accounts and regions to look at, and clients that are polite to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from probable_cause.errors import ProbableCauseError
from probable_cause.state import dynamodb

# Adaptive: the client slows down by itself when an API throttles, so that the account's own tools are not disturbed.
POLITE = Config(
    retries={"mode": "adaptive", "max_attempts": 8}, max_pool_connections=4, user_agent_extra="probable-cause/lookup"
)


@dataclass(frozen=True)
class Options:
    """What to look for, and where (conf `lookup:`)."""

    application_tags: tuple[str, ...]
    stack_fallback: bool
    regions: tuple[str, ...]
    roles: tuple[str, ...] = ()  # ARNs to assume: one for each further account
    external_id: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True)
class Place:
    """One account in one region. `scope` names both."""

    account: str
    region: str
    endpoint_url: str | None
    keys: dict[str, str]

    @property
    def scope(self) -> str:
        return f"{self.account}/{self.region}"

    def client(self, service: str) -> Any:
        """A polite client of one service."""
        return boto3.client(
            service, region_name=self.region, endpoint_url=self.endpoint_url, config=POLITE, **self.keys
        )


def places(options: Options) -> Iterator[Place | str]:
    """Every account and region; in place of an account that can't be entered, why not."""
    home = dynamodb.client("sts", options.regions[0], options.endpoint_url)
    try:
        own = home.get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as exc:
        raise ProbableCauseError(f"no credentials: {exc}") from exc
    keys = dynamodb.placeholder_keys(options.endpoint_url)
    yield from _in_regions(own, keys, options.regions, options.endpoint_url)
    for role in options.roles:
        try:
            yield from _in_regions(role.split(":")[4], _assumed(home, role, options), options.regions,
                                   options.endpoint_url)  # fmt: skip
        except (ClientError, BotoCoreError) as exc:
            yield f"{role}: {exc}; the role must exist there and trust this one"


def _in_regions(account: str, keys: dict[str, str], regions: Sequence[str], url: str | None) -> Iterator[Place]:
    for region in regions:
        yield Place(account, region, url, keys)


def _assumed(sts: Any, role: str, options: Options) -> dict[str, str]:
    request = {"RoleArn": role, "RoleSessionName": "probable-cause-lookup"}
    if options.external_id:
        request["ExternalId"] = options.external_id
    told = sts.assume_role(**request)["Credentials"]
    return {
        "aws_access_key_id": told["AccessKeyId"],
        "aws_secret_access_key": told["SecretAccessKey"],
        "aws_session_token": told["SessionToken"],
    }
