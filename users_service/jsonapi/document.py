"""Rows become documents (§5 Document Structure): resource objects, links and meta."""

from typing import Any

from pyramid.request import Request

from users_service.jsonapi import links
from users_service.jsonapi.errors import JSONAPI_OBJECT
from users_service.jsonapi.pagination import Link, Page
from users_service.jsonapi.query import Query
from users_service.jsonapi.resource import Resource

Json = dict[str, Any]


def resource_object(resource: Resource, collection: str, row: Any) -> Json:
    """Make one row, or an entity with the same attributes, into a resource object (§5.2).

    :param collection: the URL of the resource's collection.
    """
    id = resource.dump_id(row)
    attributes = {
        name: field.serialize(resource.attribute(name), row)
        for name, field in resource.readable.items()
    }
    return {
        "type": resource.type,
        "id": id,
        "attributes": attributes,
        "links": {"self": links.resource_url(collection, id)},
    }


def single_document(request: Request, resource: Resource, row: Any) -> Json:
    data = resource_object(resource, links.collection_url(request, resource), row)
    return {"jsonapi": JSONAPI_OBJECT, "links": {"self": data["links"]["self"]}, "data": data}


def collection_document(request: Request, resource: Resource, query: Query, page: Page) -> Json:
    url = links.collection_url(request, resource)
    kept = tuple(
        (name, value)
        for name, value in query.pairs
        if name not in ("page[after]", "page[before]", "page[number]")
    )

    def link(parameters: Link) -> str | None:
        if parameters is None:
            return None
        return links.with_query(url, (*kept, *parameters.items()))

    document: Json = {
        "jsonapi": JSONAPI_OBJECT,
        "links": {
            "self": links.with_query(url, query.pairs),
            "first": link(page.first),
            "prev": link(page.prev),
            "next": link(page.next),
            "last": link(page.last),
        },
        "data": [resource_object(resource, url, row) for row in page.rows],
    }
    if page.total is not None:
        document["meta"] = {"page": {"total": page.total}, "total": page.total}
    return document
