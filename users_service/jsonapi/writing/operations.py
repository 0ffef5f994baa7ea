"""The Atomic Operations extension: several changes in one request, all or none of them.

https://jsonapi.org/ext/atomic. Operations use the same `actions` as single requests.
"""

from typing import Any

from pyramid.request import Request

from ..documents import DocumentBuilder, add_created
from ..errors import JSONAPIError
from ..reading import Query
from . import actions
from .changes import Change
from .identifiers import LocalId
from .locking import lock_resources
from .operation_reading import Operation
from .operation_shape import Json, located

MODES = {"add": "add", "update": "replace", "remove": "remove"}


def perform(request: Request, operations: list[Operation]) -> tuple[Json, list[Change]]:
    """Perform the operations of a request, in their order.

    :returns: an object with the member `atomic:results`, and the changes.
    :raises JSONAPIError: from the first operation that fails; pointers begin at the root of the
        document. The host rolls back the operations before it.
    """
    batch = _Batch(request)
    results = []
    named = (found for operation in operations for found in operation.identified())
    lock_resources(request.jsonapi_scopes, named)
    for operation in operations:
        try:
            results.append(batch.perform(operation))
        except JSONAPIError as error:
            raise located(error, operation.place) from None
    return {"atomic:results": results}, batch.changes


class _Batch:
    """The operations of one request, with the local ids and changes of those that are done."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.builder = DocumentBuilder(request, Query())
        self.lids: dict[LocalId, Any] = {}
        self.changes: list[Change] = []

    def perform(self, operation: Operation) -> Json:
        """Perform one operation, and return its result object."""
        change = self.change(operation)
        self.changes.append(change)
        if operation.resource is None:
            return {}
        item = self.builder.resource_object(change.resource, change.entity)
        if change.kind == "create":
            add_created(change.resource, change.entity, item)
        return {"data": item}

    def change(self, operation: Operation) -> Change:
        target, loaded = operation.target, operation.resource
        resource = target.resource
        if loaded is not None and operation.code == "add":
            change = actions.create(self.request, resource, loaded, self.lids)
            if loaded.lid is not None:
                self.lids[resource.type, loaded.lid] = change.id
            return change
        id, precondition = target.resolved_id(self.lids), operation.precondition
        if operation.linkage is not None:
            mode = MODES[operation.code]
            return actions.change_relationship(
                self.request, operation.linkage, id, mode, self.lids, precondition
            )
        if loaded is not None:
            return actions.update(self.request, resource, id, loaded, self.lids, precondition)
        return actions.delete(self.request, resource, id, precondition, operation.place)
