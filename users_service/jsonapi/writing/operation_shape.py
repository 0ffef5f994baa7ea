"""Checks the shape of the document of atomic operations, and of each operation object in it."""

from dataclasses import replace
from typing import Any

from ..errors import Error, JSONAPIError, Place, at, malformed, malformed_error
from ..limits import Limits
from .body import included_refused

Json = dict[str, Any]

OPERATIONS_MEMBER = "atomic:operations"
OPERATION_CODES = ("add", "update", "remove")


def operations_of(document: Any, limits: Limits) -> list[Any]:
    """Return the operation objects of a document; `shape_faults` are not looked for.

    :raises JSONAPIError: 400 if the document is not one of operations.
    """
    if not isinstance(document, dict):
        raise malformed("The document must be an object.")
    if clash := sorted(document.keys() & {"data", "included", "errors", "atomic:results"}):
        raise malformed(f"Cannot be combined with {OPERATIONS_MEMBER}.", clash[0])
    if OPERATIONS_MEMBER not in document:
        raise malformed(f"The document must have a member {OPERATIONS_MEMBER}.")
    operations = document[OPERATIONS_MEMBER]
    if not isinstance(operations, list) or not operations:
        raise malformed("Must be an array of at least one operation.", OPERATIONS_MEMBER)
    if len(operations) > limits.max_operations:
        detail = f"May have at most {limits.max_operations} operations."
        source = at(OPERATIONS_MEMBER)
        raise JSONAPIError(Error(code="too_many_operations", detail=detail, source=source))
    return operations


def place_of(index: int) -> Place:
    """The place of an operation in its document."""
    return (OPERATIONS_MEMBER, index)


def located(error: JSONAPIError, place: Place) -> JSONAPIError:
    """The errors of an operation: what is about the whole of a single request is about it."""
    errors = [e if e.source else replace(e, source=at(*place)) for e in error.errors]
    return JSONAPIError(*errors, headers=error.headers)


def shape_faults(operation: Any, place: Place) -> list[Error]:
    """Return the errors in the shape of one operation object.

    :param place: its place in the document.
    """
    if not isinstance(operation, dict):
        return [malformed_error("Must be an operation object.", *place)]
    faults = []
    if "op" not in operation:
        faults.append(malformed_error("Must have a member op.", *place))
    elif operation["op"] not in OPERATION_CODES:
        faults.append(
            malformed_error(f"Must be one of {', '.join(OPERATION_CODES)}.", *place, "op")
        )
    if "ref" in operation and "href" in operation:
        faults.append(malformed_error("Must not have both ref and href.", *place))
    if operation.get("op") == "remove" and not operation.keys() & {"ref", "href"}:
        faults.append(malformed_error("Must have ref or href.", *place))
    if "href" in operation and not isinstance(operation["href"], str):
        faults.append(malformed_error("Must be a string.", *place, "href"))
    if "included" in operation:
        faults.append(included_refused(*place, "included"))
    meta = operation.get("meta", {})
    if not isinstance(meta, dict):
        faults.append(malformed_error("Must be an object.", *place, "meta"))
    elif not isinstance(meta.get("if_match", ""), str):
        faults.append(malformed_error("Must be a string.", *place, "meta", "if_match"))
    if "ref" in operation:
        faults += _reference_faults(operation["ref"], (*place, "ref"))
    return faults


def _reference_faults(reference: Any, place: Place) -> list[Error]:
    if not isinstance(reference, dict):
        return [malformed_error("Must be an object.", *place)]
    faults = []
    if "type" not in reference or len(reference.keys() & {"id", "lid"}) != 1:
        faults.append(malformed_error("Must have a type, and either an id or a lid.", *place))
    for name, value in sorted(reference.items()):
        if name not in ("type", "id", "lid", "relationship"):
            detail = "A ref has the members type, id or lid, and relationship only."
            faults.append(malformed_error(detail, *place, name))
        elif not isinstance(value, str):
            faults.append(malformed_error("Must be a string.", *place, name))
    return faults
