"""`probable-cause evaluate`: bundles through the job's own pipeline, and the report on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from probable_cause import session, settings
from probable_cause.evaluation import report
from probable_cause.evaluation.bundle import find
from probable_cause.evaluation.runner import Report, evaluate
from probable_cause.verdict import VerdictModel

# For many small jobs: planning and compiling them is nearly all of their cost, so the machine compiles little.
_COMPILES_LITTLE = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
_COLLECTOR = "-XX:+UseSerialGC"
_SMALL_JOBS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "1",
}
AT_ONCE = 2  # bundles side by side: while one waits for its Spark job, another plans its own


def measure(bundles: Sequence[Path], conf: Sequence[Path] = (), at_once: int = AT_ONCE, timed: bool = True) -> Report:
    """Runs the bundles at or below the given paths, one Spark session for all.

    Raises:
        BundleError: a path holds no bundle.
        SettingsError: `conf` has faults.
    """
    from probable_cause.evaluation.through_spark import SparkRunner

    folders = find(bundles)
    settings.load(*conf)
    java = f"{session.java_options(os.environ, _COLLECTOR)} {_COMPILES_LITTLE}"
    spark = session.build("probable-cause-evaluate", "local[2]", {**_SMALL_JOBS, "spark.driver.extraJavaOptions": java})
    try:
        runner = SparkRunner(spark, conf, timed)
        return evaluate(folders, runner, at_once, runner.prepare)
    finally:
        spark.stop()


def run(bundles: Sequence[Path], conf: str | Path | Sequence[str | Path] | None = None, as_json: bool = False) -> int:
    """Prints the report; 1 when a bundle could not be run, else 0: what was answered is for the reader to judge."""
    paths = [] if conf is None else [conf] if isinstance(conf, (str, Path)) else list(conf)
    found = measure([Path(one) for one in bundles], [Path(one) for one in paths])
    model = VerdictModel().with_overrides(settings.load(*paths).verdict)
    told = found.to_dict(model)
    shown = json.dumps(told, indent=2, ensure_ascii=False) if as_json else report.text(told, found.failed())
    sys.stdout.write(shown + "\n")
    return 1 if told["errors"] else 0
