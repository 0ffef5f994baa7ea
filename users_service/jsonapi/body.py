"""The request body: its JSON, the shape of its document, and the schema's verdict on its fields."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from users_service.jsonapi.errors import Error, JSONAPIError, at
from users_service.jsonapi.limits import Limits
from users_service.jsonapi.resource import Resource

Json = dict[str, Any]


class _InvalidJsonError(ValueError):
    """The text is JSON to Python's parser, but not to RFC 8259 or I-JSON (RFC 7493)."""


def read_json(request: Request, limits: Limits) -> Any:
    """Return the value of the request's body.

    :raises JSONAPIError: 413 if it is over `limits.max_body_size`, 400 if it is no JSON text in
        UTF-8 (RFC 8259), repeats a name, has a number or a string that no IEEE double or UTF-8
        text can hold (RFC 7493 §2), or is nested deeper than `limits.max_json_depth`.
    """
    body = _read(request, limits.max_body_size)
    if not body:
        raise _malformed("The request has no body.")
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        if re.search(rb"\\u[dD][89a-fA-F]", body):
            _refuse_surrogates(value)
    except UnicodeDecodeError as error:
        raise _invalid_json(f"The body is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        detail = f"{error.msg} at line {error.lineno}, column {error.colno}."
        raise _invalid_json(detail) from None
    except _InvalidJsonError as error:
        raise _invalid_json(str(error)) from None
    except RecursionError:
        raise _too_deep(limits) from None
    except ValueError:  # int() refuses thousands of digits
        raise _invalid_json("A number is too large.") from None
    if _depth_exceeds(value, limits.max_json_depth):
        raise _too_deep(limits)
    return value


def _read(request: Request, limit: int) -> bytes:
    too_large = JSONAPIError(
        Error(code="body_too_large", detail=f"A body may have at most {limit} bytes.")
    )
    if (request.content_length or 0) > limit:
        raise too_large
    # Chunked bodies have no length: never take more than one byte too many.
    body: bytes = request.body_file.read(limit + 1)
    if len(body) > limit:
        raise too_large
    return body


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _InvalidJsonError("An object has the same name twice.")
    return value


def _refuse_constant(name: str) -> Any:
    raise _InvalidJsonError(f"{name} is no JSON value.")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise _InvalidJsonError("A number is too large.")
    return number


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise _InvalidJsonError("A string has half of a surrogate pair.") from None


def _depth_exceeds(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    children = value.values() if isinstance(value, dict) else value
    return any(_depth_exceeds(child, levels - 1) for child in children)


def _invalid_json(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="invalid_json", detail=detail))


def _too_deep(limits: Limits) -> JSONAPIError:
    detail = f"The body is nested deeper than {limits.max_json_depth} levels."
    return JSONAPIError(Error(code="malformed_document", detail=detail, source=at()))


def _malformed(detail: str, *tokens: str | int) -> JSONAPIError:
    return JSONAPIError(_shape_error(detail, *tokens))


def _shape_error(detail: str, *tokens: str | int) -> Error:
    return Error(code="malformed_document", detail=detail, source=at(*tokens))


def load_new(resource: Resource, document: Any) -> Json:
    """Return the values for a resource to create, by model attribute (§7.1 Creating Resources).

    :raises JSONAPIError: 400, 403, 409 or 422, with every fault of the document at once.
    """
    data = _resource_object(document)
    _check_identity(resource, data)
    faults = _field_faults(resource, data)
    values, value_faults = _load(resource, data, partial=False)
    if "id" in data:
        try:
            values[resource.id_attribute] = resource.load_id(data["id"])
        except ValidationError as error:
            faults.append(
                Error(code="client_id_refused", detail=_sentence(error), source=at("data", "id"))
            )
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
        return resource.schema.load({"data": item}, partial=partial), []
    except ValidationError as error:
        # marshmallow-jsonapi has made these error objects already.
        messages: Any = error.messages
        return {}, [_value_error(fault, data) for fault in messages["errors"]]


def _value_error(fault: Mapping[str, Any], data: Json) -> Error:
    """Make the schema's error ours; a field that is not there is pointed at by its parent."""
    tokens = fault["source"]["pointer"].split("/")[1:]
    attributes = data.get("attributes", {})
    name = tokens[2]
    if name not in attributes:
        parent = ("data", "attributes") if "attributes" in data else ("data",)
        return field_error("missing_field", name, f"The attribute {name} is required.", *parent)
    return field_error("invalid_value", name, fault["detail"], *tokens)


def field_error(code: str, name: str, message: str, *tokens: str | int) -> Error:
    """An error of one field, with the name and the message that form-building clients read."""
    meta = {"attribute": name, "message": message}
    return Error(code=code, detail=message, source=at(*tokens), meta=meta)


def _sentence(error: ValidationError) -> str:
    return " ".join(error.messages)
