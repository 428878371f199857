"""Relevance with time decay, as a Column. state/event_of_interest.py has the same formula in Python; a test holds them
equal."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F


def relevance_at(now: Column, base: Column, last_seen: Column, half_life: Column, window: Column) -> Column:
    """base * 2^(-(now - last_seen) / half_life); 0 when now - last_seen > window (design contract 3.2).

    Args:
        now, last_seen: timestamps.
        base: relevance at last_seen, 0-10. The number of repeats does not raise it.
        half_life, window: seconds.
    """
    age = F.unix_micros(now) / 1e6 - F.unix_micros(last_seen) / 1e6
    decayed = base * F.pow(F.lit(2.0), -F.greatest(age, F.lit(0.0)) / half_life)
    return F.when(age > window, F.lit(0.0)).otherwise(decayed)
