"""Cornice services: the URLs of resources, with a view for each method behind its validators."""

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
from ..errors import Error, JSONAPIError, code_of_status
from ..reading import (
    CURSOR_PROFILE,
    Endpoint,
    begin_changes,
    parse_query,
    permit,
    refuse_parameters,
)
from ..resource import Relationship, Resource
from ..writing import Change
from . import views
from .validators import (
    read_changes,
    read_id,
    read_linkage,
    read_new,
    read_operations,
)

Validator = Callable[..., None]

CURSORS = frozenset({CURSOR_PROFILE})

# The tutorial's own URLs end in .json; links never do.
# \Z, since the $ of Pyramid's own would let a newline follow.
SUFFIX = r"{suffix:(?:\.json)?\Z}"
ID = "{id:[^/]+?}"


def include_cornice(config: Configurator) -> None:
    """Include of Cornice what services need.

    Its own includeme listens to events of Pyramid, which then looks for listeners to five of them
    in each request, and has CORS and filters in a callback, which no service has here. Its
    exception views would answer with documents of another kind.
    """
    config.registry.cornice_services = {}
    config.add_directive("add_cornice_service", register_service_views)
    config.add_view_predicate("content_type", ContentTypePredicate)
    config.add_request_method(current_service, reify=True)
    config.add_request_method(lambda request: Errors(), "errors", reify=True)
    config.add_request_method(lambda request: {}, "validated", reify=True)
    config.add_request_method(lambda request: {}, "info", reify=True)


def serve_resource(config: Configurator, resource: Resource) -> None:
    """Serve a resource and its relationships below the route prefix."""
    _serve_collection(config, resource)
    _serve_item(config, resource)
    for relationship in resource.relationships.values():
        _serve_related(config, relationship)
        _serve_linkage(config, relationship)


def serve_entry(config: Configurator) -> None:
    """Serve the entry document at the route prefix, and atomic operations below it."""
    config.add_route(links.ENTRY, "", inherit_slash=True)
    entry = Service(name=links.ENTRY, pyramid_route=links.ENTRY, **_house())
    _add(config, entry, "GET", views.show_entry, None)
    _finish(config, entry)
    batch = Service(name=links.OPERATIONS, path="/operations", **_house())
    perform = views.perform_operations
    _add(config, batch, "POST", perform, None, body=read_operations, extension=media.ATOMIC)
    _finish(config, batch)


def _serve_collection(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}{SUFFIX}")
    listed, shown = Endpoint(resource=resource, collection=True), Endpoint(resource=resource)
    _add(config, service, "GET", views.list_resources, "read", query=listed, profiles=CURSORS)
    _add(config, service, "POST", views.create_resource, "create", query=shown, body=read_new)
    _finish(config, service)


def _serve_item(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}/{ID}{SUFFIX}", "item")
    shown = Endpoint(resource=resource)
    update, delete = views.update_resource, views.delete_resource
    _add(config, service, "GET", views.read_resource, "read", query=shown)
    _add(config, service, "PATCH", update, "update", query=shown, body=read_changes)
    _add(config, service, "DELETE", delete, "delete")
    _finish(config, service)


def _serve_related(config: Configurator, relationship: Relationship) -> None:
    name, source, many = relationship.name, relationship.source, relationship.many
    path = f"/{source.type}/{ID}/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, name)
    _add(
        config,
        service,
        "GET",
        views.list_related if many else views.read_related,
        "read",
        query=Endpoint(resource=relationship.target, collection=many),
        profiles=CURSORS if many else frozenset(),
    )
    _finish(config, service)


def _serve_linkage(config: Configurator, relationship: Relationship) -> None:
    name, source, many = relationship.name, relationship.source, relationship.many
    path = f"/{source.type}/{ID}/relationships/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, "relationships", name)
    _add(
        config,
        service,
        "GET",
        views.list_linkage if many else views.read_linkage,
        "read",
        query=Endpoint(resource=relationship.target, collection=many, through=relationship),
        profiles=CURSORS if many else frozenset(),
    )
    changes = [("PATCH", views.replace_linkage)]
    if many:
        changes += [("POST", views.add_linkage), ("DELETE", views.remove_linkage)]
    for method, change in changes:
        _add(config, service, method, change, "update", body=read_linkage)
    _finish(config, service)


def _house() -> dict[str, Any]:
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
    is_linkage = relationship is None or parts[0] == "relationships"
    if is_linkage:  # what an atomic operation can be about
        api_of(config.registry).routes[name] = (resource, relationship)
    return Service(name=name, path=path, factory=lambda request: context, **_house())


def serve_plainly(
    config: Configurator, name: str, path: str, view: Callable[[Request], Response]
) -> None:
    """Serve JSON that is no document of JSON:API, to everyone.

    :param name: that of its route.
    """
    service = Service(name=name, path=path, renderer="json")
    service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
    _finish(config, service)


def _finish(config: Configurator, service: Service) -> None:
    service.add_view("OPTIONS", views.list_methods, permission=NO_PERMISSION_REQUIRED)
    config.add_cornice_service(service)


def _add(
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
) -> None:
    """Add a method to a service: its view behind its validators, in their order.

    :param action: what the caller needs a permission for; None for what everyone may do.
    :param query: what the query string may ask for.
    """
    context = service.factory(None) if hasattr(service, "factory") else None

    def permit_action(request: Request, **_: Any) -> None:
        if action is not None:
            permit(request, action, request.context)

    def negotiate(request: Request, **_: Any) -> None:
        request.validated["media"] = media.negotiate(
            request, takes_document=body is not None, extension=extension, profiles=profiles
        )

    def read_query(request: Request, **_: Any) -> None:
        if query is None:
            refuse_parameters(request, request.jsonapi_limits)
        else:
            request.validated["query"] = parse_query(request, query, request.jsonapi_limits)

    api_of(config.registry).methods[service.name, name] = Method(
        view=view, context=context, query=query, body=body, extension=extension
    )

    def answer(request: Request) -> Response:
        if name != "GET":
            begin_changes(request.dbconnection)
        made = view(request)
        _offer_changes(request, made.changes)
        return respond(request, made)

    of_one = [read_id] if ID in (service.path or "") else []
    service.add_view(
        name,
        answer,
        permission=NO_PERMISSION_REQUIRED,
        validators=(
            permit_action,
            negotiate,
            *of_one,
            read_query,
            *([] if body is None else [body]),
        ),
    )


def _offer_changes(request: Request, changes: Sequence[Change]) -> None:
    """Let the host read what has been changed."""
    if made := [change for change in changes if change]:
        for handler in api_of(request.registry).change_handlers:
            handler(request, made)


def cornice_errors(request: Request) -> NoReturn:
    """Make what Cornice and its validators collect in `request.errors` an errors document.

    Its error handler may return a response or raise; raising lets one exception view answer all.
    """
    code = code_of_status(request.errors.status)
    sources = {"querystring": "parameter", "header": "header"}
    raise JSONAPIError(
        *(
            Error(
                code=code,
                detail=str(error["description"]),
                source={sources[error["location"]]: error["name"]}
                if error["location"] in sources
                else None,
            )
            for error in request.errors
        )
    )
