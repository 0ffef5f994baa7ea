"""JSON Schemas of the documents of atomic operations (https://jsonapi.org/ext/atomic)."""

from collections.abc import Iterator

from ..resource import Relationship, Resource
from ..writing import OPERATION_CODES, OPERATIONS_MEMBER
from .components import Components, Json
from .examples import new_example
from .resources import any_resource, changed_resource, linkage, new_resource
from .schemas import an_object, jsonapi_object, links, pascal

# A URI-reference without a query and a fragment (RFC 3986 §4.1).
REFERENCE = r"^([A-Za-z0-9\-._~:/@!$&'()*+,;=\[\]]|%[0-9A-Fa-f]{2})+$"


def request_document(components: Components) -> Json:
    operation = components.schema(
        "AtomicOperation", lambda: {"anyOf": list(_operations(components))}
    )
    most = components.limits.max_operations
    items = {"type": "array", "minItems": 1, "maxItems": most, "items": operation}
    return components.schema(
        "AtomicRequest", lambda: an_object([OPERATIONS_MEMBER], **{OPERATIONS_MEMBER: items})
    )


def response_document(components: Components) -> Json:
    """The response document: a result for each operation, with its resource if it has one."""
    result = an_object([], data=any_resource(components))
    members = {
        "jsonapi": jsonapi_object(components),
        "links": links(components, "AtomicLinks", ["describedby"]),
        "atomic:results": {"type": "array", "items": result},
    }
    return components.schema(
        "AtomicResponse", lambda: an_object(["jsonapi", "atomic:results"], **members)
    )


def request_example(components: Components) -> Json | None:
    """A request that adds a resource of the first type that has an example."""
    for resource in components.resources.values():
        example = new_example(components, resource)
        if example is not None and resource.create is None and "create" in resource.methods:
            return {OPERATIONS_MEMBER: [{"op": "add", **example}]}
    return None


def _operations(components: Components) -> Iterator[Json]:
    for resource in components.resources.values():
        yield from _on_resources(components, resource)
        for relationship in resource.relationships.values():
            if relationship.is_changeable and "update" in resource.methods:
                yield _on_linkage(components, relationship)
    yield _by_url(components)


def _on_resources(components: Components, resource: Resource) -> Iterator[Json]:
    name = pascal(resource.type)
    reference = _reference(components, resource, None)
    if resource.create is None and "create" in resource.methods:
        new = new_resource(components, resource, local=True)
        # It takes a `ref` too, if that is equal to `data`, which JSON Schema has no words for.
        yield _named(components, f"{name}Add", ["data"], op=_code("add"), data=new)
    if "update" in resource.methods:
        yield _named(
            components,
            f"{name}Update",
            ["data"],
            op=_code("update"),
            ref=reference,
            data=changed_resource(components, resource, local=True),
        )
    if "delete" in resource.methods:
        yield _named(components, f"{name}Remove", ["ref"], op=_code("remove"), ref=reference)


def _on_linkage(components: Components, relationship: Relationship) -> Json:
    any_code = {"type": "string", "enum": list(OPERATION_CODES)}
    return _named(
        components,
        f"{pascal(relationship.source.type)}{pascal(relationship.name)}Change",
        ["ref", "data"],
        op=any_code if relationship.many else _code("update"),
        ref=_reference(components, relationship.source, relationship),
        data=linkage(components, relationship, local=True),
    )


def _by_url(components: Components) -> Json:
    reference = {
        "type": "string",
        "format": "uri-reference",
        "pattern": REFERENCE,
        "description": "The URL of a collection, a resource or a relationship, in place of a "
        "`ref`; relative to the URL of operations.",
    }
    any_code = {"type": "string", "enum": list(OPERATION_CODES)}
    return _named(components, "OperationByUrl", ["href"], op=any_code, href=reference, data={})


def _named(components: Components, name: str, required: list[str], **members: Json) -> Json:
    meta: Json = {"type": "object"}
    if members["op"].get("const") != "add":
        if_match = {"type": "string", "description": "The value of an `If-Match` header."}
        meta = an_object([], if_match=if_match)
    return components.schema(name, lambda: an_object(["op", *required], **members, meta=meta))


def _code(code: str) -> Json:
    return {"type": "string", "const": code}


def _reference(
    components: Components, resource: Resource, relationship: Relationship | None
) -> Json:
    """The `ref` of a resource or a relationship, with the id or the local id of the resource."""

    def make(member: str, schema: Json) -> Json:
        members: Json = {"type": {"type": "string", "const": resource.type}, member: schema}
        if relationship is not None:
            members["relationship"] = {"type": "string", "const": relationship.name}
        return an_object(members, **members) | {"additionalProperties": False}

    return {
        "oneOf": [make("id", components.id_property(resource)), make("lid", {"type": "string"})]
    }
