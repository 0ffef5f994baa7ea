"""The request and response document of each method, with examples."""

from collections.abc import Mapping
from typing import Any

from ..api import Method
from ..endpoints import validators, views
from ..resource import Relationship
from . import atomic, documents, examples, resources
from .components import Components, Json
from .schemas import nullable, pascal

HOST = "https://api.example"


def request_document(components: Components, method: Method) -> tuple[Json, Json | None]:
    """The JSON Schema of a method's request document, and an example if there is one."""
    if method.body is validators.read_operations:
        return atomic.request_document(components), atomic.request_example(components)
    if isinstance(method.context, Relationship):
        data = resources.linkage(components, method.context)
        return documents.request_document(components, _linkage_name(method.context), data), None
    resource: Any = method.context
    name = pascal(resource.type)
    if method.body is validators.read_new:
        document = documents.request_document(
            components, f"{name}NewDocument", resources.new_resource(components, resource)
        )
        return document, examples.new_example(components, resource)
    data = resources.changed_resource(components, resource)
    document = documents.request_document(components, f"{name}ChangesDocument", data)
    return document, examples.changes_example(components, resource)


def _linkage_name(relationship: Relationship) -> str:
    kind = "Many" if relationship.many else "RequiredOne" if relationship.is_required else "One"
    return f"{pascal(relationship.target.type)}To{kind}Document"


def response_document(
    components: Components, method: Method, paths: Mapping[Any, str]
) -> tuple[Json | None, Json | None]:
    """The JSON Schema of a method's response document, and an example if there is one.

    :param paths: the path of each collection, by its resource.
    :returns: None and None if the response has no content.
    """
    if method.view is views.show_entry:
        return documents.entry(components), None
    if method.view is views.perform_operations:
        return atomic.response_document(components), None
    if method.query is None:
        return None, None
    endpoint = method.query
    resource = endpoint.resource
    name = pascal(resource.type)
    if endpoint.through is not None:
        one = resources.identifier(components, resource)
        if endpoint.collection:
            return documents.page_document(components, f"{name}LinkagePage", one), None
        return documents.response_document(components, f"{name}Linkage", nullable(one)), None
    one = resources.resource_object(components, resource)
    example = examples.resource_example(components, resource, HOST + paths[resource])
    if endpoint.collection:
        return documents.page_document(components, f"{name}Page", one), examples.page_example(
            example
        )
    if method.view is views.read_related:
        document = documents.response_document(components, f"{name}OrNull", nullable(one))
        return document, None
    if method.view is views.create_resource and resource.created:
        one = resources.resource_object(components, resource, is_new=True)
        name = f"{name}Created"
    document = documents.response_document(components, f"{name}Document", one)
    return document, examples.answer_example(example)
