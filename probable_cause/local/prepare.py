"""Makes what an emulated account needs before job and page can start: `python -m probable_cause.local.prepare CONF`.

The stream, a subscribed log group of each family, and the tables. What is there already stays.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from probable_cause import settings
from probable_cause.errors import ProbableCauseError
from probable_cause.local import account
from probable_cause.state import dynamodb

GROUPS = ("/aws/cloudtrail", "/aws/config", "/vpc/flow", "/app/shop")


def main(confs: Sequence[str]) -> int:
    """Exit code 1 for a configuration that names no emulator: AWS itself is for CloudFormation."""
    loaded = settings.load(*confs)
    if loaded.endpoint_url is None:
        raise ProbableCauseError("aws.endpoint_url is null: this is for an emulator; for AWS see docs/deploy.md")
    arn = account.create_stream(loaded)
    account.subscribe(loaded, GROUPS, arn)
    created = dynamodb.create(loaded.region, loaded.endpoint_url, loaded.table_prefix)
    sys.stdout.write(f"stream {arn}; log groups {', '.join(GROUPS)}; {len(created)} tables created\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ProbableCauseError as exc:
        sys.stderr.write(f"{exc}\n")
        sys.exit(1)
