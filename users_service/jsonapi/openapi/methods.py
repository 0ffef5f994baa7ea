"""Describes the HTTP methods of the API, as Operation Objects of OpenAPI (§4.8.10)."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..api import Method
from ..documents import Media
from ..endpoints import views
from ..resource import Relationship, Resource
from . import contents, parameters, responses, security
from .components import Components, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDescription:
    """What the OpenAPI document says of a view.

    :param name: the last part of its operationId.
    :param summary: its summary, with `{0}` for the type and `{1}` for the relationship.
    :param status: the status of success.
    :param headers: the response header fields of success.
    :param one: whether its URL has an id.
    :param conditional: the precondition that it evaluates: a request header field.
    :param failures: further statuses of failure.
    """

    name: str
    summary: str
    status: int = 200
    headers: tuple[str, ...] = ("ETag",)
    one: bool = True
    conditional: str | None = "If-None-Match"
    failures: tuple[int, ...] = ()


def _change(name: str, summary: str, *failures: int) -> ViewDescription:
    return ViewDescription(
        name=name,
        summary=summary,
        status=204,
        headers=(),
        conditional="If-Match",
        failures=failures,
    )


# The methods of a resource that take the id of a new one.
LINKED = ("read", "update", "delete")

VIEWS: dict[Callable[..., Any], ViewDescription] = {
    views.list_resources: ViewDescription(name="list", summary="List {0}", one=False),
    views.create_resource: ViewDescription(
        name="create",
        summary="Create one of {0}",
        status=201,
        headers=("ETag", "Location"),
        one=False,
        conditional=None,
        failures=(412,),
    ),
    views.read_resource: ViewDescription(name="read", summary="Fetch one of {0}"),
    views.update_resource: ViewDescription(
        name="update", summary="Change one of {0}", conditional="If-Match"
    ),
    views.delete_resource: _change("delete", "Delete one of {0}", 409),
    views.list_related: ViewDescription(name="list", summary="List {1} of one of {0}"),
    views.read_related: ViewDescription(name="read", summary="Fetch {1} of one of {0}"),
    views.list_linkage: ViewDescription(
        name="linkage_list", summary="List the ids in {1} of one of {0}"
    ),
    views.read_linkage: ViewDescription(
        name="linkage_read", summary="Fetch the id in {1} of one of {0}"
    ),
    views.replace_linkage: _change("linkage_replace", "Set {1} of one of {0}"),
    views.add_linkage: _change("linkage_add", "Add to {1} of one of {0}"),
    views.remove_linkage: _change("linkage_remove", "Remove from {1} of one of {0}"),
    views.show_entry: ViewDescription(name="entry", summary="List the URLs of the API", one=False),
    views.perform_operations: ViewDescription(
        name="operations",
        summary="Change several resources at once",
        headers=(),
        one=False,
        conditional=None,
        failures=responses.FAILURES_OF_CONDITIONS,
    ),
}


def describe(components: Components, method: Method, paths: Mapping[Any, str]) -> Json:
    """Describe a method.

    :param paths: the path of each collection, by its resource.
    """
    operation = VIEWS[method.view]
    source: Any = getattr(method.context, "source", method.context)
    found: Json = {
        "operationId": "_".join([*_subject(method.context), operation.name]),
        "tags": ["service" if source is None else source.type],
        "summary": operation.summary.format(*_subject(method.context)),
        "description": _text(method.view),
        "parameters": [],
    }
    if operation.one:
        found["parameters"].append(parameters.id_parameter(components, source))
    found["parameters"] += parameters.of_method(
        components, method, conditional=operation.conditional
    )
    media = Media(extensions=(method.extension,) if method.extension else ()).content_type
    if method.body is not None:
        sent, example = contents.request_document(components, method)
        content = responses.content(sent, example, media)
        found["requestBody"] = {"required": True, "content": content}
    if components.security is not None:
        found["security"] = security.requirements(method, components.security)
    throttled = components.security is not None and (
        found["operationId"] in components.security.throttled
    )
    found["responses"] = _responses(components, method, operation, media, paths, throttled)
    return found


def _text(view: Callable[..., Any]) -> str:
    """The docstring of a view, without references to sections of specifications."""
    return re.sub(r"\s*\(§[^)]*\)", "", inspect.getdoc(view) or "")


def _subject(context: Resource | Relationship | None) -> list[str]:
    if isinstance(context, Relationship):
        return [context.source.type, context.name]
    return [] if context is None else [context.type]


def _responses(
    components: Components,
    method: Method,
    operation: ViewDescription,
    media: str,
    paths: Mapping[Any, str],
    throttled: bool,
) -> Json:
    answered, example = contents.response_document(components, method, paths)
    success = responses.success(
        components,
        _text(method.view),
        *operation.headers,
        content=None if answered is None else responses.content(answered, example, media),
        links=_links(components, method),
    )
    found = {str(operation.status): success}
    if operation.conditional == "If-None-Match":
        found["304"] = responses.not_modified(components)
    failures = set(responses.COMMON_FAILURES + operation.failures)
    failures |= set() if components.security is None else {401}
    failures |= {429} if throttled else set()
    failures |= set(responses.FAILURES_OF_ONE if operation.one else ())
    failures |= set(responses.FAILURES_OF_DOCUMENTS if method.body is not None else ())
    conditional = operation.conditional == "If-Match"
    failures |= set(responses.FAILURES_OF_CONDITIONS if conditional else ())
    return found | {str(n): responses.failure(components, n) for n in sorted(failures)}


def _links(components: Components, method: Method) -> Json:
    """The Link Objects of a created resource: the methods that take its id."""
    if method.view is not views.create_resource:
        return {}
    resource: Any = method.context
    names = [f"{resource.type}_{verb}" for verb in LINKED if verb in resource.methods]
    for relationship in resource.relationships.values():
        read = "list" if relationship.many else "read"
        verbs = [read, f"linkage_{read}"] if "read" in resource.methods else []
        if relationship.is_changeable and "update" in resource.methods:
            verbs += ["linkage_replace"]
            verbs += ["linkage_add", "linkage_remove"] if relationship.many else []
        names += [f"{resource.type}_{relationship.name}_{verb}" for verb in verbs]
    parameters = {"id": "$response.body#/data/id"}
    return {name: {"operationId": name, "parameters": parameters} for name in names}
