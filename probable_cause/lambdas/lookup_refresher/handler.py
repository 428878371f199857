"""The Lambda behind a schedule.

Environment: `TABLE_PREFIX`; `LOOKUP`, JSON of conf `lookup:` (application_tags, stack_fallback, regions, roles,
external_id); `AWS_REGION` (set by Lambda) and `AWS_ENDPOINT_URL` for an emulator. The event may say {"dry_run": true}.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

from probable_cause.clock import wall_clock
from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.lookup_refresher.accounts import Options
from probable_cause.lambdas.lookup_refresher.refresh import refresh
from probable_cause.state.dynamodb import connect

log = logging.getLogger(__name__)
TAGS = ("Application", "application", "App", "app")


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Refreshes once; answers with the counts. Raises when nothing at all could be read, so that the alarm rings."""
    region = os.environ.get("AWS_REGION", "us-east-1")
    options = options_of(json.loads(os.environ.get("LOOKUP", "{}")), region)
    tables = connect(region, options.endpoint_url, os.environ.get("TABLE_PREFIX", ""))
    report = refresh(tables, options, wall_clock(), bool(event.get("dry_run")))
    told = {name: value for name, value in report.to_dict().items() if name != "changes"}
    log.warning("%s", json.dumps(told))
    if report.faults and not report.resources:
        raise ProbableCauseError(f"nothing could be read: {report.faults[0]}")
    return told


def options_of(told: Mapping[str, Any], region: str) -> Options:
    """Options from conf `lookup:` as JSON values; what is absent has its default."""
    return Options(
        application_tags=tuple(told.get("application_tags") or TAGS),
        stack_fallback=bool(told.get("stack_fallback", True)),
        regions=tuple(told.get("regions") or (region,)),
        roles=tuple(told.get("roles") or ()),
        external_id=told.get("external_id"),
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
    )
