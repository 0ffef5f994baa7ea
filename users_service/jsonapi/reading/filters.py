"""Parses filters in brackets into condition trees (§6.6); no SQL.

Examples: `filter[name]=Ada`, `filter[role.name][in]=a,b`, `filter[groups]=ID`.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError

from ..limits import Limits
from ..resource import SORTABLE, Relationship, Resource
from .text_search import FOLDED
from .tree import Compare, Not, Related

ORDERING = {"lt", "le", "gt", "ge"}
LISTS = {"in", "nin"}
MATCHES = {"contains", "icontains", "startswith", "endswith"}
EQUALITY = {"eq", "ne", "isnull"} | LISTS
OPERATORS = EQUALITY | ORDERING | MATCHES


def operators_of(resource: Resource, name: str) -> set[str]:
    """The operators of a field's filters; none if it cannot be filtered by."""
    if name in resource.relationships:
        return EQUALITY
    kind = resource.python_type(name)
    if kind not in SORTABLE:
        return set()
    searches = MATCHES if resource.computed(name, FOLDED) is not None else MATCHES - {FOLDED}
    return (
        EQUALITY | (ORDERING if kind is not bool else set()) | (searches if kind is str else set())
    )


def parse(resource: Resource, name: str, value: str, limits: Limits) -> Any:
    """Parse one parameter of the `filter` family.

    :raises ValueError: if its name or its value is wrong; the text is the error's detail.
    """
    if len(value) > limits.max_filter_length:
        raise ValueError(f"May have at most {limits.max_filter_length} characters.")
    path, operator = _split_name(name, limits)
    return follow_path(
        resource, path, lambda end, last: _field_condition(end, last, operator, value, limits)
    )


def parse_list(resource: Resource, name: str, values: list[str], limits: Limits) -> Any:
    """Parse a parameter that is repeated for each of its values, such as `filter[id][]`.

    :raises ValueError: if its name or a value is wrong; the text is the error's detail.
    """
    path, operator = _split_name(name.removesuffix("[]"), limits)
    if operator not in ("eq", "in", "nin"):
        raise ValueError(f"The operator {operator} takes one value.")
    return follow_path(
        resource, path, lambda end, last: one_of(end, last, operator, values, limits)
    )


def _split_name(name: str, limits: Limits) -> tuple[list[str], str]:
    match = re.fullmatch(r"filter\[([^\[\]]+)\](?:\[([^\[\]]+)\])?", name)
    if not match:
        raise ValueError("Must be filter[path] or filter[path][operator].")
    operator = match[2] or "eq"
    if operator not in OPERATORS:
        known = ", ".join(sorted(OPERATORS))
        raise ValueError(f"There is no operator {operator[:20]!r}; there are {known}.")
    path = match[1].split(".")
    if len(path) > limits.max_filter_depth:
        raise ValueError(f"May be nested at most {limits.max_filter_depth} levels deep.")
    return path, operator


def follow_path(
    resource: Resource, path: Sequence[str], build: Callable[[Resource, str], Any]
) -> Any:
    """Build a condition on the last name of a path, within `Related` for each relationship before.

    :param build: makes the condition, from the resource at the end of the path and the last name.
    """
    if len(path) == 1:
        return build(resource, path[0])
    relationship = find_relationship(resource, path[0])
    return Related(relationship, follow_path(relationship.target, path[1:], build))


def find_relationship(resource: Resource, name: str) -> Relationship:
    if name not in resource.relationships:
        raise ValueError(f"{resource.type} have no relationship {name[:40]!r}.")
    return resource.relationships[name]


def _field_condition(
    resource: Resource, name: str, operator: str, value: str, limits: Limits
) -> Any:
    """Return the condition of one parameter on a field."""
    if name in resource.relationships:
        relationship = resource.relationships[name]
        if operator == "isnull":
            related = Related(relationship)
            return Not(related) if _flag(value) else related
        return one_of(resource, name, operator, value.split(","), limits)
    if operator == "isnull":
        isnull = Compare(resource, check_filterable(resource, name), "eq", (None,))
        return isnull if _flag(value) else Not(isnull)
    if operator in LISTS or name == "id":
        return one_of(resource, name, operator, value.split(","), limits)
    return compare(resource, name, operator, value)


def one_of(resource: Resource, name: str, operator: str, values: list[str], limits: Limits) -> Any:
    """Return the condition that a field is, or is not, one of several values."""
    if len(values) > limits.max_filter_values:
        raise ValueError(f"May have at most {limits.max_filter_values} values.")
    if name in resource.relationships:
        relationship = resource.relationships[name]
        if operator not in ("eq", "ne", "in", "nin"):
            raise ValueError(f"The operator {operator} cannot be used on a relationship.")
        ids = tuple(_load_value(relationship.target, "id", value) for value in values)
        found: Any = Related(relationship, Compare(relationship.target, "id", "eq", ids))
    elif operator in ORDERING | MATCHES:
        return compare(resource, name, operator, ",".join(values))
    else:
        check_filterable(resource, name)
        found = Compare(
            resource, name, "eq", tuple(_load_value(resource, name, value) for value in values)
        )
    return Not(found) if operator in ("ne", "nin") else found


def compare(resource: Resource, name: str, operator: str, text: str) -> Any:
    """Return the comparison of a field with one value.

    :param text: the value as text.
    :raises ValueError: if the operator does not fit the field, or the text is not a valid value.
    """
    kind = resource.python_type(check_filterable(resource, name))
    if operator in MATCHES:
        if kind is not str:
            raise ValueError(f"The operator {operator} can be used only on text.")
        if operator not in operators_of(resource, name):
            raise ValueError(f"The operator {operator} cannot be used on {name}.")
        if not text or "\0" in text:
            raise ValueError(f"The operator {operator} takes a text, not empty, without U+0000.")
        return Compare(resource, name, operator, (text,))
    if operator in ORDERING and kind is bool:
        raise ValueError(f"The operator {operator} cannot be used on true and false.")
    found = Compare(
        resource,
        name,
        "eq" if operator == "ne" else operator,
        (_load_value(resource, name, text),),
    )
    return Not(found) if operator == "ne" else found


def check_filterable(resource: Resource, name: str) -> str:
    if name not in resource.readable and name != "id":
        raise ValueError(f"{resource.type} have no field {name[:40]!r}.")
    if resource.python_type(name) not in SORTABLE:
        raise ValueError(f"Cannot filter by {name}.")
    return name


def _load_value(resource: Resource, name: str, text: str) -> Any:
    """Load a value by its field of the schema, after converting the text to JSON."""
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
