"""URLs of resources and documents: absolute, made from the routes, reserved characters escaped."""

from urllib.parse import quote, urlencode

from pyramid.request import Request

from users_service.jsonapi.query import Pairs
from users_service.jsonapi.resource import Resource


def route_names(resource: Resource) -> tuple[str, str]:
    """The names of the routes to the collection and to one resource of it."""
    return f"jsonapi:{resource.type}", f"jsonapi:{resource.type}:item"


def collection_url(request: Request, resource: Resource) -> str:
    url: str = request.route_url(route_names(resource)[0], suffix="")
    return url


def resource_url(collection: str, id: str) -> str:
    """The URL of a resource, below that of its collection."""
    return f"{collection}/{quote(id, safe='')}"


def with_query(url: str, pairs: Pairs) -> str:
    return f"{url}?{urlencode(pairs, quote_via=quote, safe=',')}" if pairs else url
