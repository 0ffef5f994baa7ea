"""The query parameters and request header fields of methods, as Parameter Objects."""

from collections.abc import Iterator

from ..api import Method
from ..reading import ALWAYS_SHOWN, MOST_PAGES, Endpoint
from ..resource import Resource
from .components import Components, Json, Parameter, parameter_body
from .filters import filter_parameters
from .schemas import pascal

# Relationships. Longer paths of `include` are not listed: there is no end to them.
LISTED_INCLUDE_DEPTH = 2


def of_method(
    components: Components, method: Method, *, conditional: str | None
) -> list[Parameter]:
    """The parameters of a method.

    :param conditional: the precondition that matters most: If-Match, If-None-Match or None.
    """
    found = [] if method.query is None else list(_of_query(components, method.query))
    headers = {"If-Match": ["If-Match", "If-None-Match"], "If-None-Match": ["If-None-Match"]}.get(
        conditional or "", []
    )
    return found + [_header(components, name) for name in (*headers, "X-Request-ID", "traceparent")]


def _of_query(components: Components, endpoint: Endpoint) -> Iterator[Parameter]:
    if paths := list(_include_paths(components, endpoint)):
        yield _include(components, endpoint, paths)
    for resource in components.resources.values():
        yield _fieldset(components, resource)
    if endpoint.collection:
        yield _sort(components, endpoint.resource)
        yield from _pages(components)
        yield from filter_parameters(components, endpoint.resource)


def id_parameter(components: Components, resource: Resource) -> Json:
    """The id in a path."""
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": f"The id of a resource of type `{resource.type}`.",
        "schema": components.id_property(resource),
    }


def _header(components: Components, name: str) -> Parameter:
    descriptions = {
        "X-Request-ID": "An id for the request: 1 to 128 letters, digits, dots, hyphens and "
        "underscores. The response and error objects repeat it.",
        "traceparent": "The trace of the request (W3C Trace Context). Its id is the id of the "
        "request if there is no `X-Request-ID`.",
        "If-Match": "Entity tags of the resource, or `*`. If none of them is current, the answer "
        "is 412, and nothing changes.",
        "If-None-Match": "Entity tags, or `*`. If one is current, the answer is 304 to `GET` and "
        "412 to other methods.",
    }
    return components.parameter(name, name, descriptions[name], {"type": "string"}, where="header")


def _include(components: Components, endpoint: Endpoint, paths: list[str]) -> Json:
    limits = components.limits
    description = (
        "Paths of relationships, separated by commas, whose related resources `included` has. A "
        f"path may have up to {limits.max_include_depth} relationships; those with up to "
        f"{LISTED_INCLUDE_DEPTH} are listed."
    )
    name = pascal(endpoint.resource.type)
    if endpoint.through is not None:
        name = f"{pascal(endpoint.through.source.type)}{pascal(endpoint.through.name)}Linkage"
    schema = _list(_enumeration(components, f"{name}Include", paths))
    schema["maxItems"] = limits.max_include_paths
    return {"name": "include", "in": "query"} | parameter_body(description, schema)


def _include_paths(components: Components, endpoint: Endpoint) -> Iterator[str]:
    depth = min(LISTED_INCLUDE_DEPTH, components.limits.max_include_depth)
    if endpoint.through is not None:
        name = endpoint.through.name
        yield name
        yield from (f"{name}.{path}" for path in _walk(endpoint.resource, depth - 1))
    else:
        yield from _walk(endpoint.resource, depth)


def _walk(resource: Resource, depth: int) -> Iterator[str]:
    for name, relationship in resource.relationships.items() if depth else ():
        yield name
        yield from (f"{name}.{path}" for path in _walk(relationship.target, depth - 1))


def _fieldset(components: Components, resource: Resource) -> Parameter:
    names = [*resource.readable, *resource.relationships, *sorted(ALWAYS_SHOWN)]
    description = (
        f"The fields to show of resources of type `{resource.type}`; all by default. `id` and "
        "`type` are always shown."
    )
    schema = _list(_enumeration(components, f"{pascal(resource.type)}Field", names))
    name = f"fields[{resource.type}]"
    return components.parameter(f"{resource.type}.fields", name, description, schema)


def _sort(components: Components, resource: Resource) -> Parameter:
    names = [
        f"{sign}{name}"
        for name in ("id", *resource.readable)
        if name in resource.sortable
        for sign in ("", "-")
    ]
    description = (
        "Fields to sort by, each at most once. `-` before a field sorts it in descending order. "
        "Ties are sorted by id. Text is sorted by code point. Null is the greatest value."
    )
    schema = _list(_enumeration(components, f"{pascal(resource.type)}Sort", names))
    schema |= {"minItems": 1, "uniqueItems": True}
    return components.parameter(f"{resource.type}.sort", "sort", description, schema)


def _pages(components: Components) -> Iterator[Parameter]:
    limits = components.limits
    size = {"type": "integer", "minimum": 1, "maximum": limits.max_page_size}
    usual = min(limits.page_size, limits.max_page_size)
    cursor = {"type": "string"}
    parameters: dict[str, tuple[str, Json]] = {
        "page[size]": (
            f"Resources on a page, {usual} by default; cannot be combined with `page[offset]`.",
            size,
        ),
        "page[after]": ("A cursor from a link: the page begins after it.", cursor),
        "page[before]": ("A cursor from a link: the page ends before it.", cursor),
        "page[total]": (
            "Whether to count all resources of the list, for `meta.page.total`. Pages by number "
            "and by offset always have it.",
            {"type": "boolean", "default": False},
        ),
        "page[number]": (
            "The number of the page, from 1; cannot be combined with cursors and offsets.",
            {"type": "integer", "minimum": 1, "maximum": MOST_PAGES},
        ),
        "page[offset]": (
            "The number of resources before the page; cannot be combined with cursors and page "
            "numbers.",
            {"type": "integer", "minimum": 0, "maximum": MOST_PAGES},
        ),
        "page[limit]": (f"Resources on a page by offset, {usual} by default.", size),
    }
    for name, (description, schema) in parameters.items():
        key = name.replace("[", ".").removesuffix("]")
        yield components.parameter(key, name, description, schema)


def _enumeration(components: Components, name: str, values: list[str]) -> Json:
    return components.schema(name, lambda: {"type": "string", "enum": values})


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}
