"""URLs of resources and documents: absolute, made from the routes, reserved characters escaped."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pyramid.request import Request

from ..api import api_of
from ..reading import Pairs
from ..resource import Relationship, Resource

# The routes to what is no resource.
ENTRY = "jsonapi"
OPERATIONS = "jsonapi:operations"
DESCRIPTION = "jsonapi:openapi"


def route_name(resource: Resource, *parts: str) -> str:
    """The name of the route to a collection, or to what is below it."""
    return ":".join(["jsonapi", "resource", resource.type, *parts])


def base_url(request: Request) -> str:
    """What every URL of the application begins with."""
    url: str = request.application_url
    return url


def _url(request: Request, name: str, **elements: str) -> str:
    """The URL of a route whose path is always the same: it is made once."""
    paths = api_of(request.registry).paths
    if name not in paths:
        paths[name] = request.route_url(name, _app_url="", **elements)
    return str(request.jsonapi_base_url) + paths[name]


def collection_url(request: Request, resource: Resource) -> str:
    return _url(request, route_name(resource), suffix="")


def description_url(request: Request) -> str | None:
    """Where the description of the API is (§5.1 `describedby`); None if the host serves none."""
    if api_of(request.registry).information is None:
        return None
    return _url(request, DESCRIPTION)


def is_batch(request: Request) -> bool:
    """Whether a request asks for atomic operations, in an order that is its client's."""
    route = request.matched_route
    return route is not None and route.name == OPERATIONS


def below(collection: str, id: Any) -> str:
    """The URL of a resource, below that of its collection."""
    return f"{collection}/{quote(str(id), safe='')}"


def relationship_links(url: str, relationship: Relationship) -> dict[str, str]:
    """The links of a relationship of the resource at a URL (§5.2.3 Relationships)."""
    return {
        "self": f"{url}/relationships/{relationship.name}",
        "related": f"{url}/{relationship.name}",
    }


def with_query(url: str, pairs: Pairs) -> str:
    return f"{url}?{_encoded(pairs)}" if pairs else url


def with_more(url: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to those that a URL may have already."""
    if not parameters:
        return url
    return f"{url}{'&' if '?' in url else '?'}{_encoded(parameters.items())}"


def _encoded(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_encoded_name(name)}={quote(value, safe=',')}" for name, value in pairs)


@lru_cache(maxsize=256)
def _encoded_name(name: str) -> str:
    return quote(name, safe=",")
