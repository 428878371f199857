"""Which stream, where, and as whom: one boto3 client a process."""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError

from probable_cause.errors import SourceError


@dataclass(frozen=True)
class Connection:
    """Which stream, where, and as whom. `stream` is a name or an ARN (of another account, say)."""

    stream: str
    region: str | None = None
    endpoint_url: str | None = None
    role_arn: str | None = None

    @property
    def name(self) -> str:
        return self.stream.rsplit("/", 1)[-1]

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.endpoint_url or 'AWS'}, region {self.region or 'of the environment'}"


_clients: dict[Connection, Any] = {}
_lock = threading.Lock()


def client_for(connection: Connection) -> Any:
    """This process's client: made once, used by every batch and thread.

    Raises:
        SourceError: there can be none: no region, an endpoint that is no URL.
    """
    with _lock:
        if connection not in _clients:
            try:
                _clients[connection] = _new_client(connection)
            except (BotoCoreError, ValueError) as exc:
                raise SourceError(
                    f"No Kinesis client for stream {connection.stream} at {connection.place}: {exc} "
                    "Look at aws.region and aws.endpoint_url."
                ) from exc
        return _clients[connection]


def _new_client(connection: Connection) -> Any:
    region = connection.region
    if not region and connection.stream.startswith("arn:"):
        region = connection.stream.split(":")[3]
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": 1},  # stream.py retries: it can wait longer, with jitter
        user_agent_extra="probable-cause",
    )
    session = boto3.Session(region_name=region)
    keys: dict[str, str] = {}
    if is_loopback(connection.endpoint_url) and session.get_credentials() is None:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}  # an emulator asks for some, any
    if connection.role_arn:
        session = _assumed(session, connection.role_arn)
    return session.client("kinesis", endpoint_url=connection.endpoint_url, config=config, **keys)


def is_loopback(url: str | None) -> bool:
    """Whether an endpoint is on this machine: an emulator, never AWS."""
    host = urlsplit(url).hostname if url else None
    try:
        return host == "localhost" or (host is not None and ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def _assumed(session: boto3.Session, role_arn: str) -> boto3.Session:
    """A session of another role, whose credentials renew themselves."""
    core = session._session  # boto3 has no public way to refreshing credentials of an assumed role
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=core.create_client,
        source_credentials=core.get_credentials(),
        role_arn=role_arn,
        extra_args={"RoleSessionName": "probable-cause"},
    )
    assumed = boto3.Session(region_name=session.region_name)
    assumed._session._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return assumed
