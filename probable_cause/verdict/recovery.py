"""Which causes are over because something undid them: a start after a stop, the same rule authorised again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from probable_cause.state.event_of_interest import EventOfInterest

# Request parameters that say which part of a resource a call concerns. A recovery undoes a cause only if these agree
# wherever both calls name them: opening port 443 does not undo closing port 5432 of the same group.
_PARTS = (
    "ipPermissions",
    "securityGroupRuleIds",
    "destinationCidrBlock",
    "destinationIpv6CidrBlock",
    "ruleNumber",
    "egress",
    "targets",
    "instances",
    "policyArn",
    "policyName",
    "listenerArn",
)


def recovered(events: Sequence[EventOfInterest]) -> dict[str, EventOfInterest]:
    """Event key of each cause that a later recovery undid -> that recovery (the first that did).

    A recovery undoes causes of the rules that it lists, on a resource that both name, seen last before it. A cause that
    came again after its recovery is open.
    """
    recoveries = sorted(
        (one for one in events if one.role == "recovery"), key=lambda one: (one.last_seen, one.event_key)
    )
    found: dict[str, EventOfInterest] = {}
    for cause in (one for one in events if one.role == "cause"):
        for recovery in recoveries:
            if undoes(recovery, cause):
                found[cause.event_key] = recovery
                break
    return found


def undoes(recovery: EventOfInterest, cause: EventOfInterest) -> bool:
    """Whether this recovery ends this cause."""
    return (
        cause.rule_id in recovery.resolves
        and recovery.last_seen >= cause.last_seen
        and bool(set(recovery.resource_ids) & set(cause.resource_ids))
        and _same_part(request_parameters(cause.message), request_parameters(recovery.message))
    )


def request_parameters(message: str) -> dict[str, Any]:
    """`requestParameters` of a CloudTrail record, also inside an EventBridge envelope; {} when there are none."""
    try:
        record = json.loads(message)
    except ValueError:
        return {}
    if isinstance(record, dict) and isinstance(record.get("detail"), dict):
        record = record["detail"]
    parameters = record.get("requestParameters") if isinstance(record, dict) else None
    return parameters if isinstance(parameters, dict) else {}


def _same_part(cause: dict[str, Any], recovery: dict[str, Any]) -> bool:
    return all(
        _covers(recovery[name], cause[name]) for name in _PARTS if name in cause and name in recovery and cause[name]
    )


def _covers(whole: Any, part: Any) -> bool:
    """Whether everything that `part` names is named by `whole` too. Lists are compared as sets, texts as texts."""
    wanted, given = set(_leaves(part)), set(_leaves(whole))
    return wanted <= given


def _leaves(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        # A list of rules is compared rule by rule, so that port and range stay together.
        items = value.get("items")
        if isinstance(items, list):
            yield from _leaves(items, path)
            return
        for name, below in value.items():
            if name not in ("description",):
                yield from _leaves(below, f"{path}.{name}")
    elif isinstance(value, list):
        for below in value:
            if isinstance(below, dict):
                yield path, json.dumps(sorted(_leaves(below)))
            else:
                yield from _leaves(below, path)
    elif value is not None:
        yield path, str(value)
