"""JSON Schemas that all documents use: objects, links, the member `jsonapi`."""

from collections.abc import Iterable

from ..errors import JSONAPI_OBJECT
from .components import Components, Json

URI = {"type": "string", "format": "uri"}


def pascal(name: str) -> str:
    """The name of a type or a field in PascalCase, for the names of components."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))


def an_object(required: Iterable[str], **properties: Json) -> Json:
    found: Json = {"type": "object", "properties": properties}
    return found | {"required": names} if (names := list(required)) else found


def nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def closed(schema: Json) -> Json:
    """Restrict an object to its properties, and to @-members, which are ignored (§5.8.2).

    It uses `propertyNames`: from `patternProperties`, code generators would make types with members
    of any name.
    """
    names = {"anyOf": [{"enum": list(schema["properties"])}, {"pattern": "^@"}]}
    return schema | {"propertyNames": names}


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
    """A link: a URL, or a link object (§5.6)."""
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
