"""Reads the resource object in a request document: checks its shape, and loads its fields."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from ..errors import Error, JSONAPIError, Place, at, field_error, malformed, malformed_error
from ..resource import Resource
from .identifiers import (
    NO_LIDS,
    Linkage,
    LocalId,
    LocalIds,
    check_type,
    identity_faults,
    read_linkage,
    read_only,
    unknown_lid,
)
from .values import load_attributes, missing

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedResource:
    """A valid resource object of a request.

    :param values: the values of its attributes, and its id if it has one, by model attribute.
    :param linkages: the linkage of its relationships.
    :param lid: its local id.
    :param is_new: whether it is to be created.
    :param sent: the names in documents of the fields that it has.
    :param place: its place in the request document.
    """

    values: Json = field(repr=False)  # there may be passwords among them
    linkages: tuple[Linkage, ...] = ()
    lid: str | None = None
    is_new: bool = False
    sent: frozenset[str] = frozenset()
    place: Place = field(default=("data",))


def primary_data(document: Any) -> Any:
    """Return the member `data` of a document (§5.1).

    :raises JSONAPIError: 400 if there is none, or if there are included resources.
    """
    if not isinstance(document, dict):
        raise malformed("The document must be an object.")
    faults = []
    if "data" not in document:
        faults.append(malformed_error("The document must have a member data."))
    if "included" in document:
        faults.append(included_refused("included"))
    if faults:
        raise JSONAPIError(*faults)
    return document["data"]


def included_refused(*place: str | int) -> Error:
    """The error of `included` in a request, whose resources would not be stored."""
    detail = "A request cannot include resources: change each by itself, or all by operations."
    return malformed_error(detail, *place)


def load_new_resource(
    resource: Resource,
    data: Any,
    place: Place = ("data",),
    lids: Container[LocalId] = NO_LIDS,
) -> LoadedResource:
    """Load the resource object of a resource to create (§7.1 Creating Resources).

    :param data: the resource object.
    :param place: its place in the request document.
    :param lids: the local ids that its linkage may have, besides its own.
    :raises JSONAPIError: 400, 403, 404, 409 or 422, with all errors that were found.
    """
    _check_shape(data, place, {"type"})
    check_type(resource, data, place)
    loaded, faults = _load(resource, data, place, lids, partial=False)
    try:
        loaded.values.update(_client_id(resource, data))
    except ValidationError as error:
        detail = " ".join(error.messages)
        faults.append(Error(code="client_id_refused", detail=detail, source=at(*place, "id")))
    if faults:
        raise JSONAPIError(*faults)
    return loaded


def load_changed_resource(
    resource: Resource,
    data: Any,
    expected_id: Any,
    place: Place = ("data",),
    lids: LocalIds | None = None,
) -> LoadedResource:
    """Load the resource object of a resource to change (§7.2 Updating Resources).

    :param data: the resource object.
    :param expected_id: the id of the resource to change, with which the object's must agree.
    :param place: its place in the request document.
    :param lids: the ids of the local ids that it and its linkage may have; None if it must have an
        id, because the request is no batch of operations.
    :raises JSONAPIError: 400, 403, 404, 409 or 422, with all errors that were found.
    """
    by_lid = lids is not None and isinstance(data, dict) and "lid" in data and "id" not in data
    _check_shape(data, place, {"type"} if by_lid else {"type", "id"})
    check_type(resource, data, place)
    lids = NO_LIDS if lids is None else lids
    name = "lid" if by_lid else "id"
    if by_lid:
        if (resource.type, data["lid"]) not in lids:
            raise JSONAPIError(unknown_lid(resource, place))
        same = lids[resource.type, data["lid"]] == expected_id
    else:
        same = is_id(resource, data["id"], expected_id)
    if not same:
        detail = f"Must be the {name} of the resource to change."
        raise JSONAPIError(Error(code="id_conflict", detail=detail, source=at(*place, name)))
    loaded, faults = _load(resource, data, place, lids, partial=True)
    if faults:
        raise JSONAPIError(*faults)
    return loaded


def is_id(resource: Resource, text: str, id: Any) -> bool:
    """Whether a text in a document stands for an id, which has several spellings."""
    try:
        return bool(resource.load_id(text) == id)
    except ValidationError:
        return False


def _check_shape(data: Any, place: Place, required: set[str]) -> None:
    """Check the shape of a resource object (§5.2).

    :raises JSONAPIError: 400 with all errors.
    """
    if not isinstance(data, dict):
        raise malformed("Must be a resource object.", *place)
    faults = identity_faults(data, place, required)
    for name in ("attributes", "relationships"):
        if not isinstance(data.get(name, {}), dict):
            faults.append(malformed_error("Must be an object.", *place, name))
    for name, value in members(data, "relationships").items():
        member_place = (*place, "relationships", name)
        if not isinstance(value, dict):
            faults.append(malformed_error("Must be an object.", *member_place))
        elif "data" not in value:
            faults.append(malformed_error("Must have a member data.", *member_place))
    if faults:
        raise JSONAPIError(*faults)


def _client_id(resource: Resource, data: Json) -> Json:
    """Return the client-generated id of a new resource (§7.1.2), by model attribute, if any.

    :raises marshmallow.ValidationError: if clients may not choose ids, or the id is not valid.
    """
    if "id" not in data:
        return {}
    if resource.schema.fields["id"].dump_only:
        raise ValidationError("The server chooses the ids of this type.")
    return {resource.id_attribute: resource.load_id(data["id"])}


def members(data: Json, name: str) -> Json:
    """The members of `attributes` or `relationships`, without @-members (§5.8.2)."""
    members = data.get(name, {})
    if not isinstance(members, dict):
        return {}
    return {key: value for key, value in members.items() if not key.startswith("@")}


def _load(
    resource: Resource, data: Json, place: Place, lids: Container[LocalId], *, partial: bool
) -> tuple[LoadedResource, list[Error]]:
    """Load attributes and relationships.

    :param lids: the local ids that linkage may have, besides that of a new resource.
    :param partial: whether required fields may be missing.
    :returns: the fields that are valid, and the errors of the others.
    """
    attributes, faults = _given_attributes(resource, data, place, partial=partial)
    linkages = []
    lid = data.get("lid")
    created = None if partial or lid is None else (resource.type, lid)
    for name, value in members(data, "relationships").items():
        member_place = (*place, "relationships", name)
        relationship = resource.relationships.get(name)
        if relationship is None:
            detail = f"The type {resource.type} has no such relationship."
            faults.append(field_error("unknown_field", name, detail, *member_place, rule="unknown"))
        elif not (relationship.is_changeable if partial else relationship.is_writable):
            faults.append(read_only(relationship, member_place))
        else:
            linkage, linkage_faults = read_linkage(
                relationship, value["data"], (*member_place, "data"), lids, created
            )
            linkages.append(linkage)
            faults += linkage_faults
    if not partial:
        faults += _missing_relationships(resource, data, place)
    values, value_faults = load_attributes(resource, attributes, data, place, partial)
    loaded = LoadedResource(
        values=values,
        linkages=tuple(linkages),
        lid=lid,
        is_new=not partial,
        sent=frozenset((*attributes, *(linkage.relationship.name for linkage in linkages))),
        place=place,
    )
    return loaded, faults + value_faults


def _given_attributes(
    resource: Resource, data: Json, place: Place, *, partial: bool
) -> tuple[Json, list[Error]]:
    """The attributes of a resource object that clients may write, and the errors of the others."""
    attributes, faults = {}, []
    for name, value in members(data, "attributes").items():
        code, rule = "read_only_field", "readOnly"
        if name not in resource.attributes:
            code, rule = "unknown_field", "unknown"
            detail = f"The type {resource.type} has no such attribute."
        elif name not in resource.writable:
            detail = "Is read-only: the server sets it."
        elif partial and name not in resource.changeable:
            detail = "Is read-only: it can be set on creation alone."
        else:
            attributes[name] = value
            continue
        faults.append(field_error(code, name, detail, *place, "attributes", name, rule=rule))
    return attributes, faults


def _missing_relationships(resource: Resource, data: Json, place: Place) -> list[Error]:
    given = members(data, "relationships")
    parent = (*place, "relationships") if "relationships" in data else place
    return [missing("relationship", r.name, parent) for r in resource.needed if r.name not in given]


def prepare(request: Request, resource: Resource, loaded: LoadedResource) -> LoadedResource:
    """Let the host prepare a resource object without faults, before a connection is taken.

    :raises JSONAPIError: what the host raises.
    """
    if resource.prepare is None:
        return loaded
    prepared: LoadedResource = resource.prepare(request, loaded)
    return prepared
