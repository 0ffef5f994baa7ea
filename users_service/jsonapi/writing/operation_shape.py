"""Checks the shape of atomic operations, and reports the errors of all of them at once."""

from typing import Any

from ..errors import Error, JSONAPIError, Place, at, malformed, malformed_error

Json = dict[str, Any]

OPERATIONS_MEMBER = "atomic:operations"
OPERATION_CODES = ("add", "update", "remove")


def read_operations(document: Any, most: int) -> list[Json]:
    """Return the operation objects of a document.

    :param most: the largest number of operations.
    :raises JSONAPIError: 400 with all errors of their shape.
    """
    if not isinstance(document, dict):
        raise malformed("Must be an object.")
    if clash := sorted(document.keys() & {"data", "included", "errors", "atomic:results"}):
        raise malformed(f"Cannot be combined with {OPERATIONS_MEMBER}.", clash[0])
    if OPERATIONS_MEMBER not in document:
        raise malformed(f"Must have a member {OPERATIONS_MEMBER}.")
    operations = document[OPERATIONS_MEMBER]
    if not isinstance(operations, list) or not operations:
        raise malformed("Must be an array of at least one operation.", OPERATIONS_MEMBER)
    if len(operations) > most:
        detail = f"May have at most {most} operations."
        source = at(OPERATIONS_MEMBER)
        raise JSONAPIError(Error(code="too_many_operations", detail=detail, source=source))
    faults = [fault for index, op in enumerate(operations) for fault in _faults(op, index)]
    if faults:
        raise JSONAPIError(*faults)
    return operations


def _faults(operation: Any, index: int) -> list[Error]:
    """Return the errors in the shape of one operation object."""
    place = (OPERATIONS_MEMBER, index)
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
    if not isinstance(operation.get("meta", {}), dict):
        faults.append(malformed_error("Must be an object.", *place, "meta"))
    if "ref" in operation:
        faults += _reference_faults(operation["ref"], (*place, "ref"))
    return faults


def _reference_faults(reference: Any, place: Place) -> list[Error]:
    if not isinstance(reference, dict):
        return [malformed_error("Must be an object.", *place)]
    faults = []
    if "type" not in reference or len(reference.keys() & {"id", "lid"}) != 1:
        faults.append(malformed_error("Must have a type, and either an id or a lid.", *place))
    if unknown := sorted(reference.keys() - {"type", "id", "lid", "relationship"}):
        detail = "A ref has the members type, id or lid, and relationship only."
        faults.append(malformed_error(detail, *place, unknown[0]))
    for name, value in sorted(reference.items()):
        if not isinstance(value, str):
            faults.append(malformed_error("Must be a string.", *place, name))
    return faults
