"""The Atomic Operations extension: several changes in one request, all of them or none.

https://jsonapi.org/ext/atomic. Each operation is done by the functions of single requests.
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
from ..resource import Resource
from . import actions
from .body import load_changes, load_new, permit_linkages
from .changes import Change
from .identifiers import load_linkage
from .locking import lock_all, unknown_lid
from .operation_shape import OPERATIONS_MEMBER, Json, read_operations
from .operation_target import Target, TargetFinder
from .preconditions import Precondition


def perform(request: Request, document: Any) -> tuple[Json, list[Change]]:
    """Perform the operations of a document in their order.

    :returns: the document of their results, and what they have changed.
    :raises JSONAPIError: of the first operation that cannot be done, with pointers from the root of
        the document. The host undoes the ones before it.
    """
    batch = _Batch(request)
    results = []
    requested = read_operations(document, request.jsonapi_limits.max_operations)
    lock_all(batch.scopes, batch.identities(requested))
    for index, operation in enumerate(requested):
        place = (OPERATIONS_MEMBER, index)
        try:
            results.append(batch.perform(operation, place))
        except JSONAPIError as error:
            # What single requests need no pointer for is about the operation here.
            errors = (e if e.source else replace(e, source=at(*place)) for e in error.errors)
            raise JSONAPIError(*errors) from None
    return {"atomic:results": results}, batch.changes


class _Batch:
    """The operations of one request, and the local ids that they have given."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.scopes: Scopes = request.jsonapi_scopes
        self.resources = api_of(request.registry).resources
        self.builder = DocumentBuilder(request, Query())
        self.lids: dict[tuple[str, str], Any] = {}
        self.targets = TargetFinder(request, self.lids)
        self.changes: list[Change] = []

    def identities(self, requested: list[Json]) -> Iterator[tuple[Resource, Any]]:
        """The resources that operations name by their ids: batches lock them in one order."""
        waiting: list[Any] = [part for op in requested for part in (op.get("ref"), op.get("data"))]
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting += part
            elif isinstance(part, dict):
                resource = self.resources.get(str(part.get("type")))
                if resource is not None and isinstance(part.get("id"), str):
                    try:
                        yield resource, resource.load_id(part["id"])
                    except ValidationError:
                        continue  # said when the operation is performed
                relationships = part.get("relationships")
                if isinstance(relationships, dict):
                    waiting += [
                        v.get("data") for v in relationships.values() if isinstance(v, dict)
                    ]

    def perform(self, operation: Json, place: Place) -> Json:
        """Perform one operation, and return its result object."""
        code = operation["op"]
        target = self.targets.target(operation, place)
        relationship = target.relationship
        if relationship is not None:
            permit(self.request, "update", relationship, at(*place))
            if not relationship.many and code != "update":
                raise malformed("A to-one relationship can only be updated.", *place, "op")
            linkage = load_linkage(relationship, *self.data(operation, place))
            how = {"add": "add", "update": "replace", "remove": "remove"}[code]
            precondition = self.precondition(operation, place)
            self.changes.append(
                actions.change_relationship(
                    self.scopes, linkage, target.id, how, self.lids, precondition
                )
            )
            return {}
        if code == "add":
            return self.add(target, operation, place)
        if target.id is None:
            raise malformed("Names a collection, and no resource of it.", *place)
        if code == "remove":
            permit(self.request, "delete", target.resource, at(*place))
            precondition = self.precondition(operation, place)
            self.changes.append(
                actions.delete(self.scopes, target.resource, target.id, precondition)
            )
            return {}
        return self.update(target, operation, place)

    def add(self, target: Target, operation: Json, place: Place) -> Json:
        if target.id is not None:
            raise malformed("A resource is added to a collection.", *place)
        permit(self.request, "create", target.resource, at(*place))
        loaded = load_new(target.resource, *self.data(operation, place))
        permit_linkages(self.request, loaded)
        key = (target.resource.type, loaded.lid or "")
        if loaded.lid is not None and key in self.lids:
            detail = "Is the local id of another resource of this type."
            source = at(*loaded.place, "lid")
            raise JSONAPIError(Error(code="malformed_document", detail=detail, source=source))
        change = actions.create(self.scopes, target.resource, loaded, self.lids)
        if loaded.lid is not None:
            self.lids[key] = change.id
        return self.changed(change)

    def update(self, target: Target, operation: Json, place: Place) -> Json:
        permit(self.request, "update", target.resource, at(*place))
        data, spot = self.data(operation, place)
        loaded = load_changes(target.resource, data, target.id, spot)
        permit_linkages(self.request, loaded)
        key = (target.resource.type, loaded.lid or "")
        if "id" not in data and self.lids.get(key) != target.id:
            raise JSONAPIError(unknown_lid(spot))
        precondition = self.precondition(operation, place)
        return self.changed(
            actions.update(self.scopes, target.resource, target.id, loaded, self.lids, precondition)
        )

    def changed(self, change: Change) -> Json:
        """The result object of a change."""
        self.changes.append(change)
        return {"data": self.builder.resource_object(change.resource, change.entity)}

    def data(self, operation: Json, place: Place) -> tuple[Any, Place]:
        if "data" not in operation:
            raise malformed("Has no member data.", *place)
        return operation["data"], (*place, "data")

    def precondition(self, operation: Json, place: Place) -> Precondition:
        """An operation has its If-Match in `meta.if_match`, as an entity tag or a list of them."""
        tags = operation.get("meta", {}).get("if_match")
        spot = (*place, "meta", "if_match")
        if tags is not None and not isinstance(tags, str):
            raise malformed("Must be a string.", *spot)
        required = self.request.jsonapi_limits.require_if_match
        return Precondition(tags=tags, required=required, source=at(*spot))
