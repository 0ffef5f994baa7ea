"""Adds the Cornice services of the API: URLs, and for each method its validators and its view."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from cornice.errors import Errors
from cornice.pyramidhook import register_service_views
from cornice.service import Service
from cornice.util import ContentTypePredicate, current_service
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from ..api import Method, api_of
from ..documents import Answer, links, media, respond
from ..errors import JSONAPIError, of_status
from ..reading import (
    CURSOR_PROFILE,
    Endpoint,
    begin_changes,
)
from ..resource import Relationship, Resource
from ..writing import Change
from . import views
from .validators import (
    Validator,
    check_permission,
    negotiate,
    read_changes,
    read_id,
    read_linkage,
    read_new,
    read_operations,
    read_query,
)

CURSORS = frozenset({CURSOR_PROFILE})

# Every URL of a resource also works with .json at its end, which links never have. \Z refuses the
# newline at the end of a path that the $ of Pyramid's own patterns allows.
SUFFIX = r"{suffix:(?:\.json)?\Z}"
ID = "{id:[^/]+?}"


def include_cornice(config: Configurator) -> None:
    """Include the parts of Cornice that services need, instead of Cornice's own `includeme`.

    That would subscribe to events of Pyramid, which costs time in every request, for CORS and
    filters, which no service here uses. Its exception views would answer with other documents.
    """
    config.registry.cornice_services = {}
    config.add_directive("add_cornice_service", register_service_views)
    config.add_view_predicate("content_type", ContentTypePredicate)
    config.add_request_method(current_service, reify=True)
    config.add_request_method(lambda request: Errors(), "errors", reify=True)
    config.add_request_method(lambda request: {}, "validated", reify=True)
    config.add_request_method(lambda request: {}, "info", reify=True)


def serve_resource(config: Configurator, resource: Resource) -> None:
    """Serve a resource, its related resources and its relationships below the route prefix."""
    _serve_collection(config, resource)
    _serve_item(config, resource)
    for relationship in resource.relationships.values():
        _serve_related(config, relationship)
        _serve_linkage(config, relationship)


def serve_entry(config: Configurator) -> None:
    """Serve the entry document at the route prefix, and atomic operations at `/operations`."""
    config.add_route(links.ENTRY_ROUTE, "", inherit_slash=True)
    entry = Service(name=links.ENTRY_ROUTE, pyramid_route=links.ENTRY_ROUTE, **_service_options())
    _add_method(config, entry, "GET", views.show_entry, None)
    _register(config, entry)
    batch = Service(name=links.OPERATIONS_ROUTE, path="/operations", **_service_options())
    perform = views.perform_operations
    _add_method(config, batch, "POST", perform, None, body=read_operations, extension=media.ATOMIC)
    _register(config, batch)


def _serve_collection(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}{SUFFIX}")
    listed, shown = Endpoint(resource=resource, collection=True), Endpoint(resource=resource)
    _add_method(
        config, service, "GET", views.list_resources, "read", query=listed, profiles=CURSORS
    )
    _add_method(
        config,
        service,
        "POST",
        views.create_resource,
        "create",
        query=shown,
        body=read_new,
        perform=resource.create,
    )
    _register(config, service)


def _serve_item(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}/{ID}{SUFFIX}", "item")
    shown = Endpoint(resource=resource)
    update, delete = views.update_resource, views.delete_resource
    _add_method(config, service, "GET", views.read_resource, "read", query=shown)
    _add_method(config, service, "PATCH", update, "update", query=shown, body=read_changes)
    _add_method(config, service, "DELETE", delete, "delete")
    _register(config, service)


def _serve_related(config: Configurator, relationship: Relationship) -> None:
    name, source, many = relationship.name, relationship.source, relationship.many
    path = f"/{source.type}/{ID}/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, name)
    _add_method(
        config,
        service,
        "GET",
        views.list_related if many else views.read_related,
        "read",
        query=Endpoint(resource=relationship.target, collection=many),
        profiles=CURSORS if many else frozenset(),
    )
    _register(config, service)


def _serve_linkage(config: Configurator, relationship: Relationship) -> None:
    name, source, many = relationship.name, relationship.source, relationship.many
    path = f"/{source.type}/{ID}/relationships/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, "relationships", name)
    _add_method(
        config,
        service,
        "GET",
        views.list_linkage if many else views.read_linkage,
        "read",
        query=Endpoint(resource=relationship.target, collection=many, through=relationship),
        profiles=CURSORS if many else frozenset(),
    )
    is_written_once = relationship.field.metadata.get("create_only", False)
    changes = [] if is_written_once else [("PATCH", views.replace_linkage)]
    if many and not is_written_once:
        changes += [("POST", views.add_linkage), ("DELETE", views.remove_linkage)]
    for method, change in changes:
        _add_method(config, service, method, change, "update", body=read_linkage)
    _register(config, service)


def _service_options() -> dict[str, Any]:
    return {"error_handler": cornice_errors}


def _service(
    config: Configurator,
    resource: Resource,
    relationship: Relationship | None,
    path: str,
    *parts: str,
) -> Service:
    name = links.route_name(resource, *parts)
    context = relationship or resource
    if relationship is None or parts[0] == "relationships":
        api_of(config.registry).operation_targets[name] = (resource, relationship)
    return Service(name=name, path=path, factory=lambda request: context, **_service_options())


def serve_json(
    config: Configurator, name: str, path: str, view: Callable[[Request], Response]
) -> None:
    """Serve JSON that is not a JSON:API document, without a permission.

    :param name: the name of the route.
    :param path: its path below the route prefix.
    """
    service = Service(name=name, path=path, renderer="json")
    service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
    _register(config, service)


def _register(config: Configurator, service: Service) -> None:
    service.add_view("OPTIONS", views.list_methods, permission=NO_PERMISSION_REQUIRED)
    config.add_cornice_service(service)


def _add_method(
    config: Configurator,
    service: Service,
    name: str,
    view: Callable[[Request], Answer],
    action: str | None,
    *,
    query: Endpoint | None = None,
    body: Validator | None = None,
    extension: str | None = None,
    profiles: frozenset[str] = frozenset(),
    perform: Callable[[Request], Answer] | None = None,
) -> None:
    """Add a method to a service, if the resource has it.

    Its validators run before its view: permission, media type, id, query parameters, document.

    :param name: the HTTP method.
    :param action: the permission `<type>:<action>` that it needs; None if it needs none.
    :param query: the query parameters that it accepts; None for none.
    :param body: the validator that reads its request document; None if it takes none.
    :param extension: the extension of JSON:API that it applies.
    :param profiles: the profiles that it can apply.
    :param perform: the host's view, which is called in place of `view` and does the same.
    """
    context = service.factory(None) if hasattr(service, "factory") else None
    resource: Any = getattr(context, "source", context)
    if action is not None and action not in resource.methods:
        return
    api_of(config.registry).methods[service.name, name] = Method(
        view=view, action=action, context=context, query=query, body=body, extension=extension
    )
    validators = (
        check_permission(action),
        negotiate(body is not None, extension, profiles),
        *([read_id] if ID in (service.path or "") else []),
        read_query(query),
        *([] if body is None else [body]),
    )
    service.add_view(
        name,
        _answering_view(perform or view, has_changes=name != "GET"),
        permission=NO_PERMISSION_REQUIRED,
        validators=validators,
    )


def _answering_view(
    view: Callable[[Request], Answer], *, has_changes: bool
) -> Callable[[Request], Response]:
    """Return a view for Pyramid, which calls a view of ours and makes a response of its answer.

    :param has_changes: whether the view changes something.
    """

    def answering_view(request: Request) -> Response:
        if has_changes:
            begin(request)
        answer = view(request)
        _call_change_handlers(request, answer.changes)
        return respond(request, answer)

    return answering_view


def begin(request: Request) -> None:
    """Begin the changes of a request: its transaction; then its caller is proven, and the host's
    begin handlers are called."""
    begin_changes(request.dbconnection)
    request.jsonapi_prover.confirm()
    for handler in api_of(request.registry).begin_handlers:
        handler(request)


def _call_change_handlers(request: Request, changes: Sequence[Change]) -> None:
    """Call the host's change handlers, if anything has changed."""
    if effective := [change for change in changes if change]:
        for handler in api_of(request.registry).change_handlers:
            handler(request, effective)


def cornice_errors(request: Request) -> NoReturn:
    """Raise the errors of Cornice and its validators in `request.errors`: its `error_handler`.

    An error handler may return a response or raise. Raising leaves it to the exception view.

    :raises JSONAPIError: with an error object for each error.
    """
    sources = {"querystring": "parameter", "header": "header"}
    raise JSONAPIError(
        *(
            of_status(
                request.errors.status,
                str(error["description"]),
                {sources[error["location"]]: error["name"]}
                if error["location"] in sources
                else None,
            )
            for error in request.errors
        )
    )
