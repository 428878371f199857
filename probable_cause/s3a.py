"""S3 outside of EMR: the jars of Hadoop's S3A, of Spark's own Hadoop.

Spark has Hadoop's client without its S3 part. That part names the whole AWS SDK, a bundle of 0.5 GB, and uses a few
modules of it: with those alone, and without what Spark has already, it is 13 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pyspark

from probable_cause.errors import EnvironmentFaultError

SDK = "2.29.52"  # of the AWS SDK for Java: what hadoop-aws 3.4.2 was built with
# The bundle, and what is among Spark's own jars.
EXCLUDED = (
    "software.amazon.awssdk:bundle",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.httpcomponents:*",
    "commons-codec:*",
    "io.netty:*",
)


def coordinates() -> list[str]:
    """Maven coordinates for the installed PySpark: Hadoop's S3A, what it reads and writes with, and assumed roles.

    Raises:
        EnvironmentFaultError: PySpark is here without its jars.
    """
    jars = Path(pyspark.__file__).parent / "jars"
    found = [re.fullmatch(r"hadoop-client-api-([\d.]+)\.jar", jar.name) for jar in jars.glob("hadoop-client-api-*")]
    hadoop = [one.group(1) for one in found if one]
    if not hadoop:
        raise EnvironmentFaultError(f"{jars}: no hadoop-client-api-VERSION.jar, so which hadoop-aws goes with it?")
    modules = [f"software.amazon.awssdk:{module}:{SDK}" for module in ("s3-transfer-manager", "sts")]
    return [f"org.apache.hadoop:hadoop-aws:{hadoop[0]}", *modules]


def needed(paths: Iterable[str]) -> bool:
    """Whether one of the paths is S3A's."""
    return any(path.startswith("s3a://") for path in paths)
