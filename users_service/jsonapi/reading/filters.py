"""Parses filters in brackets into condition trees (§6.6); no SQL.

Examples: `filter[name]=Ada`, `filter[role.name][in]=a,b`, `filter[groups]=ID`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..limits import Limits
from ..resource import SORTABLE, Relationship, Resource
from .operands import condition_of, flag, load_text
from .readable import Readable
from .text_search import FOLDED
from .tree import Compare, Not, Related

ORDERING = {"lt", "le", "gt", "ge"}
LISTS = {"in", "nin"}
MATCHES = {"contains", "icontains", "startswith", "endswith"}
EQUALITY = {"eq", "ne", "isnull"} | LISTS
OPERATORS = EQUALITY | ORDERING | MATCHES

# Each of these holds where the other does not, on every path: filter[role.name][ne]=a finds also
# the users without a role.
NEGATIONS = {"ne": "eq", "nin": "in"}


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


def parse(resource: Resource, name: str, value: str, limits: Limits, readable: Readable) -> Any:
    """Parse one parameter of the `filter` family.

    :raises ValueError: if its name or its value is wrong; the text is the error's detail.
    """
    _check_length(value, limits)
    path, operator = _split_name(name, limits)
    if operator == "isnull":
        none = has_none(resource, path, readable)
        return none if flag(value) else _negated(none)
    positive = NEGATIONS.get(operator, operator)
    found = follow_path(
        resource,
        path,
        lambda end, last: _field_condition(end, last, positive, value, limits, readable),
    )
    return _negated(found) if operator in NEGATIONS else found


def parse_list(
    resource: Resource, name: str, values: list[str], limits: Limits, readable: Readable
) -> Any:
    """Parse a parameter that is repeated for each of its values, such as `filter[id][]`.

    :raises ValueError: if its name or a value is wrong; the text is the error's detail.
    """
    for value in values:
        _check_length(value, limits)
    path, operator = _split_name(name.removesuffix("[]"), limits)
    if NEGATIONS.get(operator, operator) not in NEGATIONS.values():
        raise ValueError(f"The operator {operator} takes one value.")
    found = follow_path(
        resource, path, lambda end, last: one_of(end, last, values, limits, readable)
    )
    return _negated(found) if operator in NEGATIONS else found


def _check_length(value: str, limits: Limits) -> None:
    if len(value) > limits.max_filter_length:
        raise ValueError(f"May have at most {limits.max_filter_length} characters.")


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


def has_none(resource: Resource, path: Sequence[str], readable: Readable) -> Any:
    """Return the condition that there is nothing at the end of a path: `isnull`.

    That is no value of an attribute, or no related resource; nor is there where a relationship
    before it leads to none.
    """
    return _negated(follow_path(resource, path, lambda end, last: _has_some(end, last, readable)))


def _has_some(resource: Resource, name: str, readable: Readable) -> Any:
    if name in resource.relationships:
        return Related(resource.relationships[name])
    return Not(Compare(resource, check_filterable(resource, name, readable), "eq", (None,)))


def _negated(condition: Any) -> Any:
    return condition.condition if isinstance(condition, Not) else Not(condition)


def _field_condition(
    resource: Resource,
    name: str,
    operator: str,
    value: str,
    limits: Limits,
    readable: Readable,
) -> Any:
    """Return the condition of one parameter on a field.

    :param operator: none of NEGATIONS, nor `isnull`.
    """
    has_ids = name == "id" or name in resource.relationships
    if operator == "in" or (operator == "eq" and has_ids):
        return one_of(resource, name, value.split(","), limits, readable)
    return compare(resource, name, operator, value, readable)


def one_of(
    resource: Resource, name: str, values: list[str], limits: Limits, readable: Readable
) -> Any:
    """Return the condition that a field is one of several values.

    :param values: the values as text; the ids of related resources for a relationship.
    :raises ValueError: if there are too many, or one of them is not a valid value.
    """
    if len(values) > limits.max_filter_values:
        raise ValueError(f"May have at most {limits.max_filter_values} values.")
    if name in resource.relationships:
        relationship = resource.relationships[name]
        return Related(relationship, one_of(relationship.target, "id", values, limits, readable))
    check_filterable(resource, name, readable)
    return condition_of(resource, name, "eq", values)


def compare(resource: Resource, name: str, operator: str, text: str, readable: Readable) -> Any:
    """Return the comparison of a field with one value.

    :param operator: none of NEGATIONS.
    :param text: the value as text.
    :raises ValueError: if the operator does not fit the field, or the text is not a valid value.
    """
    if name in resource.relationships:
        raise ValueError(f"The operator {operator} cannot be used on a relationship.")
    kind = resource.python_type(check_filterable(resource, name, readable))
    if operator in MATCHES:
        if kind is not str:
            raise ValueError(f"The operator {operator} can be used only on text.")
        if operator not in operators_of(resource, name):
            raise ValueError(f"The operator {operator} cannot be used on {name}.")
        if not text:
            raise ValueError(f"The operator {operator} takes a text that is not empty.")
        return Compare(resource, name, operator, (load_text(text),))
    if operator in ORDERING and kind is bool:
        raise ValueError(f"The operator {operator} cannot be used on true and false.")
    return condition_of(resource, name, operator, [text])


def check_filterable(resource: Resource, name: str, readable: Readable) -> str:
    if name != "id" and not readable.has(resource, name):
        raise ValueError(f"{resource.type} have no field {name[:40]!r}.")
    if resource.python_type(name) not in SORTABLE:
        raise ValueError(f"Cannot filter by {name}.")
    return name
