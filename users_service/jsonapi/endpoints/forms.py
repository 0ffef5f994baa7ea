"""Services of the host that take a form, and what hosts say of their other services."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cornice.service import Service
from pyramid.config import PHASE0_CONFIG, PHASE1_CONFIG, Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from ..api import api_of
from ..documents import Answer, respond
from ..errors import JSONAPI_OBJECT
from ..form import Described, Form
from .services import cornice_errors
from .validators import negotiate, read_form, read_query
from .views import list_methods


def add_jsonapi_form(
    config: Configurator,
    path: str,
    schema: type[Any],
    view: Callable[[Request], Answer],
    *,
    guard: Callable[[Request], None] | None = None,
    status: int = 200,
    shows: bool = False,
    failures: Collection[int] = (),
    permissions: Sequence[str] | None = None,
) -> None:
    """Serve `POST` of a document that is no resource, below the route prefix.

    The document is checked as that of a new resource, with all faults told at once. Errors are
    errors documents.

    :param path: the path below the prefix. The name of the route has `:` for its slashes.
    :param schema: the marshmallow-jsonapi schema class of the document, whose id is `dump_only`.
    :param view: finds the values of the attributes in `request.validated["values"]`, and returns an
        `Answer`. If it changes something, it calls `begin` first. Its docstring is described.
    :param guard: is called before anything of the request is read, and may raise a `JSONAPIError`.
    :param status: the status of the answer, for the description.
    :param shows: whether the answer has the form, with the attributes that are `dump_only`.
    :param failures: statuses of errors documents besides those of any document, described too.
    :param permissions: those that a caller needs, for the description; None if it takes everyone.
    """
    form = Form(
        schema=schema(),
        status=status,
        shows=shows,
        failures=failures,
        permissions=permissions,
    )
    name = path.strip("/").replace("/", ":")

    def serve() -> None:
        api = api_of(config.registry)
        api.add_prefix(config.route_prefix)
        api.forms[name] = form
        _serve_form(config, name, path, form, view, guard)

    config.action(("jsonapi form", name), serve, order=PHASE1_CONFIG)


def _serve_form(
    config: Configurator,
    name: str,
    path: str,
    form: Form,
    view: Callable[[Request], Answer],
    guard: Callable[[Request], None] | None,
) -> None:
    def check(request: Request, **_: Any) -> None:
        if guard is not None:
            guard(request)

    def answering_view(request: Request) -> Response:
        answer = view(request)
        if answer.document is not None:
            answer = replace(answer, document={"jsonapi": JSONAPI_OBJECT, **answer.document})
        return respond(request, answer)

    answering_view.__doc__ = view.__doc__  # for the description
    service = Service(name=name, path=path, error_handler=cornice_errors)
    service.add_view(
        "POST",
        answering_view,
        permission=NO_PERMISSION_REQUIRED,
        validators=(
            check,
            negotiate(True, None, frozenset()),
            read_query(None),
            read_form(form),
        ),
    )
    service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
    config.add_cornice_service(service)


def describe_jsonapi_methods(
    config: Configurator, service: str, methods: Mapping[str, Described]
) -> None:
    """Say of a Cornice service of the host what the description cannot know.

    :param service: the name of the service.
    :param methods: what there is to say, by HTTP method.
    """

    def register() -> None:
        described = api_of(config.registry).described
        described.update({(service, method): said for method, said in methods.items()})

    config.action(("jsonapi description of", service), register, order=PHASE0_CONFIG)
