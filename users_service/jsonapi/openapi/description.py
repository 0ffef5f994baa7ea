"""Makes and serves the OpenAPI document of an application.

It contains every Cornice service. Those of resources are described by their schemas, validators and
limits, the others by the docstrings of their views.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from operator import itemgetter
from typing import Any

from pyramid.config import PHASE1_CONFIG, Configurator
from pyramid.interfaces import IRoutesMapper
from pyramid.registry import Registry

from ..api import Api, Information, api_of
from ..documents import links
from ..endpoints import serve_json
from . import hosts, methods
from .components import Components, Json
from .copies import sender
from .displays import display_object

# HEAD works wherever GET does, and OPTIONS everywhere (RFC 9110 §9.3): they are not listed.
IMPLIED = {"HEAD", "OPTIONS"}


def add_jsonapi_description(config: Configurator, information: Information) -> None:
    """Serve the OpenAPI document of the application at `/openapi.json` below the route prefix."""

    def serve() -> None:
        api = api_of(config.registry)
        api.add_prefix(config.route_prefix)
        api.information = information
        show = sender(partial(description, config.registry))
        serve_json(config, links.DESCRIPTION_ROUTE, "/openapi.json", show)

    config.action("jsonapi description", serve, order=PHASE1_CONFIG)


def description(registry: Registry) -> Json:
    """Return the OpenAPI document of an application, made by the first call.

    It has no `servers`, because these depend on the request.

    :param registry: the registry of the application, after its configuration was committed.
    """
    api = api_of(registry)
    if api.description is None:
        assert api.information is not None  # noqa: S101  # set by the directive
        api.description = describe(registry, api.information)
    return api.description


def describe(registry: Registry, information: Information) -> Json:
    """Make the OpenAPI document of an application, without `servers`."""
    api = api_of(registry)
    info = {name: value for name, value in asdict(information).items() if value}
    components = Components(
        info.pop("title"),
        info.pop("version"),
        api.resources,
        api.limits,
        api.codes,
        api.rules,
        api.security,
        **info,
    )
    for resource in components.resources.values():
        tag = {"name": resource.type, "description": f"The type `{resource.type}`."}
        components.spec.tag(tag | {"x-display": display_object(resource)})
    components.spec.tag({"name": "service", "description": "The service as a whole."})
    services = registry.cornice_services.values()
    paths = sorted(((_path(registry, s), s) for s in services), key=itemgetter(0))
    collections = {
        method.context: path
        for path, service in paths
        for name in ("GET", "POST")
        if (method := api.methods.get((service.name, name))) is not None and "{" not in path
    }
    types = {
        links.route_name(resource, *parts): {"x-jsonapi-type": resource.type}
        for resource in components.resources.values()
        for parts in ((), ("item",))
    }
    for path, service in paths:
        item = types.get(service.name, {}) | _methods(api, components, service, path, collections)
        components.spec.path(path, operations=item)
    document = components.spec.to_dict()
    return {name: document[name] for name in ("openapi", "info", "tags", "paths", "components")}


def _methods(
    api: Api, components: Components, service: Any, path: str, collections: Mapping[Any, str]
) -> Json:
    """Describe the methods of a service.

    :param collections: the path of each collection, by its resource.
    """
    described = {}
    for name, view, arguments in service.definitions:
        method = api.methods.get((service.name, name))
        if method is not None:
            described[name.lower()] = methods.describe(components, method, collections)
        elif name not in IMPLIED and (form := api.forms.get(service.name)) is not None:
            described[name.lower()] = hosts.describe_form(components, service, view, form)
        elif name not in IMPLIED:
            said = api.described.get((service.name, name))
            described[name.lower()] = hosts.describe_other(
                components, service, name, view, arguments, path, said
            )
    return described


def _path(registry: Registry, service: Any) -> str:
    """The path of a service, with variables in OpenAPI's syntax."""
    route = registry.getUtility(IRoutesMapper).get_route(service.pyramid_route or service.name)
    path = re.sub(r"\{suffix:[^{}]*\}", "", route.pattern)
    return "/" + re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", path).lstrip("/")
