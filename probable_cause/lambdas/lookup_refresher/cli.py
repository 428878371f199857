"""`probable-cause lookup refresh` and `lookup formats`: what they print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace

import yaml

from probable_cause import commands
from probable_cause.clock import wall_clock
from probable_cause.lambdas.lookup_refresher import formats
from probable_cause.lambdas.lookup_refresher.handler import options_of
from probable_cause.lambdas.lookup_refresher.refresh import refresh
from probable_cause.settings import Settings
from probable_cause.state import dynamodb


def run(chosen: argparse.Namespace, settings: Settings, show: Callable[[str], None]) -> int:
    """Exit code 1 when something could not be read."""
    options = replace(options_of(settings.lookup_scan, settings.region), endpoint_url=settings.endpoint_url)
    if chosen.action == "formats":
        entries, remarks = formats.log_groups(options)
        if chosen.json:
            show(commands.as_json({"log_groups": entries, "remarks": remarks}))
        else:
            show(yaml.safe_dump({"log_groups": entries}, sort_keys=False, width=10_000).rstrip())
            for remark in remarks:
                sys.stderr.write(f"{remark}\n")
        return 0 if entries else 1
    tables = dynamodb.connect(settings.region, settings.endpoint_url, settings.table_prefix)
    report = refresh(tables, options, wall_clock(), chosen.dry_run)
    if chosen.json:
        show(commands.as_json(report.to_dict()))
    else:
        for change in report.changes:
            show(str(change))
        told = report.to_dict()
        would = "would be " if chosen.dry_run else ""
        show(
            f"{told['resources']} resources, {told['rows']} rows: {told['opened']} {would}opened, {told['closed']} "
            f"{would}closed, {told['updated']} {would}updated"
        )
        for fault in report.faults:
            sys.stderr.write(f"not read: {fault}\n")
    return 1 if report.faults else 0
