"""What the directives have declared: one object in the registry of the application."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyramid.registry import Registry

from .limits import Limits
from .reading import Endpoint
from .resource import Relationship, Resource

KEY = "jsonapi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What the host says of its API (OpenAPI §4.8.2)."""

    title: str
    version: str
    summary: str
    description: str
    license: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method of one URL.

    :param view: the function that answers it.
    :param context: what the URL stands for; None for those that are about no resource.
    :param query: what its query string may ask for; None if it has no parameters.
    :param body: the validator that reads its document; None if it takes none.
    :param extension: the extension of JSON:API that it applies.
    """

    view: Callable[..., Any]
    context: Resource | Relationship | None
    query: Endpoint | None
    body: Callable[..., None] | None
    extension: str | None


@dataclass(kw_only=True)
class Api:
    """All that the directives of this package have declared.

    :param resources: the resources by type.
    :param refused: what is wrong with schemas that cannot be used at all, by type.
    :param prefixes: the paths below which it is served, without a slash at the end.
    :param limits: the bounds on what clients control.
    :param information: what the description begins with; None where none is served.
    :param description: the OpenAPI document, once it has been asked for.
    :param methods: what is served, by the name of the route and of the method.
    :param routes: what atomic operations can be about, by the name of its route.
    :param change_handlers: the host's functions that read what requests have changed.
    :param paths: the paths of the routes that have no variables, once they have been made.
    """

    resources: dict[str, Resource] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    information: Information | None = None
    description: dict[str, Any] | None = None
    methods: dict[tuple[str, str], Method] = field(default_factory=dict)
    routes: dict[str, tuple[Resource, Relationship | None]] = field(default_factory=dict)
    change_handlers: list[Callable[..., None]] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)

    def add_prefix(self, route_prefix: str | None) -> None:
        """Take in that something is served below a route prefix of Pyramid; None is the root."""
        path = (route_prefix or "").strip("/")
        self.prefixes.add(f"/{path}" if path else "")

    def covers(self, path: str) -> bool:
        """Whether a path is one of the prefixes, or below one."""
        return any(f"{path}/".startswith(f"{prefix}/") for prefix in self.prefixes)


def api_of(registry: Registry) -> Api:
    """The API of an application, by its registry."""
    api: Api = registry[KEY]
    return api
