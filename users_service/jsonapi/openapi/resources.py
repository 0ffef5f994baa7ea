"""JSON Schemas of resource objects and resource identifiers, in responses and in requests."""

from ..resource import Relationship, Resource
from .components import Components, Json, facts_of
from .displays import relationship_facts
from .schemas import an_object, closed, links, nullable, pascal

ETAG = {
    "type": "string",
    "description": "The entity tag of the resource, for `If-Match` and, in operations, "
    "`meta.if_match`. It is the same whatever `fields` and `include` are.",
}


def resource_object(components: Components, resource: Resource, *, is_new: bool = False) -> Json:
    """A resource object in a response. Fields are optional, because of sparse fieldsets (§5.2).

    :param is_new: whether the response is that of its creation, which may show more of it.
    """
    created = resource.created if is_new else {}
    name = f"{pascal(resource.type)}{'Created' if created else 'Resource'}"
    attributes = {
        one: _shown(components.field_property(resource, one), resource.column(one).nullable)
        for one in resource.readable
    } | {one: components.field_property(resource, one) for one in created}
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
        members["meta"] = components.schema("ResourceMeta", lambda: an_object([], etag=ETAG))
        return an_object(["type", "id", "links"], **members)

    return components.schema(name, make)


def _shown(schema: Json, is_nullable: bool | None) -> Json:
    """The JSON Schema of a value in a response, which may be null if its column is nullable."""
    kind = schema.get("type")
    if not is_nullable or not isinstance(kind, str):
        return schema
    choices = {"oneOf": [*schema["oneOf"], {"type": "null"}]} if "oneOf" in schema else {}
    return schema | {"type": [kind, "null"]} | choices


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

    :param local: whether it may have the local id of a resource that the same request creates.
    """
    kind: Json = {"type": "string", "const": resource.type}
    id = components.id_property(resource)
    name = f"{pascal(resource.type)}Identifier"
    by_id = components.schema(name, lambda: an_object(["type", "id"], type=kind, id=id))
    if not local:
        return by_id
    by_lid = components.schema(
        f"{pascal(resource.type)}LocalIdentifier",
        lambda: an_object(["type", "lid"], type=kind, lid={"type": "string"}),
    )
    return {"anyOf": [by_id, by_lid]}


def linkage(components: Components, relationship: Relationship, *, local: bool = False) -> Json:
    """The resource linkage of a relationship (§5.2.3.1)."""
    one = identifier(components, relationship.target, local=local)
    if relationship.many:
        return {"type": "array", "items": one}
    return one if relationship.is_required else nullable(one)


def _relationship_object(components: Components, relationship: Relationship) -> Json:
    members = links(components, "RelationshipLinks", ["self", "related"])
    found = an_object(["links"], links=members, data=linkage(components, relationship))
    return relationship_facts(relationship) | found


def new_resource(components: Components, resource: Resource, *, local: bool = False) -> Json:
    """The resource object of a resource to create (§7.1).

    :param local: whether its linkage may have local ids.
    """
    required = [
        name
        for name, field in resource.attributes.items()
        if name in resource.writable and field.required
    ]
    needed = [relationship.name for relationship in resource.needed]

    def make() -> Json:
        members: Json = {"type": {"type": "string", "const": resource.type}}
        if not resource.schema.fields["id"].dump_only:
            members["id"] = components.id_property(resource)
        members["lid"] = {"type": "string"}
        members |= _sent_fields(components, resource, required, needed, local, is_new=True)
        names = ["type"]
        names += ["attributes"] if required else []
        names += ["relationships"] if needed else []
        return an_object(names, **members)

    return components.schema(f"{pascal(resource.type)}{'Local' if local else ''}New", make)


def changed_resource(components: Components, resource: Resource, *, local: bool = False) -> Json:
    """The resource object of a resource to change, with the fields to change (§7.2).

    :param local: whether it and its linkage may have local ids.
    """

    def make() -> Json:
        kind = {"type": "string", "const": resource.type}
        members: Json = {"type": kind, "id": components.id_property(resource)}
        if local:
            members["lid"] = {"type": "string"}
        members |= _sent_fields(components, resource, [], [], local, is_new=False)
        found = an_object(["type"] if local else ["type", "id"], **members)
        if local:
            found["anyOf"] = [{"required": ["id"]}, {"required": ["lid"]}]
        return found

    return components.schema(f"{pascal(resource.type)}{'Local' if local else ''}Changes", make)


def _sent_fields(
    components: Components,
    resource: Resource,
    required: list[str],
    needed: list[str],
    local: bool,
    *,
    is_new: bool,
) -> Json:
    """The members `attributes` and `relationships` of a request; unknown fields are errors."""
    attributes = {
        name: components.field_property(resource, name, is_new=is_new)
        for name in resource.attributes
        if name in (resource.writable if is_new else resource.changeable)
    }
    relationships = {
        relationship.name: facts_of(resource, relationship.name, relationship.field)
        | an_object(["data"], data=linkage(components, relationship, local=local))
        for relationship in resource.relationships.values()
        if (relationship.is_writable if is_new else relationship.is_changeable)
    }
    found = {}
    if attributes:
        found["attributes"] = closed(an_object(required, **attributes))
    if relationships:
        found["relationships"] = closed(an_object(needed, **relationships))
    return found
