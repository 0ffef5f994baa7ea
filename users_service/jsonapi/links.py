"""URLs of resources and documents: absolute, made from the routes, reserved characters escaped."""

from typing import Any
from urllib.parse import quote, urlencode

from pyramid.request import Request

from users_service.jsonapi.query import Pairs
from users_service.jsonapi.resource import Relationship, Resource

# The routes to what is no resource.
ENTRY = "jsonapi"
OPERATIONS = "jsonapi:operations"
DESCRIPTION = "jsonapi:openapi"


def route_name(resource: Resource, *parts: str) -> str:
    """The name of the route to a collection, or to what is below it."""
    return ":".join(["jsonapi", "resource", resource.type, *parts])


def collection_url(request: Request, resource: Resource) -> str:
    url: str = request.route_url(route_name(resource), suffix="")
    return url


def description_url(request: Request) -> str | None:
    """Where the description of the API is (§5.1 `describedby`); None if the host serves none."""
    if "jsonapi_description" not in request.registry:
        return None
    url: str = request.route_url(DESCRIPTION)
    return url


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
    return f"{url}?{urlencode(pairs, quote_via=quote, safe=',')}" if pairs else url
