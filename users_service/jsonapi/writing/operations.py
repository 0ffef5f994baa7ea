"""The Atomic Operations extension: several changes in one request, all or none of them.

https://jsonapi.org/ext/atomic. Operations use the same `actions` as single requests.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from ..api import api_of
from ..documents import DocumentBuilder
from ..errors import Error, JSONAPIError, Place, at, malformed
from ..reading import Query, Scopes, permit
from ..resource import Relationship, Resource
from . import actions
from .body import load_changed_resource, load_new_resource, permit_linkages
from .changes import Change
from .identifiers import load_linkage
from .locking import lock_resources, unknown_lid
from .operation_shape import OPERATIONS_MEMBER, Json, read_operations
from .operation_target import Target, TargetFinder
from .preconditions import Precondition


def perform(request: Request, document: Any) -> tuple[Json, list[Change]]:
    """Perform the operations of a document, in their order.

    :returns: the member `atomic:results` of the response document, and the changes.
    :raises JSONAPIError: from the first operation that fails; pointers begin at the root of the
        document. The host rolls back the operations before it.
    """
    batch = _Batch(request)
    results = []
    requested = read_operations(document, request.jsonapi_limits.max_operations)
    lock_resources(batch.scopes, batch.named_resources(requested))
    for index, operation in enumerate(requested):
        place = (OPERATIONS_MEMBER, index)
        try:
            results.append(batch.perform(operation, place))
        except JSONAPIError as error:
            # An error about the whole of a single request is about the operation here.
            errors = (e if e.source else replace(e, source=at(*place)) for e in error.errors)
            raise JSONAPIError(*errors) from None
    return {"atomic:results": results}, batch.changes


class _Batch:
    """The operations of one request, with the local ids and changes of those that are done."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.scopes: Scopes = request.jsonapi_scopes
        self.resources = api_of(request.registry).resources
        self.builder = DocumentBuilder(request, Query())
        self.lids: dict[tuple[str, str], Any] = {}
        self.targets = TargetFinder(request, self.lids)
        self.changes: list[Change] = []

    def named_resources(self, requested: list[Json]) -> Iterator[tuple[Resource, Any]]:
        """Yield the resources that operations name by id, to be locked before the first of them."""
        pending: list[Any] = [part for op in requested for part in (op.get("ref"), op.get("data"))]
        while pending:
            part = pending.pop()
            if isinstance(part, list):
                pending += part
            elif isinstance(part, dict):
                resource = self.resources.get(str(part.get("type")))
                if resource is not None and isinstance(part.get("id"), str):
                    try:
                        yield resource, resource.load_id(part["id"])
                    except ValidationError:
                        continue  # the operation will report it
                relationships = part.get("relationships")
                if isinstance(relationships, dict):
                    pending += [
                        v.get("data") for v in relationships.values() if isinstance(v, dict)
                    ]

    def perform(self, operation: Json, place: Place) -> Json:
        """Perform one operation, and return its result object."""
        code = operation["op"]
        target = self.targets.target(operation, place)
        if target.relationship is not None:
            return self.change_linkage(target.relationship, target.id, operation, place)
        if code == "add":
            return self.add(target, operation, place)
        if target.id is None:
            raise malformed("Must name a resource, not a collection.", *place)
        if code == "remove":
            return self.remove(target, operation, place)
        return self.update(target, operation, place)

    def change_linkage(
        self, relationship: Relationship, id: Any, operation: Json, place: Place
    ) -> Json:
        """Change a relationship of the resource with an id."""
        code = operation["op"]
        permit(self.request, "update", relationship, at(*place))
        if not relationship.many and code != "update":
            raise malformed("Must be update for a to-one relationship.", *place, "op")
        linkage = load_linkage(relationship, *self.data(operation, place))
        mode = {"add": "add", "update": "replace", "remove": "remove"}[code]
        precondition = self.precondition(operation, place)
        self.changes.append(
            actions.change_relationship(self.scopes, linkage, id, mode, self.lids, precondition)
        )
        return {}

    def remove(self, target: Target, operation: Json, place: Place) -> Json:
        permit(self.request, "delete", target.resource, at(*place))
        precondition = self.precondition(operation, place)
        self.changes.append(actions.delete(self.scopes, target.resource, target.id, precondition))
        return {}

    def add(self, target: Target, operation: Json, place: Place) -> Json:
        if target.id is not None:
            raise malformed("Must name a collection to add a resource to.", *place)
        permit(self.request, "create", target.resource, at(*place))
        loaded = load_new_resource(target.resource, *self.data(operation, place))
        permit_linkages(self.request, loaded)
        key = (target.resource.type, loaded.lid or "")
        if loaded.lid is not None and key in self.lids:
            detail = "An earlier operation has used this local id for this type."
            source = at(*loaded.place, "lid")
            raise JSONAPIError(Error(code="malformed_document", detail=detail, source=source))
        change = actions.create(self.scopes, target.resource, loaded, self.lids)
        if loaded.lid is not None:
            self.lids[key] = change.id
        return self.result(change)

    def update(self, target: Target, operation: Json, place: Place) -> Json:
        permit(self.request, "update", target.resource, at(*place))
        data, member_place = self.data(operation, place)
        loaded = load_changed_resource(target.resource, data, target.id, member_place)
        permit_linkages(self.request, loaded)
        key = (target.resource.type, loaded.lid or "")
        if "id" not in data and self.lids.get(key) != target.id:
            raise JSONAPIError(unknown_lid(member_place))
        precondition = self.precondition(operation, place)
        return self.result(
            actions.update(self.scopes, target.resource, target.id, loaded, self.lids, precondition)
        )

    def result(self, change: Change) -> Json:
        """Return the result object of a change."""
        self.changes.append(change)
        return {"data": self.builder.resource_object(change.resource, change.entity)}

    def data(self, operation: Json, place: Place) -> tuple[Any, Place]:
        if "data" not in operation:
            raise malformed("Must have a member data.", *place)
        return operation["data"], (*place, "data")

    def precondition(self, operation: Json, place: Place) -> Precondition:
        """Return the precondition in `meta.if_match`, whose value is that of an `If-Match`."""
        tags = operation.get("meta", {}).get("if_match")
        member_place = (*place, "meta", "if_match")
        if tags is not None and not isinstance(tags, str):
            raise malformed("Must be a string.", *member_place)
        required = self.request.jsonapi_limits.require_if_match
        return Precondition(tags=tags, required=required, source=at(*member_place))
