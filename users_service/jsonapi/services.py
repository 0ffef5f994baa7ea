"""The directives that make resources into Cornice services, and the validators they run."""

from collections.abc import Callable
from typing import Any, NoReturn

from cornice.service import Service
from marshmallow import ValidationError
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.jsonapi import body, links, media, views
from users_service.jsonapi.errors import Error, JSONAPIError, code_of_status, not_found
from users_service.jsonapi.json_text import read_json
from users_service.jsonapi.query import CURSOR_PROFILE, Endpoint, parse_query, refuse_parameters
from users_service.jsonapi.resource import Relationship, Resource

Validator = Callable[..., None]

CURSORS = frozenset({CURSOR_PROFILE})

# The tutorial's own URLs end in .json; links never do.
# \Z, since the $ of Pyramid's own would let a newline follow.
SUFFIX = r"{suffix:(?:\.json)?\Z}"
ID = "{id:[^/]+?}"


def add_jsonapi_resource(config: Configurator, model: type[Any], schema: type[Any]) -> None:
    """Serve a mapped class under the type of its schema: the directive of this package.

    :param model: the mapped class, with a `version_id_col`.
    :param schema: its marshmallow-jsonapi schema class.
    """
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
    _add(entry, "GET", views.show_entry, None, _no_parameters)
    _finish(config, entry)
    batch = Service(name=links.OPERATIONS, path="/operations", **_house())
    _add(
        batch,
        "POST",
        views.perform_operations,
        None,
        _no_parameters,
        _document,
        extension=media.ATOMIC,
    )
    _finish(config, batch)


def _serve_collection(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}{SUFFIX}")
    may = f"{resource.type}:"
    listed = _query(Endpoint(resource=resource, collection=True))
    shown = _query(Endpoint(resource=resource))
    _add(service, "GET", views.list_resources, may + "read", listed, profiles=CURSORS)
    _add(service, "POST", views.create_resource, may + "create", shown, _new)
    _finish(config, service)


def _serve_item(config: Configurator, resource: Resource) -> None:
    service = _service(config, resource, None, f"/{resource.type}/{ID}{SUFFIX}", "item")
    may = f"{resource.type}:"
    shown = _query(Endpoint(resource=resource))
    _add(service, "GET", views.read_resource, may + "read", _id, shown)
    _add(service, "PATCH", views.update_resource, may + "update", _id, shown, _changes)
    _add(service, "DELETE", views.delete_resource, may + "delete", _id, _no_parameters)
    _finish(config, service)


def _serve_related(config: Configurator, relationship: Relationship) -> None:
    name, source = relationship.name, relationship.source
    path = f"/{source.type}/{ID}/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, name)
    view = views.list_related if relationship.many else views.read_related
    query = _query_of_relationship(relationship, through=False)
    profiles = CURSORS if relationship.many else frozenset()
    may = f"{source.type}:read"
    _add(service, "GET", view, may, _readable_target, _id, query, profiles=profiles)
    _finish(config, service)


def _serve_linkage(config: Configurator, relationship: Relationship) -> None:
    name, source = relationship.name, relationship.source
    path = f"/{source.type}/{ID}/relationships/{name}{SUFFIX}"
    service = _service(config, source, relationship, path, "relationships", name)
    view = views.list_linkage if relationship.many else views.read_linkage
    query = _query_of_relationship(relationship, through=True)
    profiles = CURSORS if relationship.many else frozenset()
    _add(service, "GET", view, f"{source.type}:read", _id, query, profiles=profiles)
    changes = [("PATCH", views.replace_linkage)]
    if relationship.many:
        changes += [("POST", views.add_linkage), ("DELETE", views.remove_linkage)]
    for method, change in changes:
        _add(service, method, change, f"{source.type}:update", _id, _no_parameters, _linkage)
    _finish(config, service)


def _house() -> dict[str, Any]:
    return {"renderer": "jsonapi", "error_handler": cornice_errors}


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
    service: Service,
    method: str,
    view: Any,
    permission: str | None,
    *validators: Validator,
    **negotiation: Any,
) -> None:
    takes_document = bool({_new, _changes, _linkage, _document} & set(validators))

    def negotiate(request: Request, **_: Any) -> None:
        request.validated["media"] = media.negotiate(
            request, takes_document=takes_document, **negotiation
        )

    service.add_view(
        method,
        view,
        permission=permission or NO_PERMISSION_REQUIRED,
        validators=(negotiate, *validators),
    )


def _id(request: Request, **_: Any) -> None:
    resource = getattr(request.context, "source", request.context)
    try:
        request.validated["id"] = resource.load_id(request.matchdict["id"])
    except ValidationError:
        raise not_found() from None


def _readable_target(request: Request, **_: Any) -> None:
    """Whoever reads what a resource relates to reads resources of another type."""
    if not request.has_permission(f"{request.context.target.type}:read"):
        raise HTTPForbidden


def _query(endpoint: Endpoint) -> Validator:
    def validator(request: Request, **_: Any) -> None:
        request.validated["query"] = parse_query(request, endpoint, request.jsonapi_limits)

    return validator


def _query_of_relationship(relationship: Relationship, *, through: bool) -> Validator:
    def validator(request: Request, **_: Any) -> None:
        # The target may be registered after the source: it is looked up when it is needed.
        endpoint = Endpoint(
            resource=relationship.target,
            collection=relationship.many,
            through=relationship if through else None,
        )
        request.validated["query"] = parse_query(request, endpoint, request.jsonapi_limits)

    return validator


def _no_parameters(request: Request, **_: Any) -> None:
    refuse_parameters(request, request.jsonapi_limits)


def _document(request: Request, **_: Any) -> None:
    request.validated["document"] = read_json(request, request.jsonapi_limits)


def _new(request: Request, **_: Any) -> None:
    document = read_json(request, request.jsonapi_limits)
    request.validated["loaded"] = body.load_new(request.context, body.primary_data(document))


def _changes(request: Request, **_: Any) -> None:
    document = read_json(request, request.jsonapi_limits)
    request.validated["loaded"] = body.load_changes(
        request.context, body.primary_data(document), request.validated["id"]
    )


def _linkage(request: Request, **_: Any) -> None:
    document = read_json(request, request.jsonapi_limits)
    request.validated["linkage"] = body.load_linkage(request.context, body.primary_data(document))


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
