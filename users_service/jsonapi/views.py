"""The endpoints of a resource: plain functions from a validated request to a document.

Each has its resource in `request.context`, and its Query, its document's values and its id in
`request.validated`, where the validators left them.
"""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from users_service.jsonapi import statements
from users_service.jsonapi.document import collection_document, single_document
from users_service.jsonapi.errors import not_found
from users_service.jsonapi.pagination import fetch_page

Json = dict[str, Any]


def list_resources(request: Request) -> Json:
    """Fetch a page of the collection (§6.1)."""
    resource, query = request.context, request.validated["query"]
    page = fetch_page(request.dbsession, resource, query.order, query.page)
    return collection_document(request, resource, query, page)


def create_resource(request: Request) -> Json:
    """Create a resource: 201 with its document and its Location (§7.1)."""
    resource = request.context
    entity = resource.model(**request.validated["values"])
    request.dbsession.add(entity)
    # Now, and not at COMMIT: a clash with another row is answered here.
    request.dbsession.flush()
    document = single_document(request, resource, entity)
    request.response.status_int = 201
    request.response.location = document["links"]["self"]
    return document


def read_resource(request: Request) -> Json:
    """Fetch one resource (§6.1)."""
    statement = statements.select_one(request.context, request.validated["id"])
    row = request.dbsession.execute(statement).one_or_none()
    if row is None:
        raise not_found()
    return single_document(request, request.context, row)


def update_resource(request: Request) -> Json:
    """Change attributes: 200 with the resource as it is now (§7.2)."""
    entity = _locked(request)
    for attribute, value in request.validated["values"].items():
        setattr(entity, attribute, value)
    request.dbsession.flush()
    return single_document(request, request.context, entity)


def delete_resource(request: Request) -> Response:
    """Delete a resource: 204 (§7.4)."""
    request.dbsession.delete(_locked(request))
    request.dbsession.flush()
    return Response(status=204, content_type=None)


def list_methods(request: Request) -> Response:
    """Name the methods of this URL (RFC 9110 §9.3.7)."""
    allow = ", ".join(sorted(request.current_service.defined_methods))
    return Response(status=204, content_type=None, headerlist=[("Allow", allow)])


def _locked(request: Request) -> Any:
    """Load the entity for a change, and keep others from changing it until this one is done."""
    entity = request.dbsession.get(
        request.context.model, request.validated["id"], with_for_update=True
    )
    if entity is None:
        raise not_found()
    return entity
