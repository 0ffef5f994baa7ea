"""Reads atomic operations before a connection is taken, and tells the faults of all of them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from ..api import api_of
from ..errors import Error, JSONAPIError, Place, at, malformed, malformed_error
from ..reading import permit
from ..resource import Resource
from .body import (
    LoadedResource,
    is_id,
    load_changed_resource,
    load_new_resource,
    prepare,
)
from .identifiers import Linkage, LocalId, load_linkage
from .linkage_permissions import permit_linkages
from .operation_shape import Json, located, operations_of, place_of, shape_faults
from .operation_target import Target, TargetFinder
from .preconditions import Precondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation in which no fault was found without the database.

    :param code: add, update or remove.
    :param place: its place in the request document.
    :param resource: the resource to add, or the changes.
    :param linkage: the linkage, if the target is a relationship.
    """

    code: str
    place: Place
    target: Target
    precondition: Precondition
    resource: LoadedResource | None = None
    linkage: Linkage | None = None

    def identified(self) -> Iterator[tuple[Resource, Any]]:
        """The types and ids of the resources that it names by their ids."""
        if self.target.id is not None:
            yield self.target.resource, self.target.id
        linkages = () if self.resource is None else self.resource.linkages
        for linkage in linkages if self.linkage is None else (self.linkage,):
            for identifier in linkage.identifiers:
                if identifier.id is not None:
                    yield linkage.relationship.target, identifier.id


def load_operations(request: Request, document: Any) -> list[Operation]:
    """Read the operations of a document.

    :raises JSONAPIError: 400, 403, 404, 409, 422 or 428, with the errors of all operations: of
        their shape, their targets, permissions, values and local ids. If there are none, the host
        prepares the resource objects, and may raise what it finds.
    """
    reader = _Reader(request)
    found, faults = [], []
    for index, operation in enumerate(operations_of(document, request.jsonapi_limits)):
        place = place_of(index)
        of_shape = shape_faults(operation, place)
        faults += of_shape
        try:
            if not of_shape:
                found.append(reader.read(operation, place))
        except JSONAPIError as error:
            if error.headers:  # it is about the whole request, such as its credentials
                raise
            faults += located(error, place).errors
        # Also of an operation that cannot be done, so that others need no errors because of it.
        reader.define(operation)
    if faults:
        raise JSONAPIError(*faults)
    return [_prepared(request, operation) for operation in found]


def _prepared(request: Request, operation: Operation) -> Operation:
    """Let the host prepare the resource object of an operation.

    It may take long: what it raises for one operation spares the others.
    """
    if operation.resource is None:
        return operation
    try:
        resource = prepare(request, operation.target.resource, operation.resource)
    except JSONAPIError as error:
        raise located(error, operation.place) from None
    return replace(operation, resource=resource)


class _Reader:
    """Reads operations one after the other.

    `lids` has what is known of the ids of local ids: an id that the client has chosen, or else an
    object that is no id.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.resources = api_of(request.registry).resources
        self.lids: dict[LocalId, Any] = {}
        self.targets = TargetFinder(request, self.lids)

    def define(self, operation: Any) -> None:
        """Note the local id of a resource that an operation adds."""
        data = operation.get("data") if isinstance(operation, dict) else None
        if not isinstance(data, dict) or operation.get("op") in ("update", "remove"):
            return
        kind, lid = data.get("type"), data.get("lid")
        if isinstance(kind, str) and isinstance(lid, str) and kind in self.resources:
            id: Any = object()
            if isinstance(data.get("id"), str):
                with suppress(ValidationError):
                    id = self.resources[kind].load_id(data["id"])
            self.lids.setdefault((kind, lid), id)

    def read(self, operation: Json, place: Place) -> Operation:
        """Read one operation of the right shape."""
        target = self.targets.target(operation, place)
        if target.relationship is not None:
            return self.linkage(operation, target, place)
        if operation["op"] == "add":
            return self.add(operation, target, place)
        if target.is_collection:
            raise malformed("Must name a resource, not a collection.", *place)
        if operation["op"] == "update":
            return self.update(operation, target, place)
        self.demand(target, "delete", place)
        return self.operation(operation, target, place)

    def demand(self, target: Target, action: str, place: Place) -> None:
        """Check that there is an action on the target, and that the caller may take it.

        :raises JSONAPIError: 401 or 403.
        """
        resource = target.resource
        permit(self.request, action, target.relationship or resource, at(*place))
        is_left_to_host = action == "create" and resource.create is not None
        if action not in resource.methods or is_left_to_host:
            detail = f"Operations cannot {action} {resource.type}."
            raise JSONAPIError(Error(code="forbidden", detail=detail, source=at(*place)))

    def linkage(self, operation: Json, target: Target, place: Place) -> Operation:
        relationship: Any = target.relationship
        self.demand(target, "update", place)
        if not relationship.many and operation["op"] != "update":
            raise malformed("Must be update for a to-one relationship.", *place, "op")
        data = self.data(operation, place)
        linkage = load_linkage(relationship, data, (*place, "data"), self.lids)
        return self.operation(operation, target, place, linkage=linkage)

    def add(self, operation: Json, target: Target, place: Place) -> Operation:
        if not target.is_collection:
            raise malformed("Must name a collection to add a resource to.", *place)
        self.demand(target, "create", place)
        resource, data, data_place = target.resource, self.data(operation, place), (*place, "data")
        faults = [*self.repeated_lid(data, data_place)]
        faults += _unequal(resource, operation.get("ref", {}), data, place)
        loaded = _attempt(faults, load_new_resource, resource, data, data_place, self.lids)
        _attempt(faults, permit_linkages, self.request, resource, data, data_place)
        if faults:
            raise JSONAPIError(*faults)
        return self.operation(operation, target, place, resource=loaded)

    def repeated_lid(self, data: Any, place: Place) -> Iterator[Error]:
        """Yield an error if an earlier operation adds a resource with the same local id."""
        identity = (data.get("type"), data.get("lid")) if isinstance(data, dict) else ()
        if identity and all(isinstance(text, str) for text in identity) and identity in self.lids:
            detail = "An earlier operation has used this local id for this type."
            yield malformed_error(detail, *place, "lid")

    def update(self, operation: Json, target: Target, place: Place) -> Operation:
        self.demand(target, "update", place)
        resource, data, data_place = target.resource, self.data(operation, place), (*place, "data")
        faults: list[Error] = []
        id = target.resolved_id(self.lids)
        loaded = _attempt(faults, load_changed_resource, resource, data, id, data_place, self.lids)
        _attempt(faults, permit_linkages, self.request, resource, data, data_place)
        if faults:
            raise JSONAPIError(*faults)
        return self.operation(operation, target, place, resource=loaded)

    def operation(self, operation: Json, target: Target, place: Place, **content: Any) -> Operation:
        precondition = Precondition(
            tags=operation.get("meta", {}).get("if_match"),
            required=self.request.jsonapi_limits.require_if_match and not target.is_collection,
            name="meta.if_match",
            source=at(*place, "meta", "if_match"),
        )
        precondition.check_required()
        code = operation["op"]
        return Operation(
            code=code, place=place, target=target, precondition=precondition, **content
        )

    def data(self, operation: Json, place: Place) -> Any:
        if "data" not in operation:
            raise malformed("Must have a member data.", *place)
        return operation["data"]


def _attempt(faults: list[Error], read: Callable[..., Any], *arguments: Any) -> Any:
    """Call `read(*arguments)`, and add the errors that it raises to `faults`."""
    try:
        return read(*arguments)
    except JSONAPIError as error:
        faults += error.errors
        return None


def _unequal(resource: Resource, reference: Json, data: Any, place: Place) -> Iterator[Error]:
    """Yield why the `ref` of an operation that adds a resource names another one than its data."""
    for name in ("id", "lid") if isinstance(data, dict) else ():
        if name not in reference:
            continue
        sent, named = data.get(name), reference[name]
        if name not in data:
            detail = f"Must be the resource in data, which has no {name}."
            yield malformed_error(detail, *place, "ref", name)
        elif sent != named and not (name == "id" and _same_id(resource, sent, named)):
            detail = f"Must be the {name} in ref."
            yield Error(code="id_conflict", detail=detail, source=at(*place, "data", name))


def _same_id(resource: Resource, one: Any, other: str) -> bool:
    """Whether two texts stand for the same id, which has several spellings."""
    with suppress(ValidationError):
        return isinstance(one, str) and is_id(resource, other, resource.load_id(one))
    return False
