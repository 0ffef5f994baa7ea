"""Examples of documents, made from the examples in the metadata of fields."""

from collections.abc import Collection
from typing import Any

from ..errors import JSONAPI_OBJECT
from ..resource import Resource
from .components import Components, Json

DESCRIPTION_EXAMPLE = "https://api.example/api/v1/openapi.json"


def example(field_property: Json) -> Any:
    """The first example in a field's JSON Schema; None if it has none."""
    return next(iter(field_property.get("examples", [])), None)


def new_example(components: Components, resource: Resource) -> Json | None:
    """A document that creates a resource; None if a required field has no example.

    Its attributes are those in `example` of the schema's `Meta`, or one example of each.
    """
    if resource.needed:
        return None
    attributes = getattr(resource.schema.Meta, "example", None)
    attributes = attributes or _sent(components, resource, resource.writable)
    return attributes and {"data": {"type": resource.type, "attributes": attributes}}


def _sent(components: Components, resource: Resource, names: Collection[str]) -> Json | None:
    """Examples of these attributes; None if a required one has no example."""
    values = {
        name: example(components.values_of(field))
        for name, field in resource.attributes.items()
        if name in names
    }
    if any(value is None and resource.attributes[name].required for name, value in values.items()):
        return None
    return {name: value for name, value in values.items() if value is not None}


def changes_example(components: Components, resource: Resource) -> Json | None:
    """A document that changes a resource; None if its id or a required field has no example."""
    id = example(components.id_property(resource))
    attributes = _sent(components, resource, resource.changeable)
    if id is None or attributes is None:
        return None
    return {"data": {"type": resource.type, "id": id, "attributes": attributes}}


def resource_example(components: Components, resource: Resource, collection: str) -> Json | None:
    """A resource object; None if its id has no example.

    :param collection: the URL of its collection.
    """
    id = example(components.id_property(resource))
    if id is None:
        return None
    attributes = {
        name: value
        for name, field in resource.readable.items()
        if (value := example(components.values_of(field))) is not None
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
    """A response document with one resource."""
    if resource is None:
        return None
    links = {"self": resource["links"]["self"], "describedby": DESCRIPTION_EXAMPLE}
    return {"jsonapi": dict(JSONAPI_OBJECT), "links": links, "data": resource}


def page_example(resource: Json | None) -> Json | None:
    """A response document with a page from the middle of a list."""
    if resource is None:
        return None
    url = resource["links"]["self"].rpartition("/")[0]
    cursor = "RjzS0H8Pq1Zb"
    links = {
        "self": f"{url}?page%5Bafter%5D={cursor}",
        "first": url,
        "prev": f"{url}?page%5Bbefore%5D={cursor}",
        "next": f"{url}?page%5Bafter%5D={cursor}",
        "last": f"{url}?page%5Bbefore%5D={cursor}",
    }
    links["describedby"] = DESCRIPTION_EXAMPLE
    return {"jsonapi": dict(JSONAPI_OBJECT), "links": links, "data": [resource]}


def error_example(code: str, status: int, title: str) -> Json:
    """An errors document with one error of a code."""
    error: Json = {"id": "4bf92f3577b34da6a3ce929d0e0e4736", "status": str(status), "code": code}
    return {
        "jsonapi": dict(JSONAPI_OBJECT),
        "errors": [error | {"title": title, "detail": f"{title}."}],
    }
