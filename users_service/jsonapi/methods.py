"""What the methods of the API's URLs do: put down where they are made, read where they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyramid.registry import Registry

from users_service.jsonapi.query import Endpoint
from users_service.jsonapi.resource import Relationship, Resource


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
    query: Callable[[], Endpoint] | None
    body: Callable[..., None] | None
    extension: str | None


def methods(registry: Registry) -> dict[tuple[str, str], Method]:
    """All methods, by the name of the route and of the method."""
    found: dict[tuple[str, str], Method] = registry.setdefault("jsonapi_methods", {})
    return found
