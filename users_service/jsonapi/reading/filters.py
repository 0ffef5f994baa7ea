"""Filters in brackets become conditions (§6.6). No SQL.

Such as `filter[name]=Ada`, `filter[role.name][in]=a,b`, `filter[groups]=ID`.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError

from ..limits import Limits
from ..resource import SORTABLE, Relationship, Resource
from .tree import Compare, Not, Related

ORDERING = {"lt", "le", "gt", "ge"}
LISTS = {"in", "nin"}
MATCHES = {"contains", "icontains", "startswith", "endswith"}
EQUALITY = {"eq", "ne", "isnull"} | LISTS
OPERATORS = EQUALITY | ORDERING | MATCHES


def operators_of(resource: Resource, name: str) -> set[str]:
    """The operators that fit a field: none if resources cannot be filtered by it."""
    if name in resource.relationships:
        return EQUALITY
    kind = resource.python_type(name)
    if kind not in SORTABLE:
        return set()
    return (
        EQUALITY | (ORDERING if kind is not bool else set()) | (MATCHES if kind is str else set())
    )


def parse(resource: Resource, name: str, value: str, limits: Limits) -> Any:
    """Read one parameter of the `filter` family.

    :raises ValueError: with what is wrong with its name or its value.
    """
    if len(value) > limits.max_filter_length:
        raise ValueError(f"Has more than {limits.max_filter_length} characters.")
    path, operator = _brackets(name, limits)
    return along(resource, path, lambda end, last: _bracket(end, last, operator, value, limits))


def parse_list(resource: Resource, name: str, values: list[str], limits: Limits) -> Any:
    """Read a parameter such as `filter[id][]`, given once for each of its values.

    :raises ValueError: with what is wrong with its name or a value.
    """
    path, operator = _brackets(name.removesuffix("[]"), limits)
    if operator not in ("eq", "in", "nin"):
        raise ValueError(f"The operator {operator} takes one value.")
    return along(resource, path, lambda end, last: listed(end, last, operator, values, limits))


def _brackets(name: str, limits: Limits) -> tuple[list[str], str]:
    match = re.fullmatch(r"filter\[([^\[\]]+)\](?:\[([^\[\]]+)\])?", name)
    if not match:
        raise ValueError("Must be filter[path] or filter[path][operator].")
    operator = match[2] or "eq"
    if operator not in OPERATORS:
        raise ValueError(f"There is no operator {operator[:20]!r}.")
    path = match[1].split(".")
    if len(path) > limits.max_filter_depth:
        raise ValueError(f"Is nested deeper than {limits.max_filter_depth} levels.")
    return path, operator


def along(resource: Resource, path: Sequence[str], build: Callable[[Resource, str], Any]) -> Any:
    """Follow the relationships of a path, and build the condition on what it ends in."""
    if len(path) == 1:
        return build(resource, path[0])
    relationship = find_relationship(resource, path[0])
    return Related(relationship, along(relationship.target, path[1:], build))


def find_relationship(resource: Resource, name: str) -> Relationship:
    if name not in resource.relationships:
        raise ValueError(f"{resource.type} have no relationship {name[:40]!r}.")
    return resource.relationships[name]


def _bracket(resource: Resource, name: str, operator: str, value: str, limits: Limits) -> Any:
    """The condition that a field and an operator make with the text of a parameter."""
    if name in resource.relationships:
        relationship = resource.relationships[name]
        if operator == "isnull":
            related = Related(relationship)
            return Not(related) if _flag(value) else related
        return listed(resource, name, operator, value.split(","), limits)
    if operator == "isnull":
        isnull = Compare(resource, filterable(resource, name), "eq", (None,))
        return isnull if _flag(value) else Not(isnull)
    if operator in LISTS or name == "id":
        return listed(resource, name, operator, value.split(","), limits)
    return compare(resource, name, operator, value)


def listed(resource: Resource, name: str, operator: str, values: list[str], limits: Limits) -> Any:
    """The condition that a field is, or is not, one of several values."""
    if len(values) > limits.max_filter_values:
        raise ValueError(f"Has more than {limits.max_filter_values} values.")
    if name in resource.relationships:
        relationship = resource.relationships[name]
        if operator not in ("eq", "ne", "in", "nin"):
            raise ValueError(f"The operator {operator} does not fit a relationship.")
        ids = tuple(_value(relationship.target, "id", value) for value in values)
        found: Any = Related(relationship, Compare(relationship.target, "id", "eq", ids))
    elif operator in ORDERING | MATCHES:
        return compare(resource, name, operator, ",".join(values))
    else:
        filterable(resource, name)
        found = Compare(
            resource, name, "eq", tuple(_value(resource, name, value) for value in values)
        )
    return Not(found) if operator in ("ne", "nin") else found


def compare(resource: Resource, name: str, operator: str, text: str) -> Any:
    """The condition that a field compares with the value that a text spells.

    :raises ValueError: if the field cannot be compared so, or the text is no value of it.
    """
    kind = resource.python_type(filterable(resource, name))
    if operator in MATCHES:
        if kind is not str:
            raise ValueError(f"The operator {operator} is for text.")
        if not text or "\0" in text:
            raise ValueError(f"The operator {operator} takes at least one character.")
        return Compare(resource, name, operator, (text,))
    if operator in ORDERING and kind is bool:
        raise ValueError(f"The operator {operator} does not fit true and false.")
    found = Compare(
        resource,
        name,
        "eq" if operator == "ne" else operator,
        (_value(resource, name, text),),
    )
    return Not(found) if operator == "ne" else found


def filterable(resource: Resource, name: str) -> str:
    if name not in resource.readable and name != "id":
        raise ValueError(f"{resource.type} have no field {name[:40]!r}.")
    if resource.python_type(name) not in SORTABLE:
        raise ValueError(f"Cannot filter by {name}.")
    return name


def _value(resource: Resource, name: str, text: str) -> Any:
    """Let the schema's own field read a value, from its JSON form where text is not that."""
    kind = resource.python_type(name)
    value: Any = text
    if kind is bool:
        value = _flag(text)
    elif kind in (int, float):
        if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
            raise ValueError("Must be a number.")
        value = float(text) if "." in text else int(text)
    field = resource.schema.fields["id"] if name == "id" else resource.attributes[name]
    try:
        value = field.deserialize(value)
    except ValidationError as error:
        messages: Any = error.messages
        raise ValueError(f"{name}: {' '.join(map(str, messages))}") from None
    if isinstance(value, str) and "\0" in value:
        raise ValueError("Must not contain U+0000.")
    if isinstance(value, datetime):
        try:
            value = value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{name}: Not a valid datetime.") from None
    return value


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("Must be true or false.")
    return text == "true"
