"""Query parameters and request headers of methods, as Parameter Objects of OpenAPI."""

from collections.abc import Iterator

from ..api import Method
from ..reading import MOST_PAGES, Endpoint
from ..resource import Resource
from .components import Components, Json, Parameter, parameter_body
from .filters import filter_parameters
from .schemas import pascal

# Longer paths of `include` are not listed: they are without end.
LISTED_INCLUDE_DEPTH = 2


def of_method(
    components: Components, method: Method, *, conditional: str | None
) -> list[Parameter]:
    """The parameters of a method, by reference.

    :param conditional: the precondition that it takes: If-Match, If-None-Match or none.
    """
    found = [] if method.query is None else list(_of_query(components, method.query))
    headers = [conditional] if conditional else []
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
        "X-Request-ID": "An id of the request's own, which comes back in the response's header "
        "and in errors if it is 1 to 128 of letters, digits, dots, hyphens and underscores.",
        "traceparent": "The trace that the request is part of (W3C Trace Context); its id stands "
        "in for a missing `X-Request-ID`.",
        "If-Match": "Entity tags of representations, or `*`: the change is refused with 412 if "
        "the resource has changed since each of them.",
        "If-None-Match": "Entity tags that the client has: the answer is 304 if one is current.",
    }
    return components.parameter(name, name, descriptions[name], {"type": "string"}, where="header")


def _include(components: Components, endpoint: Endpoint, paths: list[str]) -> Json:
    limits = components.limits
    description = (
        "Related resources to put into `included`: paths of relationships with commas between. "
        f"Paths may have up to {limits.max_include_depth} segments; those of up to "
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
    names = [*resource.readable, *resource.relationships]
    description = f"The fields to show of resources of type `{resource.type}`; all by default."
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
        "Fields to sort by, each at most once; `-` descends. Ties are ordered by id, text by code "
        "point, nulls come last and with `-` first."
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
            f"Resources on a page, {usual} by default; does not go with `page[offset]`.",
            size,
        ),
        "page[after]": ("The cursor behind which the page begins, out of a link.", cursor),
        "page[before]": ("The cursor before which the page ends, out of a link.", cursor),
        "page[total]": (
            "Whether to count all resources of the list, as `meta.page.total`; pages by number "
            "and by offset always do.",
            {"type": "boolean", "default": False},
        ),
        "page[number]": (
            "The number of the page, from 1; does not go with cursors and offsets.",
            {"type": "integer", "minimum": 1, "maximum": MOST_PAGES},
        ),
        "page[offset]": (
            "Resources before the page; does not go with cursors and numbers.",
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
