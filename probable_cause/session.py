"""The Spark session of the job, and the few settings that the job depends on. Only jobs and the CLI build one."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping

from py4j.protocol import Py4JError
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from probable_cause import s3a
from probable_cause.archive import delta
from probable_cause.errors import EnvironmentFaultError

log = logging.getLogger(__name__)

# Each with its reason.
_ALWAYS = {
    "spark.sql.session.timeZone": "UTC",
    # A batch is small once it is folded; Spark's default of 200 tasks would be most of its time.
    "spark.sql.shuffle.partitions": "2",
    # A batch that is read by two attempts of one task would read its shard twice against the same limit.
    "spark.speculation": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Each call that makes a column would tell Spark its line of ours, in three calls more.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # Inferring what else must hold where a rule's condition holds took 0.6 s of each batch's planning, for nothing.
    "spark.sql.constraintPropagation.enabled": "false",
    # Rows are held for two readings: to compress them takes a tenth of what it takes to make and read them.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # Adaptive plans re-plan each stage: more driver work than a batch's few rows can win back.
    "spark.sql.adaptive.enabled": "false",
    # From so many groups on, an aggregate of lists sorts what it has instead of looking it up, which is slower by far.
    # The default of 128 is what an ordinary batch has of causes.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "20000",
    # It works out a local table's rows before constants are folded, and would parse all rules anew for each row.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation",
}
UNREACHABLE = (Py4JError, OSError)  # what a call into a JVM raises that is not there any more
GONE = (
    "Spark's JVM ended under the job: it was killed, or ran out of memory (the kernel's log and Spark's own output say "
    "which). Start the job again, with more memory if that was it: checkpoint and tables are kept, and the batch in "
    "progress is read again"
)
# Stack of a thread: what a rule's regular expression may need (rules/spark_sql.py). Only pages that are used are real.
STACK = "-Xss8m"
# Two cores have none to spare for a collector that works beside the job: with this one, EMR's default, verdicts come an
# eighth sooner beside a flood (docs/benchmark.md).
COLLECTOR = "-XX:+UseParallelGC"
_ANY_COLLECTOR = re.compile(r"-XX:\+Use\w+GC\b")
_READ_BY_JAVA = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
_LAPTOP = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.ui.showConsoleProgress": "false",
    # A checkpoint on this disk without checksums beside its files: for each file that Hadoop makes, it starts a chmod.
    # A batch makes two, which took 66 ms with checksums and takes 38 without.
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
}


def build(
    name: str,
    master: str | None = None,
    confs: Mapping[str, str] | None = None,
    archive: bool = False,
    paths: Iterable[str] = (),
) -> SparkSession:
    """A session with the job's settings.

    Jars come from Maven, once; under spark-submit they are given by `--packages` or `--jars`. A session that is there
    already has them or not.

    Args:
        master: None under spark-submit, which has chosen it; else such as `local[2]`.
        confs: over the job's own.
        archive: with Delta. When its jars can't be had, the session starts without them, with one warning.
        paths: folders that Spark will read or write; s3a:// needs jars, too.

    Raises:
        EnvironmentFaultError: the jars of s3a:// can't be had.
    """
    if SparkSession.getActiveSession() is not None:
        return _build(name, master, confs)
    on_s3 = s3a.coordinates() if master is not None and s3a.needed(paths) else []
    if archive:
        try:
            packages = [delta.coordinates(), *on_s3] if master is not None else []
            return _build(name, master, {**delta.SETTINGS, **_from_maven(packages), **(confs or {})})
        except EnvironmentFaultError as exc:
            log.warning("no archive: %s", exc)
        except PySparkRuntimeError as exc:
            if not _is_without_jars(exc):
                raise
            log.warning("no archive: Spark could not get %s from Maven (see above)", " ".join(packages))
    try:
        return _build(name, master, {**_from_maven(on_s3), **(confs or {})})
    except PySparkRuntimeError as exc:
        if not on_s3 or not _is_without_jars(exc):
            raise
        raise EnvironmentFaultError(
            f"Spark could not get {' '.join(on_s3)} from Maven (see above), which s3a:// paths need: let it reach "
            "Maven, or choose folders on disk (docs/archive.md)"
        ) from exc


def _from_maven(packages: list[str]) -> dict[str, str]:
    if not packages:
        return {}
    return {"spark.jars.packages": ",".join(packages), "spark.jars.excludes": ",".join(s3a.EXCLUDED)}


def _is_without_jars(error: PySparkRuntimeError) -> bool:
    return "JAVA_GATEWAY_EXITED" in str(error)


def _build(name: str, master: str | None, confs: Mapping[str, str] | None) -> SparkSession:
    # Python workers (the source's among them) start with whatever `python3` is on the PATH otherwise, and fail to
    # connect back when that one has no pyspark.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    settings = dict(_ALWAYS)
    builder = SparkSession.builder.appName(name)
    if master is not None:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = builder.master(master)
        settings |= {**_LAPTOP, "spark.driver.extraJavaOptions": java_options(os.environ)}
    settings |= dict(confs or {})
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def java_options(environment: Mapping[str, str], collector: str = COLLECTOR) -> str:
    """Of Java on one machine: its stack, and this collector unless the environment names one, for with two it does not
    start."""
    given = " ".join(environment.get(name, "") for name in _READ_BY_JAVA)
    return STACK if _ANY_COLLECTOR.search(given) else f"{STACK} {collector}"


def is_gone(spark: SparkSession) -> bool:
    """Whether the session's JVM no longer answers."""
    try:
        spark._jvm.java.lang.System.nanoTime()  # type: ignore[union-attr]
    except UNREACHABLE:
        return True
    return False
