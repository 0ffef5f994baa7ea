"""The Atomic Operations extension: several changes in one request, all of them or none.

https://jsonapi.org/ext/atomic. Each operation is done by the functions of single requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request

from ..api import api_of
from ..documents.document import DocumentBuilder
from ..errors import Error, JSONAPIError, at, not_found
from ..reading.query import Query
from ..resource import Relationship, Resource
from . import actions
from .body import Place, load_changes, load_linkage, load_new
from .preconditions import Precondition

Json = dict[str, Any]

OPERATIONS = "atomic:operations"
CODES = ("add", "update", "remove")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an operation is about: a collection, a resource of it, or a relationship of that."""

    resource: Resource
    id: Any = None
    relationship: Relationship | None = None


def perform(request: Request, document: Any) -> Json:
    """Perform the operations of a document in their order, and return their results.

    :raises JSONAPIError: of the first operation that cannot be done, with pointers from the root of
        the document. The host undoes the ones before it.
    """
    batch = _Batch(request)
    results = []
    requested = _operations(document, request.jsonapi_limits.max_operations)
    actions.lock_all(request.dbconnection, batch.named(requested))
    for index, operation in enumerate(requested):
        place = (OPERATIONS, index)
        try:
            results.append(batch.perform(operation, place))
        except JSONAPIError as error:
            # What single requests need no pointer for is about the operation here.
            errors = (e if e.source else replace(e, source=at(*place)) for e in error.errors)
            raise JSONAPIError(*errors) from None
    return {"atomic:results": results}


def _operations(document: Any, most: int) -> list[Any]:
    if not isinstance(document, dict):
        raise _malformed("The document must be an object.")
    if clash := sorted(document.keys() & {"data", "included", "errors", "atomic:results"}):
        raise _malformed(f"Does not go with {OPERATIONS}.", clash[0])
    if OPERATIONS not in document:
        raise _malformed(f"Has no member {OPERATIONS}.")
    operations = document[OPERATIONS]
    if not isinstance(operations, list) or not operations:
        raise _malformed("Must be an array of at least one operation.", OPERATIONS)
    if len(operations) > most:
        detail = f"Has more than {most} operations."
        raise JSONAPIError(Error(code="too_many_operations", detail=detail, source=at(OPERATIONS)))
    faults = [fault for index, op in enumerate(operations) for fault in _faults(op, index)]
    if faults:
        raise JSONAPIError(*faults)
    return operations


def _faults(operation: Any, index: int) -> list[Error]:
    """Find what is wrong with the shape of one operation object."""
    place = (OPERATIONS, index)
    if not isinstance(operation, dict):
        return [_fault("Must be an operation object.", *place)]
    faults = []
    if "op" not in operation:
        faults.append(_fault("Has no member op.", *place))
    elif operation["op"] not in CODES:
        faults.append(_fault(f"Must be one of {', '.join(CODES)}.", *place, "op"))
    if "ref" in operation and "href" in operation:
        faults.append(_fault("Has both ref and href.", *place))
    if operation.get("op") == "remove" and not operation.keys() & {"ref", "href"}:
        faults.append(_fault("Has neither ref nor href.", *place))
    if "href" in operation and not isinstance(operation["href"], str):
        faults.append(_fault("Must be a string.", *place, "href"))
    if not isinstance(operation.get("meta", {}), dict):
        faults.append(_fault("Must be an object.", *place, "meta"))
    if "ref" in operation:
        faults += _reference_faults(operation["ref"], (*place, "ref"))
    return faults


def _reference_faults(reference: Any, place: Place) -> list[Error]:
    if not isinstance(reference, dict):
        return [_fault("Must be an object.", *place)]
    faults = []
    if "type" not in reference or len(reference.keys() & {"id", "lid"}) != 1:
        faults.append(_fault("Must have a type and either an id or a lid.", *place))
    if unknown := sorted(reference.keys() - {"type", "id", "lid", "relationship"}):
        faults.append(_fault("Is no member of a reference.", *place, unknown[0]))
    for name, value in sorted(reference.items()):
        if not isinstance(value, str):
            faults.append(_fault("Must be a string.", *place, name))
    return faults


class _Batch:
    """The operations of one request, and the local ids that they have given."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.connection = request.dbconnection
        self.resources = api_of(request.registry).resources
        self.builder = DocumentBuilder(request, Query())
        self.lids: dict[tuple[str, str], Any] = {}

    def named(self, requested: list[Json]) -> Iterator[tuple[Resource, Any]]:
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
        target = self.target(operation, place)
        relationship = target.relationship
        if relationship is not None:
            self.permit(target.resource, "update", place)
            if not relationship.many and code != "update":
                raise _malformed("A to-one relationship can only be updated.", *place, "op")
            linkage = load_linkage(relationship, *self.data(operation, place))
            how = {"add": "add", "update": "replace", "remove": "remove"}[code]
            precondition = self.precondition(operation, place)
            actions.change_relationship(
                self.connection, linkage, target.id, how, self.lids, precondition
            )
            return {}
        if code == "add":
            return self.add(target, operation, place)
        if target.id is None:
            raise _malformed("Names a collection, and no resource of it.", *place)
        if code == "remove":
            self.permit(target.resource, "delete", place)
            precondition = self.precondition(operation, place)
            actions.delete(self.connection, target.resource, target.id, precondition)
            return {}
        return self.update(target, operation, place)

    def add(self, target: Target, operation: Json, place: Place) -> Json:
        if target.id is not None:
            raise _malformed("A resource is added to a collection.", *place)
        self.permit(target.resource, "create", place)
        loaded = load_new(target.resource, *self.data(operation, place))
        key = (target.resource.type, loaded.lid or "")
        if loaded.lid is not None and key in self.lids:
            detail = "Is the local id of another resource of this type."
            source = at(*loaded.place, "lid")
            raise JSONAPIError(Error(code="malformed_document", detail=detail, source=source))
        entity = actions.create(self.connection, target.resource, loaded, self.lids)
        if loaded.lid is not None:
            self.lids[key] = target.resource.id_of(entity)
        return {"data": self.builder.resource_object(target.resource, entity)}

    def update(self, target: Target, operation: Json, place: Place) -> Json:
        self.permit(target.resource, "update", place)
        data, spot = self.data(operation, place)
        loaded = load_changes(target.resource, data, target.id, spot)
        key = (target.resource.type, loaded.lid or "")
        if "id" not in data and self.lids.get(key) != target.id:
            raise JSONAPIError(actions.unknown_lid(spot))
        entity = actions.update(
            self.connection,
            target.resource,
            target.id,
            loaded,
            self.lids,
            self.precondition(operation, place),
        )
        return {"data": self.builder.resource_object(target.resource, entity)}

    def data(self, operation: Json, place: Place) -> tuple[Any, Place]:
        if "data" not in operation:
            raise _malformed("Has no member data.", *place)
        return operation["data"], (*place, "data")

    def permit(self, resource: Resource, action: str, place: Place) -> None:
        if not self.request.has_permission(f"{resource.type}:{action}"):
            detail = "This operation is not permitted."
            raise JSONAPIError(Error(code="forbidden", detail=detail, source=at(*place)))

    def precondition(self, operation: Json, place: Place) -> Precondition:
        """An operation has its If-Match in `meta.if_match`, as an entity tag or a list of them."""
        tags = operation.get("meta", {}).get("if_match")
        spot = (*place, "meta", "if_match")
        if tags is not None and not isinstance(tags, str):
            raise _malformed("Must be a string.", *spot)
        required = self.request.jsonapi_limits.require_if_match
        return Precondition(tags=tags, required=required, source=at(*spot))

    def target(self, operation: Json, place: Place) -> Target:
        """Find what an operation is about, from its ref, its href, or its data."""
        reference: Json
        if "href" in operation:
            return self.located(operation["href"], (*place, "href"))
        if "ref" in operation:
            reference, spot = operation["ref"], (*place, "ref")
        else:
            data = operation.get("data")
            if not isinstance(data, dict) or not isinstance(data.get("type"), str):
                raise _malformed("Has no resource object with a type as its data.", *place)
            if operation["op"] == "add":
                return Target(resource=self.resource(data["type"], (*place, "data", "type")))
            reference, spot = data, (*place, "data")
            if not any(isinstance(data.get(name), str) for name in ("id", "lid")):
                raise _malformed("Has neither an id nor a lid.", *spot)
        resource = self.resource(reference["type"], (*spot, "type"))
        id = self.identified(resource, reference, spot)
        relationship = None
        if reference is operation.get("ref") and "relationship" in reference:
            relationship = resource.relationships.get(reference["relationship"])
            if relationship is None:
                raise _missing(*spot, "relationship")
        return Target(resource=resource, id=id, relationship=relationship)

    def resource(self, kind: str, place: Place) -> Resource:
        if kind not in self.resources:
            raise _missing(*place)
        resource: Resource = self.resources[kind]
        return resource

    def identified(self, resource: Resource, reference: Json, place: Place) -> Any:
        if "id" in reference:
            return _id(resource, reference["id"], (*place, "id"))
        if (resource.type, reference["lid"]) not in self.lids:
            raise JSONAPIError(actions.unknown_lid(place))
        return self.lids[resource.type, reference["lid"]]

    def located(self, href: str, place: Place) -> Target:
        """Find what a URL of this API stands for."""
        request = self.request
        try:
            url = urlsplit(href)
        except ValueError:
            raise _malformed("Is no URL.", *place) from None
        if url.query or url.fragment or not url.path.startswith("/"):
            raise _malformed("Must be an absolute path or URL without a query.", *place)
        if url.netloc and f"{url.scheme}://{url.netloc}" != request.host_url:
            raise _malformed("Is no URL of this API.", *place)
        if not url.path.startswith(f"{request.script_name}/"):
            raise _missing(*place)
        mapper = request.registry.getUtility(IRoutesMapper)
        try:
            found = mapper(Request.blank(url.path.removeprefix(request.script_name)))
        except UnicodeError:  # of the path's escapes
            raise _missing(*place) from None
        endpoints = api_of(request.registry).routes
        if found["route"] is None or found["route"].name not in endpoints:
            raise _missing(*place)
        resource, relationship = endpoints[found["route"].name]
        id = None
        if "id" in found["match"]:
            id = _id(resource, found["match"]["id"], place)
        return Target(resource=resource, id=id, relationship=relationship)


def _id(resource: Resource, text: str, place: Place) -> Any:
    try:
        return resource.load_id(text)
    except ValidationError:
        raise _missing(*place) from None


def _missing(*place: str | int) -> JSONAPIError:
    (error,) = not_found().errors
    return JSONAPIError(replace(error, source=at(*place)))


def _malformed(detail: str, *place: str | int) -> JSONAPIError:
    return JSONAPIError(_fault(detail, *place))


def _fault(detail: str, *place: str | int) -> Error:
    return Error(code="malformed_document", detail=detail, source=at(*place))
