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
# Which route, or which entry of a network ACL, both in a call and in what AWS Config saw change.
_ENTRY = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "ruleNumber", "egress")


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
        and ("aws_config" not in (cause.family, recovery.family) or _same_entries(cause.message, recovery.message))
    )


def request_parameters(message: str) -> dict[str, Any]:
    """`requestParameters` of a CloudTrail record, also inside an EventBridge envelope; {} when there are none."""
    parameters = _record(message).get("requestParameters")
    return parameters if isinstance(parameters, dict) else {}


def _record(message: str, depth: int = 0) -> dict[str, Any]:
    """The record without what EventBridge, SNS or a Config rule put around it; {} when it is no JSON object."""
    try:
        record = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(record, dict):
        return {}
    detail = record.get("detail")
    if isinstance(detail, dict):
        return detail
    inner = record.get("Message", record.get("invokingEvent"))
    return _record(inner, depth + 1) if isinstance(inner, str) and depth < 3 else record


def _same_part(cause: dict[str, Any], recovery: dict[str, Any]) -> bool:
    return all(
        _covers(recovery[name], cause[name]) for name in _PARTS if name in cause and name in recovery and cause[name]
    )


def _same_entries(cause: str, recovery: str) -> bool:
    """Whether the recovery touched every entry that the cause did, wherever both tell of any."""
    wanted, given = _entries(cause), _entries(recovery)
    return not wanted or not given or wanted <= given


def _entries(message: str) -> set[str]:
    """The entries that a call names, or that a Config item has gained or lost. One that only moved within its list
    is before and after the same."""
    record = _record(message)
    parameters, difference = record.get("requestParameters"), record.get("configurationItemDiff")
    if isinstance(parameters, dict):
        touched = [parameters]
    else:
        changed = difference.get("changedProperties") if isinstance(difference, dict) else None
        changes = [one for one in changed.values() if isinstance(one, dict)] if isinstance(changed, dict) else []
        sides = [[one.get(name) for one in changes] for name in ("previousValue", "updatedValue")]
        before, after = ([one for one in side if isinstance(one, dict)] for side in sides)
        touched = [one for one in before if one not in after] + [one for one in after if one not in before]
    named = ({name: str(one[name]).lower() for name in _ENTRY if one.get(name) is not None} for one in touched)
    return {json.dumps(one, sort_keys=True) for one in named if one}


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
