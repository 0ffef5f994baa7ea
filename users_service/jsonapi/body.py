"""The request body's document: its shape, and the schema's verdict on its fields."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from users_service.jsonapi.errors import Error, JSONAPIError, at
from users_service.jsonapi.resource import Resource

Json = dict[str, Any]


def load_new(resource: Resource, document: Any) -> Json:
    """Return the values for a resource to create, by model attribute (§7.1 Creating Resources).

    :raises JSONAPIError: 400, 403, 409 or 422, with every fault of the document at once.
    """
    data = _resource_object(document)
    _check_identity(resource, data)
    faults = _field_faults(resource, data)
    values, value_faults = _load(resource, data, partial=False)
    try:
        values |= _client_id(resource, data)
    except ValidationError as error:
        detail = " ".join(error.messages)
        faults.append(Error(code="client_id_refused", detail=detail, source=at("data", "id")))
    if faults or value_faults:
        raise JSONAPIError(*faults, *value_faults)
    return values


def load_changes(resource: Resource, document: Any, expected_id: Any) -> Json:
    """Return the values to change, by model attribute (§7.2 Updating Resources).

    :raises JSONAPIError: 400, 409 or 422, with every fault of the document at once.
    """
    data = _resource_object(document, id_required=True)
    _check_identity(resource, data, expected_id)
    faults = _field_faults(resource, data)
    values, value_faults = _load(resource, data, partial=True)
    if faults or value_faults:
        raise JSONAPIError(*faults, *value_faults)
    return values


def _resource_object(document: Any, id_required: bool = False) -> Json:
    """Check the shape of a document that has one resource object (§5.2): 400 for any fault."""
    if not isinstance(document, dict):
        raise _malformed("The document must be an object.")
    if "data" not in document:
        raise _malformed("The document has no member data.")
    data = document["data"]
    if not isinstance(data, dict):
        raise _malformed("Must be one resource object.", "data")
    faults = []
    required = {"type", "id"} if id_required else {"type"}
    for name in ("type", "id", "lid"):
        if name not in data:
            if name in required:
                faults.append(_shape_error(f"The resource object has no member {name}.", "data"))
        elif not isinstance(data[name], str):
            faults.append(_shape_error("Must be a string.", "data", name))
    for name in ("attributes", "relationships"):
        if not isinstance(data.get(name, {}), dict):
            faults.append(_shape_error("Must be an object.", "data", name))
    if faults:
        raise JSONAPIError(*faults)
    return data


def _malformed(detail: str, *tokens: str | int) -> JSONAPIError:
    return JSONAPIError(_shape_error(detail, *tokens))


def _shape_error(detail: str, *tokens: str | int) -> Error:
    return Error(code="malformed_document", detail=detail, source=at(*tokens))


def _check_identity(resource: Resource, data: Json, expected_id: Any = None) -> None:
    if data["type"] != resource.type:
        detail = f"This endpoint takes resources of type {resource.type}."
        raise JSONAPIError(Error(code="type_conflict", detail=detail, source=at("data", "type")))
    if expected_id is not None:
        try:
            same = resource.load_id(data["id"]) == expected_id
        except ValidationError:
            same = False
        if not same:
            detail = "Differs from the id in the URL."
            raise JSONAPIError(Error(code="id_conflict", detail=detail, source=at("data", "id")))


def _client_id(resource: Resource, data: Json) -> Json:
    """Return the id that a client gives a new resource (§7.1.2), if it gives one.

    :raises marshmallow.ValidationError: if clients cannot choose it, or not this one.
    """
    if "id" not in data:
        return {}
    if resource.schema.fields["id"].dump_only:
        raise ValidationError("The server chooses the ids of this type.")
    return {resource.id_attribute: resource.load_id(data["id"])}


def _members(data: Json, name: str) -> Json:
    """The members of `attributes` or `relationships`; @-members are ignored (§5.8.2)."""
    return {k: v for k, v in data.get(name, {}).items() if not k.startswith("@")}


def _field_faults(resource: Resource, data: Json) -> list[Error]:
    """Find the fields that cannot be written: those the schema does not have or only shows."""
    faults = []
    for name in _members(data, "attributes"):
        place = ("data", "attributes", name)
        if name not in resource.attributes:
            faults.append(field_error("unknown_field", name, "There is no such attribute.", *place))
        elif name not in resource.writable:
            faults.append(field_error("read_only_field", name, "Cannot be written.", *place))
    for name in _members(data, "relationships"):
        place = ("data", "relationships", name)
        faults.append(field_error("unknown_field", name, "There is no such relationship.", *place))
    return faults


def _load(resource: Resource, data: Json, *, partial: bool) -> tuple[Json, list[Error]]:
    """Let the schema load the writable attributes that the resource object has."""
    attributes = {k: v for k, v in _members(data, "attributes").items() if k in resource.writable}
    item = {"type": resource.type, "attributes": attributes}
    try:
        # The id is no business of this; `partial` keeps the schema from asking for it.
        return resource.schema.load({"data": item}, partial=partial or ("id",)), []
    except ValidationError as error:
        # marshmallow-jsonapi has made these error objects already.
        messages: Any = error.messages
        return {}, [_value_error(resource, fault, data) for fault in messages["errors"]]


def _value_error(resource: Resource, fault: Mapping[str, Any] | str, data: Json) -> Error:
    """Make the schema's error ours; a field that is not there is pointed at by its parent."""
    parent = ("data", "attributes") if "attributes" in data else ("data",)
    if isinstance(fault, str):  # a rule over several fields
        return Error(code="invalid_value", detail=fault, source=at(*parent))
    tokens = fault["source"]["pointer"].split("/")[1:]
    attributes = data.get("attributes", {})
    name = tokens[2]
    if name not in attributes:
        if fault["detail"] == resource.attributes[name].error_messages["required"]:
            return field_error("missing_field", name, f"The attribute {name} is required.", *parent)
        return field_error("invalid_value", name, fault["detail"], *parent)
    return field_error("invalid_value", name, fault["detail"], *tokens)


def field_error(code: str, name: str, message: str, *tokens: str | int) -> Error:
    """An error of one field, with the name and the message that form-building clients read."""
    meta = {"attribute": name, "message": message}
    return Error(code=code, detail=message, source=at(*tokens), meta=meta)
