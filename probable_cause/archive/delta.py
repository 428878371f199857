"""Delta: which jars, which settings of the session, and the few things done to a table.

The jars are one version choice with Spark (setup.py): `delta-spark` names its own version, PySpark the rest of the
coordinates. EMR brings its own jars; elsewhere Spark fetches them from Maven once into Ivy's cache.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from probable_cause.errors import EnvironmentFaultError, ProbableCauseError

EVENTS, REJECTS, STATES, VERDICTS = "events_of_interest", "rejected_records", "state_history", "verdicts"
ALL_EVENTS = "events"  # optional, of a job of its own
# Columns that a table is laid out by on disk; `day` is the UTC date.
PARTITIONS = {
    EVENTS: ("day", "family"),
    REJECTS: ("day", "family"),
    STATES: ("day",),
    VERDICTS: ("day",),
    ALL_EVENTS: ("day", "family"),
}
_SEARCHED = ("application_id", "event_time")
_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
_SCALA = "2.13"

# Read when the session starts.
SETTINGS = {
    "spark.sql.extensions": _EXTENSION,
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # A table's log is small here; the default of 50 tasks for reading it would be most of a commit's time.
    "spark.databricks.delta.snapshotPartitions": "1",
    # Vacuum lists folders in as many tasks as this, whatever the table's size; Spark's default is 10,000.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
}


def coordinates() -> str:
    """Maven coordinates of the jar for the installed PySpark, e.g. `io.delta:delta-spark_4.1_2.13:4.2.0`.

    Raises:
        EnvironmentFaultError: delta-spark is not installed.
    """
    try:
        spark = ".".join(version("pyspark").split(".")[:2])
        return f"io.delta:delta-spark_{spark}_{_SCALA}:{version('delta-spark')}"
    except PackageNotFoundError as exc:
        raise EnvironmentFaultError(
            "the archive needs delta-spark: pip install 'probable-cause[archive]', or set archive.enabled: false"
        ) from exc


def available(spark: SparkSession) -> bool:
    """Whether this session can read and write Delta: jars on its path, extension among its settings."""
    if _EXTENSION not in str(spark.conf.get("spark.sql.extensions", "")):
        return False
    try:
        spark._jvm.org.apache.spark.util.Utils.classForName(_EXTENSION, True, False)  # type: ignore[union-attr]
    except Exception:  # Py4J's wrapping of ClassNotFoundException
        return False
    return True


def require(spark: SparkSession) -> None:
    """Raises EnvironmentFaultError, with what to do, when the session has no Delta."""
    if not available(spark):
        raise EnvironmentFaultError(
            "this Spark has no Delta jars: let it reach Maven, or give spark-submit "
            f"`--packages {coordinates()}` (on EMR: --jars with the release's own Delta jars)"
        )


def for_few_rows(spark: SparkSession) -> SparkSession:
    """A session of its own for few rows through large expressions, where compiling costs more than it saves."""
    session = spark.newSession()
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    return session


def append(rows: DataFrame, path: str, table: str, transaction: tuple[str, int] | None = None) -> None:
    """Adds rows to a table, which is made when missing; new columns are taken in.

    Args:
        transaction: (application id, version): Delta itself ignores a version that it has seen, or a lower one.
    """
    writer = searched_first(rows).write.format("delta").mode("append").option("mergeSchema", "true")
    writer = writer.partitionBy(*PARTITIONS[table])
    if transaction is not None:
        writer = writer.option("txnAppId", transaction[0]).option("txnVersion", str(transaction[1]))
    writer.save(f"{path.rstrip('/')}/{table}")


def searched_first(rows: DataFrame) -> DataFrame:
    """Delta keeps statistics of a table's first 32 columns: what readers search by must be among them."""
    first = [name for name in _SEARCHED if name in rows.columns]
    return rows.select(*first, *(name for name in rows.columns if name not in first))


def read(spark: SparkSession, path: str, table: str) -> DataFrame:
    """A table of the archive at `path`.

    Raises:
        EnvironmentFaultError: no Delta in this session.
        ProbableCauseError: no such table.
    """
    require(spark)
    try:
        return spark.read.format("delta").load(f"{path.rstrip('/')}/{table}")
    except AnalysisException as exc:
        raise ProbableCauseError(
            f"{path}/{table}: no such table of the archive; the job writes it when archive.enabled is true"
        ) from exc


def exists(spark: SparkSession, path: str, table: str) -> bool:
    """Whether the table is there now. Raises EnvironmentFaultError: no Delta in this session."""
    require(spark)
    # Not isDeltaTable(): it goes on saying no of a folder that it saw before another process made the first commit.
    try:
        read(spark, path, table)
    except ProbableCauseError:
        return False
    return True


def delta_table(spark: SparkSession, path: str, table: str) -> Any:
    """The table for maintenance. Raises as read()."""
    from delta.tables import DeltaTable

    read(spark, path, table)
    return DeltaTable.forPath(spark, f"{path.rstrip('/')}/{table}")
