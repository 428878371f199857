"""Whether a CloudTrail call failed. Most failures have an errorCode; some show in the response only."""

from __future__ import annotations

from typing import Any

from probable_cause.families.values import first, name

_FAILED = frozenset({"failure", "failed"})
_DRY_RUN = "DryRunOperation"
# Lists of what did not work in calls on several things, and the lists of what did.
_REFUSED = ("failures", "unsuccessful", "failedEntries", "unprocessedItems", "errors", "errorEntries")
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
    for key, value in response.items():
        # {"ConsoleLogin": "Failure"}, {"CredentialVerification": "Failure"}
        if isinstance(value, str) and value.lower() in _FAILED and key[:1].isupper():
            return "Failure", f"{key}: {value}"
    if response.get("_return") is False or response.get("return") is False or response.get("success") is False:
        return "Failure", "the response says that the call did not succeed"
    for body in (response, *(value for key, value in response.items() if key.endswith("Response"))):
        if isinstance(body, dict) and not any(body.get(key) for key in _DONE):
            refused = first(body, *_REFUSED)
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
    if not isinstance(parameters, dict):
        return False
    bodies = [parameters, *(value for key, value in parameters.items() if key.endswith("Request"))]
    return any(
        str(body.get(key)).lower() == "true"
        for body in bodies
        if isinstance(body, dict)
        for key in ("dryRun", "DryRun", "dry_run")
    )
