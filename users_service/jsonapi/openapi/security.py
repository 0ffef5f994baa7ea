"""The permissions that methods need, as Security Requirement Objects (OpenAPI §4.8.30)."""

from itertools import product

from ..api import Method, Security
from ..endpoints import views
from ..reading import permissions
from .components import Json

# What opens a method: permissions of somebody who has authenticated; None for anybody.
Requirement = frozenset[str] | None


def requirements(method: Method, security: Security) -> list[Json]:
    """The requirements of a method, each of which is enough.

    The entry document is for everyone; atomic operations need what each of them needs.
    """
    if method.view is views.show_entry:
        return [{}, {security.name: []}]
    if method.action is None or method.context is None:
        return [{security.name: []}]
    needed = permissions(method.action, method.context)
    ways = product(*(_alternatives(name, security) for name in needed))
    found = list(dict.fromkeys(map(_together, ways)))
    least = [one for one in found if not any(_is_less(other, one) for other in found)]
    return [{} if one is None else {security.name: _in_order(one, needed)} for one in least]


def _alternatives(permission: str, security: Security) -> list[Requirement]:
    """What opens a method that needs a permission: that, or what the host takes instead."""
    instead = security.instead.get(permission, ())
    return [frozenset((permission,)), *(None if one is None else frozenset(one) for one in instead)]


def _together(requirements: tuple[Requirement, ...]) -> Requirement:
    needed = [one for one in requirements if one is not None]
    return frozenset().union(*needed) if needed else None


def _in_order(names: frozenset[str], needed: list[str]) -> list[str]:
    return [*(name for name in needed if name in names), *sorted(names.difference(needed))]


def _is_less(one: Requirement, other: Requirement) -> bool:
    """Whether a requirement is a part of another, which then says nothing more.

    To have authenticated is a part of no other: clients show what somebody needs for all.
    """
    return one is not None and other is not None and frozenset() < one < other
