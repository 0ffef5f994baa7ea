"""The `filter` family of query parameters, as Parameter Objects."""

from collections.abc import Iterator

from ..reading import EQUALITY, LISTS, MATCHES, operators_of
from ..resource import Resource
from .components import Components, Json, Parameter

MEANINGS = {
    "eq": "is",
    "ne": "is not",
    "lt": "is less than",
    "le": "is at most",
    "gt": "is greater than",
    "ge": "is at least",
    "in": "is one of",
    "nin": "is none of",
    "contains": "contains",
    "icontains": "contains, without regard to case,",
    "startswith": "starts with",
    "endswith": "ends with",
    "isnull": "is null (`true`) or is not (`false`)",
}


def filter_parameters(components: Components, resource: Resource) -> Iterator[Parameter]:
    """The parameters of filters: an expression, and one for each field and operator."""
    description = (
        "A filter expression, made of `and(…)`, `or(…)`, `not(…)`, `equals(name,'…')`, `lessThan`, "
        "`lessOrEqual`, `greaterThan`, `greaterOrEqual`, `contains`, `icontains`, `startsWith`, "
        "`endsWith`, `any(name,'…','…')`, `has(relationship,…)` and `count(relationship)`. Values "
        "are texts in single quotes, which are doubled within a text, or `null`. If a request has "
        "several filters, resources must fulfil all of them."
    )
    schema = {
        "type": "string",
        "minLength": 1,
        "maxLength": components.limits.max_filter_length,
        "format": "filter-expression",
    }
    yield components.parameter("filter", "filter", description, schema)
    for name in ("id", *resource.readable, *resource.relationships):
        for operator in MEANINGS:
            if operator in operators_of(resource, name):
                yield _filter(components, resource, name, operator)
    for name, relationship in resource.relationships.items():
        for field in relationship.target.readable:
            if operators_of(relationship.target, field):
                yield _filter_of_related(components, resource, name, field)


def _filter(components: Components, resource: Resource, name: str, operator: str) -> Parameter:
    description = f"`{name}` {MEANINGS[operator]}"
    if operator == "isnull" and name in resource.relationships:
        description = f"`{name}` has none (`true`) or has some (`false`)"
    schema = components.filter_property(resource, name)
    if operator == "isnull":
        schema = {"type": "boolean"}
    elif operator in MATCHES:
        schema = {name: member for name, member in schema.items() if name != "examples"}
        schema |= {"minLength": 1, "pattern": "^[^\\u0000]+$"}
        description += " this text"
    elif operator in LISTS or (operator in EQUALITY and name not in resource.attributes):
        # eq and ne compare an id or a relationship with several ids.
        schema = _values(components, _without_commas(schema))
        description += (
            " these values, separated by commas" if operator in LISTS else " one of these"
        )
    else:
        description += " this"
    parameter = f"filter[{name}]" if operator == "eq" else f"filter[{name}][{operator}]"
    key = f"{resource.type}.filter.{name}" + ("" if operator == "eq" else f".{operator}")
    return components.parameter(key, parameter, f"{description}.", schema)


def _filter_of_related(
    components: Components, resource: Resource, name: str, field: str
) -> Parameter:
    target = resource.relationships[name].target
    description = (
        f"`{field}` of a related resource in `{name}` is this. Other operators and longer paths "
        "work too; `ne` and `nin` also find resources that are related to none."
    )
    key = f"{resource.type}.filter.{name}.{field}"
    schema = components.filter_property(target, field)
    return components.parameter(key, f"filter[{name}.{field}]", description, schema)


def _values(components: Components, schema: Json) -> Json:
    limits = components.limits
    most = limits.max_filter_values
    if schema.get("format") == "uuid":  # 36 characters each, and a comma
        most = max(1, min(most, (limits.max_filter_length + 1) // 37))
    return {"type": "array", "minItems": 1, "maxItems": most, "items": schema}


def _without_commas(schema: Json) -> Json:
    """The JSON Schema of the same values without commas, which separate values."""
    if "pattern" not in schema:
        return schema
    return schema | {"pattern": schema["pattern"].replace("[^", "[^,")}
