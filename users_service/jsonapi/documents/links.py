"""Makes the URLs in documents: absolute, from the routes, with reserved characters escaped."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pyramid.request import Request

from ..api import api_of
from ..reading import Pairs
from ..resource import Relationship, Resource

# The names of routes that belong to no resource.
ENTRY_ROUTE = "jsonapi"
OPERATIONS_ROUTE = "jsonapi:operations"
DESCRIPTION_ROUTE = "jsonapi:openapi"


def route_name(resource: Resource, *parts: str) -> str:
    """The name of the route to a collection.

    :param parts: further parts, for a route below the collection.
    """
    return ":".join(["jsonapi", "resource", resource.type, *parts])


def base_url(request: Request) -> str:
    """The URL of the application, which all its URLs begin with."""
    url: str = request.application_url
    return url


def _url(request: Request, name: str, **elements: str) -> str:
    """The URL of a route without variables. Its path is made once."""
    paths = api_of(request.registry).paths
    if name not in paths:
        paths[name] = request.route_url(name, _app_url="", **elements)
    return str(request.jsonapi_base_url) + paths[name]


def collection_url(request: Request, resource: Resource) -> str:
    return _url(request, route_name(resource), suffix="")


def description_url(request: Request) -> str | None:
    """The URL of the OpenAPI document (§5.1 `describedby`); None if the host serves none."""
    if api_of(request.registry).information is None:
        return None
    return _url(request, DESCRIPTION_ROUTE)


def is_batch(request: Request) -> bool:
    """Whether a request has atomic operations, which lock rows in the order of the client."""
    route = request.matched_route
    return route is not None and route.name == OPERATIONS_ROUTE


def resource_url(collection: str, id: Any) -> str:
    """The URL of a resource.

    :param collection: the URL of its collection.
    """
    return f"{collection}/{quote(str(id), safe='')}"


def relationship_links(url: str, relationship: Relationship) -> dict[str, str]:
    """The links of a relationship (§5.2.3 Relationships).

    :param url: the URL of the resource that has it.
    """
    return {
        "self": f"{url}/relationships/{relationship.name}",
        "related": f"{url}/{relationship.name}",
    }


def with_query(url: str, pairs: Pairs) -> str:
    return f"{url}?{_encoded(pairs)}" if pairs else url


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Add query parameters to a URL, which may have some already."""
    if not parameters:
        return url
    return f"{url}{'&' if '?' in url else '?'}{_encoded(parameters.items())}"


def _encoded(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_encoded_name(name)}={quote(value, safe=',')}" for name, value in pairs)


@lru_cache(maxsize=256)
def _encoded_name(name: str) -> str:
    return quote(name, safe=",")
