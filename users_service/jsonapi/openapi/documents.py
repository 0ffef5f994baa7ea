"""Documents of JSON:API, as JSON Schemas and as examples: those of resources, linkage, errors."""

from collections.abc import Iterable
from typing import Any

from ..errors import CODES, JSONAPI_OBJECT
from ..resource import Relationship, Resource
from .components import Components, Json

URI = {"type": "string", "format": "uri"}


def pascal(name: str) -> str:
    """A type or a field in the form that names of schemas have."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))


def an_object(required: Iterable[str], **properties: Json) -> Json:
    found: Json = {"type": "object", "properties": properties}
    return found | {"required": names} if (names := list(required)) else found


def nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _closed(schema: Json) -> Json:
    """The same object without other members, but those for other conventions, which are ignored.

    Their names begin with @ (§5.8.2). Written as a rule for names, it keeps the types that
    generators make of the object free of members with any name.
    """
    names = {"anyOf": [{"enum": list(schema["properties"])}, {"pattern": "^@"}]}
    return schema | {"propertyNames": names}


# Parts of every document


def jsonapi_object(components: Components) -> Json:
    """The member `jsonapi` (§5.7)."""
    uris = {"type": "array", "items": URI}
    return components.schema(
        "JsonapiObject",
        lambda: an_object(
            ["version"],
            version={"type": "string", "const": JSONAPI_OBJECT["version"]},
            ext=uris,
            profile=uris,
            meta={"type": "object"},
        ),
    )


def link(components: Components) -> Json:
    """A link: a URL, or an object with more about it (§5.6)."""
    link_object = components.schema(
        "LinkObject",
        lambda: an_object(
            ["href"],
            href=URI,
            rel={"type": "string"},
            describedby=URI,
            title={"type": "string"},
            type={"type": "string"},
            hreflang={"type": "string"},
            meta={"type": "object"},
        ),
    )
    return components.schema("Link", lambda: {"oneOf": [URI, link_object]})


def links(components: Components, name: str, required: list[str], *optional: str) -> Json:
    one = link(components)
    members = dict.fromkeys((*required, *optional), one)
    return components.schema(name, lambda: an_object(required, **members))


def document_links(components: Components) -> Json:
    return links(components, "DocumentLinks", ["self", "describedby"], "related")


def page_links(components: Components) -> Json:
    """The links of a page (§6.5): null where there is no such page."""
    names = ["first", "prev", "next"]
    one = link(components)
    members = {"self": one, "describedby": one, "related": one}
    members |= {name: nullable(one) for name in (*names, "last")}
    return components.schema(
        "PageLinks", lambda: an_object(["self", "describedby", *names], **members)
    )


def page_meta(components: Components) -> Json:
    total = {"type": "integer", "minimum": 0}
    page = an_object([], total=total, rangeTruncated={"type": "boolean"})
    return components.schema("PageMeta", lambda: an_object([], page=page, total=total))


# Resources


def resource_object(components: Components, resource: Resource) -> Json:
    """A resource as it is answered with: fieldsets may leave out any of its fields (§5.2)."""
    name = f"{pascal(resource.type)}Resource"
    attributes = {
        field_name: _shown(components.field_property(field), resource.column(field_name).nullable)
        for field_name, field in resource.readable.items()
    }
    relationships = {
        relationship.name: _relationship_object(components, relationship)
        for relationship in resource.relationships.values()
    }

    def make() -> Json:
        members: Json = {
            "type": {"type": "string", "const": resource.type},
            "id": components.id_property(resource),
        }
        if attributes:
            members["attributes"] = components.schema(
                f"{name}Attributes", lambda: an_object([], **attributes)
            )
        if relationships:
            members["relationships"] = components.schema(
                f"{name}Relationships", lambda: an_object([], **relationships)
            )
        members["links"] = links(components, "ResourceLinks", ["self"])
        return an_object(["type", "id", "links"], **members)

    return components.schema(name, make)


def _shown(schema: Json, is_nullable: bool | None) -> Json:
    """The schema of a value that is shown, which may be null although a client cannot send that."""
    kind = schema.get("type")
    return schema | {"type": [kind, "null"]} if is_nullable and isinstance(kind, str) else schema


def any_resource(components: Components) -> Json:
    """A resource of any type."""

    def make() -> Json:
        resources = components.resources.values()
        refs = {r.type: resource_object(components, r) for r in resources}
        mapping = {kind: ref["$ref"] for kind, ref in refs.items()}
        return {
            "oneOf": list(refs.values()),
            "discriminator": {"propertyName": "type", "mapping": mapping},
        }

    return components.schema("AnyResource", make)


def identifier(components: Components, resource: Resource, *, local: bool = False) -> Json:
    """A resource identifier object (§5.2.4).

    :param local: whether it may have a local id, of a resource that the same request adds.
    """
    kind: Json = {"type": "string", "const": resource.type}
    id = components.id_property(resource)
    name = f"{pascal(resource.type)}Identifier"
    own = components.schema(name, lambda: an_object(["type", "id"], type=kind, id=id))
    if not local:
        return own
    by_lid = components.schema(
        f"{pascal(resource.type)}LocalIdentifier",
        lambda: an_object(["type", "lid"], type=kind, lid={"type": "string"}),
    )
    return {"anyOf": [own, by_lid]}


def linkage(components: Components, relationship: Relationship, *, local: bool = False) -> Json:
    """The identifiers of a relationship (§5.2.3.1)."""
    one = identifier(components, relationship.target, local=local)
    if relationship.many:
        return {"type": "array", "items": one}
    return one if relationship.is_required else nullable(one)


def _relationship_object(components: Components, relationship: Relationship) -> Json:
    own = links(components, "RelationshipLinks", ["self", "related"])
    return an_object(["links"], links=own, data=linkage(components, relationship))


# What is sent


def new_resource(components: Components, resource: Resource, *, local: bool = False) -> Json:
    """The resource object of a resource to create (§7.1)."""
    required = [
        name for name in resource.attributes if name in resource.writable and _must(resource, name)
    ]
    needed = [
        relationship.name
        for relationship in resource.relationships.values()
        if relationship.holds_key and relationship.is_required
    ]

    def make() -> Json:
        members: Json = {"type": {"type": "string", "const": resource.type}}
        if not resource.schema.fields["id"].dump_only:
            members["id"] = components.id_property(resource)
        members["lid"] = {"type": "string"}
        members |= _sent_fields(components, resource, required, needed, local)
        names = ["type"]
        names += ["attributes"] if required else []
        names += ["relationships"] if needed else []
        return an_object(names, **members)

    return components.schema(f"{pascal(resource.type)}{'Local' if local else ''}New", make)


def changed_resource(components: Components, resource: Resource, *, local: bool = False) -> Json:
    """The resource object of a resource to change: the fields that get other values (§7.2)."""

    def make() -> Json:
        kind = {"type": "string", "const": resource.type}
        members: Json = {"type": kind, "id": components.id_property(resource)}
        if local:
            members["lid"] = {"type": "string"}
        members |= _sent_fields(components, resource, [], [], local)
        found = an_object(["type"] if local else ["type", "id"], **members)
        if local:
            found["anyOf"] = [{"required": ["id"]}, {"required": ["lid"]}]
        return found

    return components.schema(f"{pascal(resource.type)}{'Local' if local else ''}Changes", make)


def _must(resource: Resource, name: str) -> bool:
    return bool(resource.attributes[name].required)


def _sent_fields(
    components: Components, resource: Resource, required: list[str], needed: list[str], local: bool
) -> Json:
    """The members `attributes` and `relationships`: nothing in them is ignored, all is read."""
    attributes = {
        name: components.field_property(field)
        for name, field in resource.attributes.items()
        if name in resource.writable
    }
    relationships = {
        relationship.name: an_object(["data"], data=linkage(components, relationship, local=local))
        for relationship in resource.relationships.values()
        if not relationship.field.dump_only
    }
    found = {}
    if attributes:
        found["attributes"] = _closed(an_object(required, **attributes))
    if relationships:
        found["relationships"] = _closed(an_object(needed, **relationships))
    return found


# Documents


def sent(components: Components, name: str, data: Json) -> Json:
    """The document of a request: its primary data."""
    return components.schema(name, lambda: an_object(["data"], data=data))


def answered(components: Components, name: str, data: Json) -> Json:
    """The document of a response: one resource, or the identifiers of a relationship."""
    return components.schema(name, lambda: _document(components, document_links(components), data))


def page(components: Components, name: str, items: Json) -> Json:
    """The document of a page of resources or identifiers."""
    data = {"type": "array", "items": items}
    meta = page_meta(components)
    return components.schema(
        name, lambda: _document(components, page_links(components), data, meta=meta)
    )


def _document(components: Components, links: Json, data: Json, **more: Json) -> Json:
    return an_object(
        ["jsonapi", "links", "data"],
        jsonapi=jsonapi_object(components),
        links=links,
        data=data,
        included={"type": "array", "items": any_resource(components)},
        **more,
    )


def entry(components: Components) -> Json:
    """The document that says where everything is."""
    one = link(components)
    members = dict.fromkeys(("self", "describedby", *components.resources), one)
    document = an_object(
        ["jsonapi", "links", "meta"],
        jsonapi=jsonapi_object(components),
        links=components.schema("EntryLinks", lambda: an_object(members, **members)),
        meta=an_object(["operations"], operations=URI),
    )
    return components.schema("EntryDocument", lambda: document)


def errors_document(components: Components) -> Json:
    """The document of a failure (§7)."""

    def error() -> Json:
        text = {"type": "string"}
        return an_object(
            ["id", "status", "code", "title", "detail"],
            id=text,
            status={"type": "string", "pattern": "^[45][0-9]{2}$"},
            code={"type": "string", "enum": list(CODES)},
            title=text,
            detail=text,
            source=an_object([], pointer=text, parameter=text, header=text),
            links=an_object([], about=link(components), type=link(components)),
            meta={"type": "object"},
        )

    def document() -> Json:
        one = components.schema("Error", error)
        return an_object(
            ["jsonapi", "errors"],
            jsonapi=jsonapi_object(components),
            links=links(components, "ErrorsLinks", ["describedby"]),
            errors={"type": "array", "minItems": 1, "items": one},
        )

    return components.schema("ErrorsDocument", document)


def error_example(code: str) -> Json:
    status, title = CODES[code]
    error: Json = {"id": "4bf92f3577b34da6a3ce929d0e0e4736", "status": str(status), "code": code}
    return {
        "jsonapi": dict(JSONAPI_OBJECT),
        "errors": [error | {"title": title, "detail": f"{title}."}],
    }


# Examples: fields have their own, or there is none

DESCRIPTION_EXAMPLE = "https://api.example/api/v1/openapi.json"


def example(field_property: Json) -> Any:
    """The first example of a field; None if it has none."""
    return next(iter(field_property.get("examples", [])), None)


def new_example(components: Components, resource: Resource) -> Json | None:
    """An example of a document that creates a resource; None if a field that it needs has none."""
    values = {
        name: example(components.field_property(field))
        for name, field in resource.attributes.items()
        if name in resource.writable
    }
    if any(values[name] is None for name in values if _must(resource, name)):
        return None
    if any(r.holds_key and r.is_required for r in resource.relationships.values()):
        return None
    attributes = {name: value for name, value in values.items() if value is not None}
    return {"data": {"type": resource.type, "attributes": attributes}}


def changes_example(components: Components, resource: Resource) -> Json | None:
    """An example of a document that changes a resource; None where it has no example."""
    id = example(components.id_property(resource))
    new = new_example(components, resource)
    if id is None or new is None:
        return None
    return {"data": {"type": resource.type, "id": id} | new["data"]}


def resource_example(components: Components, resource: Resource, collection: str) -> Json | None:
    """An example of a resource object.

    :param collection: the URL of the resources of its type.
    """
    id = example(components.id_property(resource))
    if id is None:
        return None
    attributes = {
        name: value
        for name, field in resource.readable.items()
        if (value := example(components.field_property(field))) is not None
    }
    url = f"{collection}/{id}"
    relationships = {
        name: {"links": {"self": f"{url}/relationships/{name}", "related": f"{url}/{name}"}}
        for name in resource.relationships
    }
    found: Json = {"type": resource.type, "id": id}
    if attributes:
        found["attributes"] = attributes
    if relationships:
        found["relationships"] = relationships
    return found | {"links": {"self": url}}


def answer_example(resource: Json | None) -> Json | None:
    """An example of a document with one resource."""
    if resource is None:
        return None
    own = {"self": resource["links"]["self"], "describedby": DESCRIPTION_EXAMPLE}
    return {"jsonapi": dict(JSONAPI_OBJECT), "links": own, "data": resource}


def page_example(resource: Json | None) -> Json | None:
    """An example of a page, one in the midst of its list."""
    if resource is None:
        return None
    url = resource["links"]["self"].rpartition("/")[0]
    cursor = "RjzS0H8Pq1Zb"
    own = {
        "self": f"{url}?page%5Bafter%5D={cursor}",
        "first": url,
        "prev": f"{url}?page%5Bbefore%5D={cursor}",
        "next": f"{url}?page%5Bafter%5D={cursor}",
        "last": f"{url}?page%5Bbefore%5D={cursor}",
    }
    own["describedby"] = DESCRIPTION_EXAMPLE
    return {"jsonapi": dict(JSONAPI_OBJECT), "links": own, "data": [resource]}
