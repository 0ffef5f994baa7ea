"""The endpoints: plain functions from a validated request to a document.

Each has its resource or its relationship in `request.context`; its Query, its id, and what its
document says in `request.validated`, where the validators left them.
"""

from dataclasses import replace
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from users_service.jsonapi import actions, links, operations, statements
from users_service.jsonapi.document import DocumentBuilder
from users_service.jsonapi.errors import JSONAPI_OBJECT, not_found
from users_service.jsonapi.include import Included, load_included
from users_service.jsonapi.media import PLAIN, respond
from users_service.jsonapi.pagination import Page, fetch_page
from users_service.jsonapi.preconditions import Precondition
from users_service.jsonapi.query import CursorPage, Query
from users_service.jsonapi.resource import Relationship, Resource

Json = dict[str, Any]


def list_resources(request: Request) -> Json:
    """Fetch a page of the collection (§6.1)."""
    resource, query = request.context, request.validated["query"]
    if query.include or not isinstance(query.page, CursorPage) or query.page.total:
        statements.begin_snapshot(request.dbconnection)
    page = _page(request, resource, query)
    builder = DocumentBuilder(request, query, _included(request, resource, page.rows, query))
    return builder.page(resource, page, links.collection_url(request, resource))


def create_resource(request: Request) -> Response:
    """Create a resource: 201 with its document and its Location (§7.1)."""
    resource = request.context
    entity = actions.create(request.dbconnection, resource, request.validated["loaded"], {})
    document = _single(request, resource, entity)
    location = links.below(links.collection_url(request, resource), resource.id_of(entity))
    return respond(request, document, status=201, Location=location)


def read_resource(request: Request) -> Json:
    """Fetch one resource (§6.1)."""
    resource, query = request.context, request.validated["query"]
    if query.include:
        statements.begin_snapshot(request.dbconnection)
    statement = statements.select_one(statements.selected(resource, query, query.include))
    row = _row(request, statement, id=request.validated["id"])
    if row is None:
        raise not_found()
    return _single(request, resource, row)


def update_resource(request: Request) -> Json:
    """Change a resource: 200 with the resource as it is now (§7.2)."""
    resource, validated = request.context, request.validated
    entity = actions.update(
        request.dbconnection,
        resource,
        validated["id"],
        validated["loaded"],
        {},
        _precondition(request),
    )
    return _single(request, resource, entity)


def delete_resource(request: Request) -> Response:
    """Delete a resource: 204 (§7.4)."""
    actions.delete(
        request.dbconnection, request.context, request.validated["id"], _precondition(request)
    )
    return _nothing()


def list_related(request: Request) -> Json:
    """Fetch a page of the resources that one relates to (§6.1)."""
    relationship, query = request.context, request.validated["query"]
    url = _source_links(request)["related"]
    _source_version(request)
    target = relationship.target
    page = _page(request, target, query, relationship)
    builder = DocumentBuilder(request, query, _included(request, target, page.rows, query))
    return builder.page(target, page, url)


def read_related(request: Request) -> Json:
    """Fetch the resource that one relates to, or null (§6.1)."""
    relationship, query = request.context, request.validated["query"]
    url = _source_links(request)["related"]
    _source_version(request)
    target = relationship.target
    row = _target(request, query)
    rows = [] if row is None else [row]
    builder = DocumentBuilder(request, query, _included(request, target, rows, query))
    return builder.one(target, row, url)


def list_linkage(request: Request) -> Json:
    """Fetch a page of the identifiers of a to-many relationship (§6.1.2)."""
    relationship, query = request.context, request.validated["query"]
    request.validated["version"] = _source_version(request)
    target = relationship.target
    page = _page(request, target, _behind(relationship, query), relationship)
    included = _included_here(request, relationship, page.rows)
    builder = DocumentBuilder(request, query, included)
    ids = [target.id_of(row) for row in page.rows]
    return builder.linkage(relationship, ids, _source_links(request), page)


def read_linkage(request: Request) -> Json:
    """Fetch the identifier of a to-one relationship, or null (§6.1.2)."""
    relationship, query = request.context, request.validated["query"]
    request.validated["version"] = _source_version(request)
    target = relationship.target
    row = _target(request, _behind(relationship, query))
    included = _included_here(request, relationship, [] if row is None else [row])
    builder = DocumentBuilder(request, query, included)
    id = None if row is None else target.id_of(row)
    return builder.linkage(relationship, id, _source_links(request), None)


def replace_linkage(request: Request) -> Response:
    """Set a relationship: 204 (§7.3)."""
    return _change_linkage(request, "replace")


def add_linkage(request: Request) -> Response:
    """Add members to a to-many relationship: 204, also if they were there (§7.3.2)."""
    return _change_linkage(request, "add")


def remove_linkage(request: Request) -> Response:
    """Remove members from a to-many relationship: 204, also if they were not there (§7.3.2)."""
    return _change_linkage(request, "remove")


def perform_operations(request: Request) -> Json:
    """Perform atomic operations: 200 with a result for each."""
    results = operations.perform(request, request.validated["document"])
    return {"jsonapi": JSONAPI_OBJECT} | results


def show_entry(request: Request) -> Json:
    """Say where everything is."""
    resources = request.registry["jsonapi_resources"].values()
    found = {r.type: links.collection_url(request, r) for r in resources}
    own = request.route_url(links.ENTRY)
    return {
        "jsonapi": JSONAPI_OBJECT,
        "links": {"self": own} | found,
        "meta": {"operations": request.route_url(links.OPERATIONS)},
    }


def list_methods(request: Request) -> Response:
    """Name the methods of this URL (RFC 9110 §9.3.7)."""
    allow = ", ".join(sorted(request.current_service.defined_methods))
    return Response(status=204, content_type=None, headerlist=[("Allow", allow)])


def _single(request: Request, resource: Resource, row: Any) -> Json:
    query = request.validated["query"]
    request.validated["version"] = resource.version_of(row)
    return DocumentBuilder(request, query, _included(request, resource, [row], query)).one(
        resource, row
    )


def _behind(relationship: Relationship, query: Query) -> Query:
    """What a query for linkage asks for of the resources at the other end: no more than ids,
    unless they are included.
    """
    if query.include:
        return replace(query, include=query.include[relationship.name])
    return replace(query, include=None, fields={relationship.target.type: frozenset()})


def _included_here(request: Request, relationship: Relationship, rows: Any) -> Included:
    """Include the resources that linkage identifies, and what is behind them."""
    query, target = request.validated["query"], relationship.target
    if not query.include:
        return Included()
    included = _included(request, target, rows, _behind(relationship, query))
    primary = {target.id_of(row): row for row in rows}
    others = included.rows.get(target, {})
    return replace(included, rows=included.rows | {target: primary | others})


def _included(request: Request, resource: Resource, rows: Any, query: Query) -> Included:
    if not query.include:
        return Included()
    return load_included(
        request.dbconnection, resource, rows, query, query.include, request.jsonapi_limits
    )


def _page(
    request: Request, resource: Resource, query: Query, relationship: Relationship | None = None
) -> Page:
    """Fetch a page of the collection, or of what a relationship leads to."""
    if not isinstance(query.page, CursorPage):
        request.validated["media"] = PLAIN  # the cursor profile does not apply to the others
    if relationship is None:
        return fetch_page(request.dbconnection, resource, query)
    return fetch_page(request.dbconnection, resource, query, relationship, request.validated["id"])


def _row(request: Request, statement: Any, **values: Any) -> Any:
    return request.dbconnection.execute(statement, values).one_or_none()


def _target(request: Request, query: Query) -> Any:
    """The row that a to-one relationship leads to, or None."""
    relationship = request.context
    rows = statements.selected(relationship.target, query, query.include)
    statement = statements.select_target(relationship, rows)
    return _row(request, statement, source=request.validated["id"])


def _source_version(request: Request) -> int:
    """Return the version of the resource that has the relationship, as the first of its statements.

    :raises JSONAPIError: 404 if there is no such resource.
    """
    source = request.context.source
    statements.begin_snapshot(request.dbconnection)
    row = _row(request, statements.select_version(source), id=request.validated["id"])
    if row is None:
        raise not_found()
    version: int = row[0]
    return version


def _source_links(request: Request) -> dict[str, str]:
    relationship = request.context
    collection = links.collection_url(request, relationship.source)
    return links.relationship_links(links.below(collection, request.validated["id"]), relationship)


def _change_linkage(request: Request, how: str) -> Response:
    actions.change_relationship(
        request.dbconnection,
        request.validated["linkage"],
        request.validated["id"],
        how,
        {},
        _precondition(request),
    )
    return _nothing()


def _precondition(request: Request) -> Precondition:
    return Precondition(
        tags=request.headers.get("If-Match"),
        required=request.jsonapi_limits.require_if_match,
        source={"header": "If-Match"},
    )


def _nothing() -> Response:
    return Response(status=204, content_type=None)
