"""Found first on PYTHONPATH by every Python process of a job under test, the source's own among them: the one guard
that lives there, parents before children, is switched off here when the harness says so."""

import os

if "children" in os.environ.get("CHAOS_OFF", "").split(","):
    from probable_cause.sources import lineage

    def born_at_once(listed, tracked):  # type: ignore[no-untyped-def]
        return [shard.id for shard in listed if shard.id not in tracked]

    lineage.born = born_at_once
