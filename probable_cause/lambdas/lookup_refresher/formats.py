"""The formats of the account's flow logs, as conf `log_groups:` wants them."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.lookup_refresher.accounts import Options, places
from probable_cause.lambdas.lookup_refresher.sources.pages import items


def log_groups(options: Options) -> tuple[list[dict[str, Any]], list[str]]:
    """(entries for conf `log_groups:`, remarks for people), one entry a log group that flow logs write to.

    Raises:
        ProbableCauseError: flow logs can't be read anywhere.
    """
    formats: dict[str, str] = {}
    remarks: list[str] = []
    for place in places(options):
        if isinstance(place, str):
            remarks.append(place)
            continue
        try:
            flow_logs = list(items(place.client("ec2"), "describe_flow_logs", "FlowLogs"))
        except (ClientError, BotoCoreError) as exc:
            raise ProbableCauseError(f"{place.scope}: flow logs can't be read: {exc}") from exc
        for one in sorted(flow_logs, key=lambda one: str(one["FlowLogId"])):
            _add(one, place.scope, formats, remarks)
    entries = [
        {"pattern": f"^{re.escape(group)}$", "family": "vpc_flow", "format": form}
        for group, form in sorted(formats.items())
    ]
    return entries, remarks


def _add(one: dict[str, Any], scope: str, formats: dict[str, str], remarks: list[str]) -> None:
    name, group, form = one["FlowLogId"], one.get("LogGroupName"), one.get("LogFormat") or ""
    if one.get("LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs" or not group:
        remarks.append(f"{scope}: {name} goes to {one.get('LogDestinationType')}, not to CloudWatch Logs: not read")
        return
    if formats.setdefault(group, form) != form:
        remarks.append(f"{scope}: {name} writes another format into {group} than others: give it a group of its own")
    if one.get("TrafficType") == "ACCEPT":
        remarks.append(f"{scope}: {name} logs ACCEPT only; symptoms are REJECT")
    if "pkt-srcaddr" not in form or "pkt-dstaddr" not in form:
        remarks.append(
            f"{scope}: {name} has no pkt-srcaddr and pkt-dstaddr: traffic through NAT and load balancers shows the "
            "interface's address only"
        )
