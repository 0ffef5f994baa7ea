"""The directives by which a host declares its API: actions of Pyramid, in any order."""

from collections.abc import Callable, Sequence
from typing import Any

from pyramid.config import PHASE0_CONFIG, PHASE1_CONFIG, Configurator
from pyramid.request import Request

from ..api import api_of
from ..limits import Limits
from ..reading import Visibility
from ..resource import Resource
from ..writing import Change
from .services import serve_entry, serve_resource


def add_jsonapi_resource(
    config: Configurator,
    model: type[Any],
    schema: type[Any],
    visible: Callable[[Request], Visibility | None] | None = None,
) -> None:
    """Serve a mapped class under the type of its schema: the directive of this package.

    When the configuration is committed, all resources are checked before the first is served.

    :param model: the mapped class, with a `version_id_col`.
    :param schema: its marshmallow-jsonapi schema class.
    :param visible: says for a request which of the resources its caller sees; None for all. What a
        caller does not see is not there: neither by id nor in lists, totals, filters or linkage.
    """
    api = api_of(config.registry)
    kind = getattr(schema.opts, "type_", None) or schema.__name__

    def register() -> None:
        try:
            made = schema()
        except ValueError as error:  # with which marshmallow tells that it has no id, or no type_
            api.refused[kind] = f"{schema.__name__}: {error}."
        else:
            api.resources[kind] = Resource(model, made, api.resources, visible)

    def serve() -> None:
        api.add_prefix(config.route_prefix)
        serve_resource(config, api.resources[kind])

    # All resources are known and checked before the first is served, in whatever order they are
    # added.
    config.action(("jsonapi resource", kind), register, order=PHASE0_CONFIG)
    config.action(("jsonapi services", kind), serve, order=PHASE1_CONFIG)


def add_jsonapi_entry(config: Configurator) -> None:
    """Serve the entry document at the route prefix, and atomic operations below it."""

    def serve() -> None:
        api_of(config.registry).add_prefix(config.route_prefix)
        serve_entry(config)

    config.action("jsonapi entry", serve, order=PHASE1_CONFIG)


def set_jsonapi_limits(config: Configurator, limits: Limits) -> None:
    """Bound what clients control; without this directive by the defaults of `Limits`."""

    def register() -> None:
        api_of(config.registry).limits = limits

    config.action("jsonapi limits", register, order=PHASE0_CONFIG)


def request_limits(request: Request) -> Limits:
    return api_of(request.registry).limits


def add_jsonapi_change_handler(
    config: Configurator, handler: Callable[[Request, Sequence[Change]], None]
) -> None:
    """Let a function read what each request has changed, before COMMIT.

    It may write to the request's connection, and refuses the changes by raising a `JSONAPIError`.

    :param handler: is called with the request and its changes, in their order, once all of them
        are made. Several are called in the order in which they were added.
    """
    config.action(
        ("jsonapi change handler", handler),
        lambda: api_of(config.registry).change_handlers.append(handler),
        order=PHASE0_CONFIG,
    )
