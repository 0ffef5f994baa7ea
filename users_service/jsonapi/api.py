"""The API of an application, as the directives have declared it: one object in its registry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyramid.registry import Registry

from .errors import CODES, RULES
from .form import Described, Form
from .limits import Limits
from .reading import Endpoint
from .resource import Relationship, Resource

KEY = "jsonapi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """The title, version and so on of the API in its OpenAPI document (OpenAPI §4.8.2).

    :param license: the members of OpenAPI's License Object.
    """

    title: str
    version: str
    summary: str
    description: str
    license: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How callers authenticate.

    :param name: the name of the scheme in the description.
    :param scheme: its Security Scheme Object (OpenAPI §4.8.27).
    :param vary: the request header fields that the security policy reads.
    :param instead: what opens a method in place of a permission that it needs; see
        `set_jsonapi_security`.
    :param throttled: the operationIds of the methods that may answer 429.
    """

    name: str
    scheme: dict[str, Any]
    vary: tuple[str, ...]
    instead: Mapping[str, Sequence[Sequence[str] | None]]
    throttled: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One HTTP method of one URL.

    :param view: the view.
    :param action: the action whose permissions it needs; None if it needs none of its own.
    :param context: the resource or relationship of the URL, if it has one.
    :param query: the query parameters that it accepts; None for none.
    :param body: the validator that reads its request document; None if it takes none.
    :param extension: the extension of JSON:API that it applies.
    """

    view: Callable[..., Any]
    action: str | None
    context: Resource | Relationship | None
    query: Endpoint | None
    body: Callable[..., None] | None
    extension: str | None


@dataclass(kw_only=True)
class Api:
    """The declared API.

    :param resources: the resources by type.
    :param refused: the faults of schemas that cannot be instantiated, by type.
    :param prefixes: the paths below which the API is served, without a slash at the end.
    :param limits: the limits on requests.
    :param security: how callers authenticate; None if the host has not said it.
    :param entry_meta: returns more of the entry document's `meta` for a request.
    :param information: the title and so on of the OpenAPI document; None if it is not served.
    :param description: the OpenAPI document, made when it is first needed.
    :param methods: the HTTP methods, by route name and method name.
    :param forms: the forms of the host's services, by route name.
    :param described: what the host says of other services, by their names and method names.
    :param operation_targets: the possible targets of atomic operations, by route name.
    :param proof: the host's function that returns the `Proof` of a caller.
    :param begin_handlers: the host's functions that are called when changes begin.
    :param change_handlers: the host's functions that are called with the changes of a request.
    :param codes: the error codes, with their statuses and titles.
    :param rules: the rules that fields can break.
    :param paths: the paths of routes without variables, made when they are first needed.
    """

    resources: dict[str, Resource] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    security: Security | None = None
    entry_meta: Callable[[Any], Mapping[str, Any]] | None = None
    information: Information | None = None
    description: dict[str, Any] | None = None
    methods: dict[tuple[str, str], Method] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    described: dict[tuple[str, str], Described] = field(default_factory=dict)
    operation_targets: dict[str, tuple[Resource, Relationship | None]] = field(default_factory=dict)
    proof: Callable[..., Any] | None = None
    begin_handlers: list[Callable[..., None]] = field(default_factory=list)
    change_handlers: list[Callable[..., None]] = field(default_factory=list)
    codes: dict[str, tuple[int, str]] = field(default_factory=lambda: dict(CODES))
    rules: list[str] = field(default_factory=lambda: list(RULES))
    paths: dict[str, str] = field(default_factory=dict)

    def add_prefix(self, route_prefix: str | None) -> None:
        """Add the path of a route prefix of Pyramid; None is the root."""
        path = (route_prefix or "").strip("/")
        self.prefixes.add(f"/{path}" if path else "")

    def covers(self, path: str) -> bool:
        """Whether a path is one of the prefixes, or is below one."""
        return any(f"{path}/".startswith(f"{prefix}/") for prefix in self.prefixes)


def api_of(registry: Registry) -> Api:
    """The API of an application, by its registry."""
    api: Api = registry[KEY]
    return api


def resources_of(registry: Registry) -> Mapping[str, Resource]:
    """The resources of an application by type, by its registry."""
    return api_of(registry).resources
