"""The directives by which a host declares its API, as actions of Pyramid: their order is free."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pyramid.config import PHASE0_CONFIG, PHASE1_CONFIG, Configurator
from pyramid.exceptions import ConfigurationError
from pyramid.request import Request

from ..api import Security, api_of
from ..documents import Answer
from ..errors import define_codes
from ..limits import Limits
from ..reading import Proof, Prover
from ..resource import Resource
from ..rules import ACTIONS, NO_RULES, Rules
from ..writing import Change, LoadedResource
from .services import serve_entry, serve_resource


def add_jsonapi_resource(
    config: Configurator,
    model: type[Any],
    schema: type[Any],
    *,
    rules: Rules = NO_RULES,
    methods: Collection[str] = ACTIONS,
    prepare: Callable[[Request, LoadedResource], LoadedResource] | None = None,
    create: Callable[[Request], Answer] | None = None,
) -> None:
    """Serve a mapped class as a resource, at URLs below the route prefix.

    All resources are checked when the configuration is committed; a `ResourceError` has all faults.

    :param model: the mapped class, with a `version_id_col`.
    :param schema: its marshmallow-jsonapi schema class, which declares type, id and fields.
    :param rules: who sees resources of the type, and which changes may be.
    :param methods: which of `create`, `read`, `update` and `delete` there are: in URLs, in atomic
        operations and in the description.
    :param prepare: a function that is called with each resource object of a request before a
        connection is taken, and returns it, or another one: for what takes long.
    :param create: a view in place of the one that creates resources of the type. Atomic operations
        do not create them.
    """
    api = api_of(config.registry)
    kind = getattr(schema.opts, "type_", None) or schema.__name__

    def register() -> None:
        try:
            made = schema()
        except ValueError as error:  # from marshmallow-jsonapi: no id, or no type_
            api.refused[kind] = f"{schema.__name__}: {error}."
        else:
            api.resources[kind] = Resource(
                model, made, api.resources, rules, frozenset(methods), prepare, create
            )

    def serve() -> None:
        api.add_prefix(config.route_prefix)
        serve_resource(config, api.resources[kind])

    # All resources are registered in phase 0, then checked, and served in phase 1.
    config.action(("jsonapi resource", kind), register, order=PHASE0_CONFIG)
    config.action(("jsonapi services", kind), serve, order=PHASE1_CONFIG)


def add_jsonapi_entry(
    config: Configurator, *, meta: Callable[[Request], Mapping[str, Any]] | None = None
) -> None:
    """Serve the entry document at the route prefix, and atomic operations at `/operations`.

    :param meta: returns more of the document's `meta` for a request.
    """

    def serve() -> None:
        api = api_of(config.registry)
        api.add_prefix(config.route_prefix)
        api.entry_meta = meta
        serve_entry(config)

    config.action("jsonapi entry", serve, order=PHASE1_CONFIG)


def set_jsonapi_security(
    config: Configurator,
    scheme: Mapping[str, Any],
    *,
    name: str = "bearer",
    vary: Sequence[str] = ("Authorization", "Cookie"),
    instead: Mapping[str, Sequence[Sequence[str] | None]] = MappingProxyType({}),
    throttled: Collection[str] = (),
) -> None:
    """Say how callers authenticate, in the description and in header fields of responses.

    :param scheme: a Security Scheme Object (OpenAPI §4.8.27).
    :param name: its name in the description.
    :param vary: the request header fields that the security policy reads. `Vary` has them wherever
        a permission decides.
    :param instead: for the description: what opens a method in place of a permission that it
        needs. Each alternative is a list of permissions, which is empty if it is enough to have
        authenticated; None if that is not needed either.
    :param throttled: the operationIds of the methods that may answer 429, with `Retry-After`.
    """
    security = Security(
        name=name,
        scheme=dict(scheme),
        vary=tuple(vary),
        instead=instead,
        throttled=frozenset(throttled),
    )

    def register() -> None:
        api_of(config.registry).security = security

    config.action("jsonapi security", register, order=PHASE0_CONFIG)


def set_jsonapi_limits(config: Configurator, limits: Limits) -> None:
    """Set the limits on requests; without this directive, the defaults of `Limits` apply."""

    def register() -> None:
        api_of(config.registry).limits = limits

    config.action("jsonapi limits", register, order=PHASE0_CONFIG)


def add_jsonapi_error_codes(
    config: Configurator, codes: Mapping[str, tuple[int, str]], rules: Sequence[str] = ()
) -> None:
    """Define error codes of the host, for the `Error`s that it raises.

    :param codes: the status and the title of each code. A code means the same everywhere in a
        process.
    :param rules: further rules that its fields can break, for the description.
    :raises ConfigurationError: if a code is defined already, with another status or title.
    """
    try:
        define_codes(codes)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    api = api_of(config.registry)
    api.codes.update(codes)
    api.rules += [rule for rule in rules if rule not in api.rules]


def request_limits(request: Request) -> Limits:
    return api_of(request.registry).limits


def set_jsonapi_proof(config: Configurator, function: Callable[[Request], Proof | None]) -> None:
    """Let the rows that a request reads prove its caller, whom the host remembers.

    :param function: returns the `Proof` for a request; None if there is nothing to prove.
    """

    def register() -> None:
        api_of(config.registry).proof = function

    config.action("jsonapi proof", register, order=PHASE0_CONFIG)


def request_prover(request: Request) -> Prover:
    return Prover(request, api_of(request.registry).proof)


def request_resources(request: Request) -> Mapping[str, Resource]:
    return api_of(request.registry).resources


def add_jsonapi_begin_handler(config: Configurator, handler: Callable[[Request], None]) -> None:
    """Add a function that is called when the changes of a request begin, before any row is locked.

    :param handler: is called with the request. It may lock what has to be locked first.
    """
    config.action(
        ("jsonapi begin handler", handler),
        lambda: api_of(config.registry).begin_handlers.append(handler),
        order=PHASE0_CONFIG,
    )


def add_jsonapi_change_handler(
    config: Configurator, handler: Callable[[Request, Sequence[Change]], None]
) -> None:
    """Add a function that is called with the changes of each request, before COMMIT.

    It may write to the request's connection. To refuse the changes, it raises a `JSONAPIError`.

    :param handler: is called with the request and all its changes, in the order in which they were
        made. Handlers are called in the order in which they were added.
    """
    config.action(
        ("jsonapi change handler", handler),
        lambda: api_of(config.registry).change_handlers.append(handler),
        order=PHASE0_CONFIG,
    )
