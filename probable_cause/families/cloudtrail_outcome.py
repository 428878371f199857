"""Whether a CloudTrail call failed. Most failures have an errorCode; some show in the response only."""

from __future__ import annotations

from typing import Any

from probable_cause.families.values import first, name

_FAILED = frozenset({"failure", "failed"})
_DRY_RUN = "DryRunOperation"
_ASKED = frozenset({"dryRun", "DryRun", "dry_run"})
_SUCCEEDED = frozenset({"_return", "return", "success"})
# Lists of what did not work in calls on several things, and the lists of what did.
_REFUSED = frozenset({"failures", "unsuccessful", "failedEntries", "unprocessedItems", "errors", "errorEntries"})
_DONE = ("tasks", "services", "successful", "successfulEntries", "entries", "containerInstances", "clusters")


def failure(record: dict[str, Any], insight: dict[str, Any]) -> tuple[str | None, str | None]:
    """(error code, error message) of a failed call, (None, None) of a successful one. A failure without a code of its
    own gets the code `Failure`."""
    code = name(record.get("errorCode")) or name(insight.get("errorCode"))
    message = name(record.get("errorMessage"))
    if code or message:
        return code, message
    for key in ("responseElements", "serviceEventDetails"):
        response = record.get(key)
        if isinstance(response, dict):
            found = _in_response(response)
            if found is not None:
                return found
    return None, None


def _in_response(response: dict[str, Any]) -> tuple[str | None, str | None] | None:
    bodies = [response]
    for key, value in response.items():
        kind = type(value)
        # {"ConsoleLogin": "Failure"}, {"CredentialVerification": "Failure"}
        if kind is str and value.lower() in _FAILED and key[:1].isupper():
            return "Failure", f"{key}: {value}"
        if value is False and key in _SUCCEEDED:
            return "Failure", f"the response says {key}: false"
        if kind is dict and key.endswith("Response"):
            bodies.append(value)
    for body in bodies:
        if not _REFUSED.isdisjoint(body):
            found = _refusal(body)
            if found is not None:
                return found
    return None


def _refusal(body: dict[str, Any]) -> tuple[str | None, str | None] | None:
    """The first thing that a call on several refused, if it did none of them."""
    if any(body.get(key) for key in _DONE):
        return None
    refused = next((body[key] for key in body if key in _REFUSED and body[key]), None)
    while isinstance(refused, dict) and refused.get("items"):
        refused = refused["items"]
    refused = refused if isinstance(refused, list) else [refused] if refused else []
    for item in refused:
        inner = item.get("error") if isinstance(item, dict) else None
        found = inner if isinstance(inner, dict) else item if isinstance(item, dict) else {}
        code = name(first(found, "code", "errorCode", "reason")) or "Failure"
        return code, name(first(found, "message", "errorMessage", "detail"))
    return None


def dry_run(record: dict[str, Any], error_code: str | None) -> bool:
    """Whether the call only asked if it would be allowed. EC2 answers such calls with an error."""
    if error_code and error_code.endswith(_DRY_RUN):
        return True
    parameters = record.get("requestParameters")
    if type(parameters) is not dict:
        return False
    if not _ASKED.isdisjoint(parameters):
        return any(str(parameters.get(key)).lower() == "true" for key in _ASKED)
    for key, value in parameters.items():  # {"DeleteFlowLogsRequest": {"DryRun": true}}
        if type(value) is dict and key.endswith("Request") and not _ASKED.isdisjoint(value):
            return any(str(value.get(word)).lower() == "true" for word in _ASKED)
    return False
