"""Errors of Kinesis calls: which to retry, which the source handles, and what to tell the operator of the others."""

from __future__ import annotations

from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, PartialCredentialsError
from botocore.exceptions import ConnectionError as BotoConnectionError

from probable_cause.errors import SourceError
from probable_cause.sources.connection import Connection

_RETRIED = {
    "InternalFailure",
    "InternalServerError",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "KMSAccessDeniedException", "UnauthorizedOperation"}
_BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_ACTIONS = {
    "describe_stream_summary": "kinesis:DescribeStreamSummary",
    "list_shards": "kinesis:ListShards",
    "get_shard_iterator": "kinesis:GetShardIterator",
    "get_records": "kinesis:GetRecords",
}


class ExpiredIterator(Exception):
    """An iterator that is older than five minutes: ask for a new one."""


class InvalidPosition(Exception):
    """Kinesis does not take the sequence number or the time."""


class ShardGone(Exception):
    """The stream exists, the shard does not: its retention has passed."""


class Missing(Exception):
    """ResourceNotFoundException: the shard or the stream."""


def worth_retrying(exc: Exception) -> bool:
    if isinstance(exc, BotoConnectionError | HTTPClientError):
        return True
    if not isinstance(exc, ClientError):
        return False
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or exc.response.get("Error", {}).get("Code") in _RETRIED


def explained(connection: Connection, operation: str, exc: Exception) -> Exception:
    """What to raise for an error of a call that is not worth a retry."""
    place, stream = connection.place, connection.stream
    if isinstance(exc, NoCredentialsError | PartialCredentialsError):
        return SourceError(
            f"No AWS credentials to read stream {stream} at {place}. "
            "Give the job a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if not isinstance(exc, ClientError):
        return SourceError(f"Kinesis {operation} of stream {stream} at {place}: {exc}")
    code = exc.response.get("Error", {}).get("Code", "")
    if code == "ExpiredIteratorException":
        return ExpiredIterator()
    if code == "InvalidArgumentException":
        return InvalidPosition(str(exc))
    if code == "ResourceNotFoundException" and operation in ("get_shard_iterator", "get_records"):
        return Missing()
    if code == "ResourceNotFoundException":
        return SourceError(f"There is no stream {stream} at {place}. Create it, or correct stream.name or aws.region.")
    if code in _DENIED:
        return SourceError(
            f"Not allowed to read stream {stream} at {place}: {exc}. Allow {_ACTIONS[operation]} "
            f"(the job needs {', '.join(sorted(_ACTIONS.values()))}, and kms:Decrypt if the stream is encrypted)."
        )
    if code in _BAD_CREDENTIALS:
        return SourceError(f"AWS refuses the job's credentials for stream {stream} at {place}: {exc}. Renew them.")
    return SourceError(f"Kinesis {operation} of stream {stream} at {place}: {exc}")
