"""The directives that make resources into Cornice services."""

from collections.abc import Callable
from typing import Any, NoReturn

from cornice.errors import Errors
from cornice.pyramidhook import register_service_views
from cornice.service import Service
from cornice.util import ContentTypePredicate, current_service
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.jsonapi import links, media, views
from users_service.jsonapi.entities import check_model
from users_service.jsonapi.errors import Error, JSONAPIError, code_of_status
from users_service.jsonapi.methods import Method, methods
from users_service.jsonapi.openapi import Description, Information, show_description
from users_service.jsonapi.query import CURSOR_PROFILE, Endpoint, parse_query, refuse_parameters
from users_service.jsonapi.resource import Relationship, Resource
from users_service.jsonapi.validators import (
    permit_target,
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


def add_jsonapi_resource(config: Configurator, model: type[Any], schema: type[Any]) -> None:
    """Serve a mapped class under the type of its schema: the directive of this package.

    :param model: the mapped class, with a `version_id_col`.
    :param schema: its marshmallow-jsonapi schema class.
    :raises ValueError: if the model says what would not be heeded.
    """
    check_model(model)
    resources = config.registry.setdefault("jsonapi_resources", {})
    resource = Resource(model=model, schema=schema(), resources=resources)
    resources[resource.type] = resource
    _serve_collection(config, resource)
    _serve_item(config, resource)
    for relationship in resource.relationships.values():
        _serve_related(config, relationship)
        _serve_linkage(config, relationship)


def add_jsonapi_entry(config: Configurator) -> None:
    """Serve the entry document at the route prefix, and atomic operations below it."""
    config.add_route(links.ENTRY, "", inherit_slash=True)
    entry = Service(name=links.ENTRY, pyramid_route=links.ENTRY, **_house())
    _add(config, entry, "GET", views.show_entry, None)
    _finish(config, entry)
    batch = Service(name=links.OPERATIONS, path="/operations", **_house())
    perform = views.perform_operations
    _add(config, batch, "POST", perform, None, body=read_operations, extension=media.ATOMIC)
    _finish(config, batch)


def add_jsonapi_description(config: Configurator, information: Information) -> None:
    """Serve the OpenAPI document of the application at `/openapi.json` below the route prefix."""
    config.registry["jsonapi_description"] = Description(config.registry, information)
    service = Service(name=links.DESCRIPTION, path="/openapi.json", renderer="json")
    service.add_view("GET", show_description, permission=NO_PERMISSION_REQUIRED)
    _finish(config, service)


def _serve_collection(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}{SUFFIX}")
    may = f"{resource.type}:"

    def listed() -> Endpoint:
        return Endpoint(resource=resource, collection=True)

    def shown() -> Endpoint:
        return Endpoint(resource=resource)

    _add(config, service, "GET", views.list_resources, may + "read", query=listed, profiles=CURSORS)
    _add(config, service, "POST", views.create_resource, may + "create", query=shown, body=read_new)
    _finish(config, service)


def _serve_item(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}/{ID}{SUFFIX}", "item")
    may = f"{resource.type}:"

    def shown() -> Endpoint:
        return Endpoint(resource=resource)

    update, delete = views.update_resource, views.delete_resource
    _add(config, service, "GET", views.read_resource, may + "read", query=shown)
    _add(config, service, "PATCH", update, may + "update", query=shown, body=read_changes)
    _add(config, service, "DELETE", delete, may + "delete")
    _finish(config, service)


def _serve_related(config: Configurator, relationship: Relationship) -> None:
    name, source, many = relationship.name, relationship.source, relationship.many
    path = f"/{source.type}/{ID}/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, name)

    def related() -> Endpoint:
        return Endpoint(resource=relationship.target, collection=many)

    _add(
        config,
        service,
        "GET",
        views.list_related if many else views.read_related,
        f"{source.type}:read",
        permit_target,
        query=related,
        profiles=CURSORS if many else frozenset(),
    )
    _finish(config, service)


def _serve_linkage(config: Configurator, relationship: Relationship) -> None:
    name, source, many = relationship.name, relationship.source, relationship.many
    path = f"/{source.type}/{ID}/relationships/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, "relationships", name)

    def linked() -> Endpoint:
        return Endpoint(resource=relationship.target, collection=many, through=relationship)

    _add(
        config,
        service,
        "GET",
        views.list_linkage if many else views.read_linkage,
        f"{source.type}:read",
        query=linked,
        profiles=CURSORS if many else frozenset(),
    )
    changes = [("PATCH", views.replace_linkage)]
    if many:
        changes += [("POST", views.add_linkage), ("DELETE", views.remove_linkage)]
    for method, change in changes:
        _add(config, service, method, change, f"{source.type}:update", body=read_linkage)
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
        routes = config.registry.setdefault("jsonapi_routes", {})
        routes[name] = (resource, relationship)
    return Service(name=name, path=path, factory=lambda request: context, **_house())


def _finish(config: Configurator, service: Service) -> None:
    service.add_view("OPTIONS", views.list_methods, permission=NO_PERMISSION_REQUIRED)
    config.add_cornice_service(service)


def _add(
    config: Configurator,
    service: Service,
    name: str,
    view: Any,
    permission: str | None,
    *checks: Validator,
    query: Callable[[], Endpoint] | None = None,
    body: Validator | None = None,
    extension: str | None = None,
    profiles: frozenset[str] = frozenset(),
) -> None:
    """Add a method to a service: its view behind its validators, in their order.

    :param query: makes what the query string may ask for, once all resources are there.
    """

    def negotiate(request: Request, **_: Any) -> None:
        request.validated["media"] = media.negotiate(
            request, takes_document=body is not None, extension=extension, profiles=profiles
        )

    def read_query(request: Request, **_: Any) -> None:
        if query is None:
            refuse_parameters(request, request.jsonapi_limits)
        else:
            request.validated["query"] = parse_query(request, query(), request.jsonapi_limits)

    context = service.factory(None) if hasattr(service, "factory") else None
    methods(config.registry)[service.name, name] = Method(
        view=view, context=context, query=query, body=body, extension=extension
    )

    def answer(request: Request) -> Response:
        made = view(request)
        return made if isinstance(made, Response) else media.respond(request, made)

    of_one = [read_id] if ID in (service.path or "") else []
    service.add_view(
        name,
        answer,
        permission=permission or NO_PERMISSION_REQUIRED,
        validators=(negotiate, *checks, *of_one, read_query, *([] if body is None else [body])),
    )


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
