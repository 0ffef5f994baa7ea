"""The directive that makes a resource into Cornice services, and the validators they run."""

from typing import Any, NoReturn

from cornice.service import Service
from marshmallow import ValidationError
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.jsonapi import body, links, media, views
from users_service.jsonapi.errors import Error, JSONAPIError, code_of_status, not_found
from users_service.jsonapi.json_text import read_json
from users_service.jsonapi.query import parse_query
from users_service.jsonapi.resource import Resource

# The tutorial's own URLs end in .json; links never do.
# \Z, since the $ of Pyramid's own would let a newline follow.
SUFFIX = r"{suffix:(?:\.json)?\Z}"


def add_jsonapi_resource(config: Configurator, model: type[Any], schema: type[Any]) -> None:
    """Serve a mapped class under the type of its schema: the directive of this package.

    :param model: the mapped class.
    :param schema: its marshmallow-jsonapi schema class.
    """
    resource = Resource(model=model, schema=schema())
    for service in (_collection(resource), _item(resource)):
        config.add_cornice_service(service)


def _collection(resource: Resource) -> Service:
    name, _ = links.route_names(resource)
    service = _service(resource, name, f"/{resource.type}{SUFFIX}")
    may = f"{resource.type}:"
    _add(service, "GET", views.list_resources, may + "read", _query_of_collection)
    _add(service, "POST", views.create_resource, may + "create", _query, _new)
    return service


def _item(resource: Resource) -> Service:
    _, name = links.route_names(resource)
    service = _service(resource, name, f"/{resource.type}/{{id:[^/]+?}}{SUFFIX}")
    may = f"{resource.type}:"
    _add(service, "GET", views.read_resource, may + "read", _id, _query)
    _add(service, "PATCH", views.update_resource, may + "update", _id, _query, _changes)
    _add(service, "DELETE", views.delete_resource, may + "delete", _id, _query)
    return service


def _service(resource: Resource, name: str, path: str) -> Service:
    service = Service(
        name=name,
        path=path,
        renderer="jsonapi",
        error_handler=cornice_errors,
        factory=lambda request: resource,
    )
    service.add_view("OPTIONS", views.list_methods, permission=NO_PERMISSION_REQUIRED)
    return service


def _add(service: Service, method: str, view: Any, permission: str, *validators: Any) -> None:
    service.add_view(method, view, permission=permission, validators=(_negotiate, *validators))


def _negotiate(request: Request, **_: Any) -> None:
    media.negotiate(request)


def _id(request: Request, **_: Any) -> None:
    try:
        request.validated["id"] = request.context.load_id(request.matchdict["id"])
    except ValidationError:
        raise not_found() from None


def _query(request: Request, **_: Any) -> None:
    request.validated["query"] = parse_query(
        request, request.context, request.jsonapi_limits, collection=False
    )


def _query_of_collection(request: Request, **_: Any) -> None:
    request.validated["query"] = parse_query(
        request, request.context, request.jsonapi_limits, collection=True
    )


def _new(request: Request, **_: Any) -> None:
    document = read_json(request, request.jsonapi_limits)
    request.validated["values"] = body.load_new(request.context, document)


def _changes(request: Request, **_: Any) -> None:
    document = read_json(request, request.jsonapi_limits)
    request.validated["values"] = body.load_changes(
        request.context, document, request.validated["id"]
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
