"""Each source asks one or two services and yields resources. All calls are paginated reads.

`ALL` is every source by name. A source is called with `client(service)`; it raises botocore's errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Resource
from probable_cause.lambdas.lookup_refresher.sources import (
    apis,
    balancers,
    compute,
    containers,
    databases,
    network,
    tagged,
)

Clients = Callable[[str], Any]
Source = Callable[[Clients, Sequence[str]], Iterator[Resource]]

ALL: dict[str, Source] = {
    "network": network.find,
    "compute": compute.find,
    "balancers": balancers.find,
    "apis": apis.find,
    "databases": databases.find,
    "containers": containers.find,
    "tagged": tagged.find,
}
