"""JSON Schemas of documents: one resource, a page of resources, linkage, the entry, errors."""

from .components import Components, Json
from .resources import any_resource
from .schemas import URI, an_object, jsonapi_object, link, links, nullable


def document_links(components: Components) -> Json:
    return links(components, "DocumentLinks", ["self", "describedby"], "related")


def page_links(components: Components) -> Json:
    """The links of a page (§6.5); null if there is no such page."""
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


def request_document(components: Components, name: str, data: Json) -> Json:
    """A request document: its primary data."""
    return components.schema(name, lambda: an_object(["data"], data=data))


def response_document(components: Components, name: str, data: Json) -> Json:
    """A response document with one resource, or with linkage."""
    return components.schema(name, lambda: _document(components, document_links(components), data))


def page_document(components: Components, name: str, items: Json) -> Json:
    """A response document with a page of resources or resource identifiers."""
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
    """The entry document."""
    hidden = {
        "description": "The attributes that the caller may not read, filter or sort by.",
        "type": "array",
        "items": {"type": "string"},
    }
    types = dict.fromkeys(components.resources, an_object(["href"], href=URI, hidden=hidden))
    document = an_object(
        ["jsonapi", "links", "meta"],
        jsonapi=jsonapi_object(components),
        links=document_links(components),
        meta=an_object(
            ["resources", "operations"], resources=an_object(types, **types), operations=URI
        ),
    )
    return components.schema("EntryDocument", lambda: document)


def errors_document(components: Components) -> Json:
    """The errors document (§7)."""

    def error() -> Json:
        text = {"type": "string"}
        return an_object(
            ["id", "status", "code", "title", "detail"],
            id=text,
            status={"type": "string", "pattern": "^[45][0-9]{2}$"},
            code={"type": "string", "enum": list(components.codes)},
            title=text,
            detail=text,
            source=an_object([], pointer=text, parameter=text, header=text),
            links=an_object([], about=link(components), type=link(components)),
            meta=an_object(
                [],
                attribute=text | {"description": "The name of the field, if the error is of one."},
                message=text,
                rule={
                    "type": "string",
                    "enum": list(components.rules),
                    "description": "The rule that the value of the field breaks.",
                },
                limit={"description": "What the rule compares with."},
            ),
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
