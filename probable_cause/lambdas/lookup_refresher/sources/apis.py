"""API Gateway: REST and HTTP APIs, and the VPC links through which they reach a VPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Placement, Resource, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import items


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """APIs by their ids (their own addresses are Amazon's), and links: of HTTP APIs with interfaces of their own."""
    rest, http = client("apigateway"), client("apigatewayv2")
    for one in items(rest, "get_rest_apis", "items"):
        kind = "AWS::ApiGateway::RestApi"
        yield Resource(one["id"], kind, unique(one.get("name")), one.get("tags") or {}, "API Gateway")
    for one in items(rest, "get_vpc_links", "items"):
        yield Resource(
            one["id"], "AWS::ApiGateway::VpcLink", (), one.get("tags") or {}, uses=tuple(one.get("targetArns") or ())
        )
    for one in items(http, "get_apis", "Items"):
        kind = "AWS::ApiGatewayV2::Api"
        yield Resource(one["ApiId"], kind, unique(one.get("Name")), one.get("Tags") or {}, "API Gateway")
    for one in _links(http):
        subnets, groups = frozenset(one.get("SubnetIds") or ()), frozenset(one.get("SecurityGroupIds") or ())
        yield Resource(
            id=one["VpcLinkId"],
            type="AWS::ApiGatewayV2::VpcLink",
            tags=one.get("Tags") or {},
            endpoint="API Gateway",
            uses=unique(*sorted(groups), *sorted(subnets)),
            placed=Placement("api_gateway_managed", subnets, groups),
        )


def _links(http: Any) -> Iterator[Any]:
    """boto3 has no paginator for these."""
    more: dict[str, str] = {}
    while True:
        page = http.get_vpc_links(**more)
        yield from page.get("Items") or ()
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}
