"""The views: functions from a validated request to an answer.

`request.context` is the resource or relationship of the URL. `request.validated` has what the
validators read: the query, the id, and the request document.
"""

from dataclasses import replace
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..api import api_of
from ..documents import PLAIN, Answer, DocumentBuilder, Media, add_created, links, media
from ..errors import JSONAPI_OBJECT, not_found
from ..reading import (
    CursorPage,
    Included,
    Page,
    Query,
    fetch_page,
    load_included,
    project,
    statements,
)
from ..resource import Relationship, Resource
from ..writing import Precondition, actions, operations


def list_resources(request: Request) -> Answer:
    """Fetch a page of the collection (§6.1)."""
    resource, query = request.context, request.validated["query"]
    if query.include or not isinstance(query.page, CursorPage) or query.page.total:
        statements.begin_snapshot(request.dbconnection)
    page = fetch_page(request.jsonapi_scopes.of(resource, query.filter), query)
    builder = DocumentBuilder(request, query, _included(request, resource, page.rows, query))
    document = builder.page(resource, page, links.collection_url(request, resource))
    return Answer(document=document, media=_page_media(query))


def create_resource(request: Request) -> Answer:
    """Create a resource: 201 with its document and its Location (§7.1)."""
    resource = request.context
    _check_nothing_selected(request)
    change = actions.create(request, resource, request.validated["loaded"], {})
    answer = _resource_answer(request, resource, change.entity)
    headers = {"Location": links.resource_url(links.collection_url(request, resource), change.id)}
    if resource.created and answer.document is not None:
        add_created(resource, change.entity, answer.document["data"])
        headers["Cache-Control"] = "no-store"
    return replace(answer, status=201, headers=headers, changes=(change,))


def read_resource(request: Request) -> Answer:
    """Fetch one resource (§6.1)."""
    resource, query = request.context, request.validated["query"]
    if query.include:
        statements.begin_snapshot(request.dbconnection)
    projection = project(resource, query, query.include)
    row = request.jsonapi_scopes.of(resource).row(
        statements.select_one, projection, id=request.validated["id"]
    )
    if row is None:
        raise not_found()
    return _resource_answer(request, resource, row)


def update_resource(request: Request) -> Answer:
    """Update a resource: 200 with its document (§7.2)."""
    resource, validated = request.context, request.validated
    change = actions.update(
        request,
        resource,
        validated["id"],
        validated["loaded"],
        {},
        _precondition(request),
    )
    return replace(_resource_answer(request, resource, change.entity), changes=(change,))


def delete_resource(request: Request) -> Answer:
    """Delete a resource: 204 (§7.4)."""
    change = actions.delete(
        request, request.context, request.validated["id"], _precondition(request)
    )
    return Answer(status=204, changes=(change,))


def list_related(request: Request) -> Answer:
    """Fetch a page of the related resources of a to-many relationship (§6.1)."""
    relationship, query = request.context, request.validated["query"]
    _source_version(request)
    target = relationship.target
    page = _related_page(request, query)
    builder = DocumentBuilder(request, query, _included(request, target, page.rows, query))
    document = builder.page(target, page, _source_links(request)["related"])
    return Answer(document=document, media=_page_media(query))


def read_related(request: Request) -> Answer:
    """Fetch the related resource of a to-one relationship, or null (§6.1)."""
    relationship, query = request.context, request.validated["query"]
    _source_version(request)
    target = relationship.target
    row = _related_row(request, query)
    rows = [] if row is None else [row]
    builder = DocumentBuilder(request, query, _included(request, target, rows, query))
    return Answer(document=builder.one(target, row, _source_links(request)["related"]))


def list_linkage(request: Request) -> Answer:
    """Fetch a page of the resource identifiers of a to-many relationship (§6.1.2)."""
    relationship, query = request.context, request.validated["query"]
    version = _source_version(request)
    page = _related_page(request, _target_query(relationship, query))
    included = _included_with_targets(request, relationship, page.rows)
    builder = DocumentBuilder(request, query, included)
    ids = [relationship.target.id_of(row) for row in page.rows]
    document = builder.linkage(relationship, ids, _source_links(request), page)
    return Answer(document=document, version=version, media=_page_media(query))


def read_linkage(request: Request) -> Answer:
    """Fetch the resource identifier of a to-one relationship, or null (§6.1.2)."""
    relationship, query = request.context, request.validated["query"]
    version = _source_version(request)
    row = _related_row(request, _target_query(relationship, query))
    included = _included_with_targets(request, relationship, [] if row is None else [row])
    builder = DocumentBuilder(request, query, included)
    id = None if row is None else relationship.target.id_of(row)
    document = builder.linkage(relationship, id, _source_links(request), None)
    return Answer(document=document, version=version)


def replace_linkage(request: Request) -> Answer:
    """Replace the linkage of a relationship: 204 (§7.3)."""
    return _change_linkage(request, "replace")


def add_linkage(request: Request) -> Answer:
    """Add members to a to-many relationship: 204, also if it has them already (§7.3.2)."""
    return _change_linkage(request, "add")


def remove_linkage(request: Request) -> Answer:
    """Remove members from a to-many relationship: 204, also if it does not have them (§7.3.2)."""
    return _change_linkage(request, "remove")


def perform_operations(request: Request) -> Answer:
    """Perform atomic operations, all or none of them: 200 with a result for each."""
    _check_nothing_selected(request)
    results, changes = operations.perform(request, request.validated["operations"])
    return Answer(document={"jsonapi": JSONAPI_OBJECT} | results, changes=changes)


def show_entry(request: Request) -> Answer:
    """Fetch the URLs of all collections, and of atomic operations."""
    api = api_of(request.registry)
    resources = api.resources.values()
    document = {
        "jsonapi": JSONAPI_OBJECT,
        "links": {"self": request.route_url(links.ENTRY_ROUTE)},
        "meta": {
            "resources": {each.type: _entry_of(request, each) for each in resources},
            "operations": request.route_url(links.OPERATIONS_ROUTE),
            **({} if api.entry_meta is None else api.entry_meta(request)),
        },
    }
    return Answer(document=document)


def _entry_of(request: Request, resource: Resource) -> dict[str, Any]:
    """Where a collection is, and which attributes of it the caller may not read, if any."""
    found: dict[str, Any] = {"href": links.collection_url(request, resource)}
    if hidden := request.jsonapi_readable.hidden(resource).names:
        found["hidden"] = sorted(hidden)
    return found


def list_methods(request: Request) -> Response:
    """Name the methods of this URL, and the documents that it takes (RFC 9110 §9.3.7)."""
    allow = ", ".join(sorted(request.current_service.defined_methods))
    headerlist = [("Allow", allow), *media.document_types(request).items()]
    return Response(status=204, content_type=None, headerlist=headerlist)


def _resource_answer(request: Request, resource: Resource, row: Any) -> Answer:
    """Answer with one resource."""
    query = request.validated["query"]
    builder = DocumentBuilder(request, query, _included(request, resource, [row], query))
    return Answer(document=builder.one(resource, row), version=resource.version_of(row))


def _target_query(relationship: Relationship, query: Query) -> Query:
    """Return the query on the target, for a query on the linkage of a relationship.

    It reads ids alone, unless the target is included.
    """
    if query.include:
        return replace(query, include=query.include[relationship.name])
    return replace(query, include=None, fields={relationship.target.type: frozenset()})


def _included_with_targets(request: Request, relationship: Relationship, rows: Any) -> Included:
    """Load the included resources of a document of linkage: the targets, and those behind them.

    :param rows: the rows of the targets.
    """
    query, target = request.validated["query"], relationship.target
    if not query.include:
        return Included()
    included = _included(request, target, rows, _target_query(relationship, query))
    primary = {target.id_of(row): row for row in rows}
    others = included.rows.get(target, {})
    return replace(included, rows=included.rows | {target: primary | others})


def _included(request: Request, resource: Resource, rows: Any, query: Query) -> Included:
    if not query.include:
        return Included()
    return load_included(
        request.jsonapi_scopes, resource, rows, query, query.include, request.jsonapi_limits
    )


def _page_media(query: Query) -> Media | None:
    """The media type of a page: a page without cursors does not apply the cursor profile."""
    return None if isinstance(query.page, CursorPage) else PLAIN


def _related_page(request: Request, query: Query) -> Page:
    """Fetch a page of the related resources."""
    source = request.validated["id"]
    return fetch_page(request.jsonapi_scopes.related(request.context, source, query.filter), query)


def _related_row(request: Request, query: Query) -> Any:
    """The row of the related resource of a to-one relationship, or None."""
    scope = request.jsonapi_scopes.related(request.context, request.validated["id"])
    projection = project(scope.resource, query, query.include)
    return scope.row(statements.select_target, projection)


def _source_version(request: Request) -> int:
    """Begin a snapshot, and return the version of the resource that has the relationship.

    :raises JSONAPIError: 404 if there is no such resource.
    """
    statements.begin_snapshot(request.dbconnection)
    scope = request.jsonapi_scopes.of(request.context.source)
    row = scope.row(statements.select_version, id=request.validated["id"])
    if row is None:
        raise not_found()
    version: int = row[0]
    return version


def _source_links(request: Request) -> dict[str, str]:
    relationship = request.context
    collection = links.collection_url(request, relationship.source)
    return links.relationship_links(
        links.resource_url(collection, request.validated["id"]), relationship
    )


def _change_linkage(request: Request, mode: str) -> Answer:
    change = actions.change_relationship(
        request,
        request.validated["linkage"],
        request.validated["id"],
        mode,
        {},
        _precondition(request),
    )
    return Answer(status=204, changes=(change,))


def _precondition(request: Request) -> Precondition:
    return Precondition(
        tags=request.headers.get("If-Match"),
        excluded=request.headers.get("If-None-Match"),
        required=request.jsonapi_limits.require_if_match,
        source={"header": "If-Match"},
    )


def _check_nothing_selected(request: Request) -> None:
    """Check the preconditions of a request that makes resources, which have no entity tag yet.

    :raises JSONAPIError: 412 if it has `If-Match`; `If-None-Match` is fulfilled.
    """
    replace(_precondition(request), required=False).check(None)
