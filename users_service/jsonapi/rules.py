"""What a host says of a resource: who sees it, who sees which fields, and which changes may be."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

ACTIONS = frozenset({"create", "read", "update", "delete"})
"""What can be done to resources: permissions are `<type>:<action>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Attributes that the caller of a request may not read.

    :param names: their names in documents.
    :param check: is called with a request and each `Change` that it asks for, when the rows are
        locked and nothing is stored yet. It raises a `JSONAPIError` to refuse the change.
    :param own: the ids, as values of the model, of the resources that are shown with all fields
        nevertheless. Filters and sorting by a hidden attribute are refused all the same.
    """

    names: frozenset[str]
    own: Collection[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of a resource. A function that is None allows all.

    :param visible: returns the condition tree that the resources fulfil which the caller of a
        request can see; None if it can see all of them. To the caller, others do not exist.
    :param hidden: returns the attributes that the caller may not read; None for none. To the
        caller they do not exist.
    :param own: the names of the fields that users may change of what is their own, without a
        permission for others: for the description.
    """

    visible: Callable[[Any], Any] | None = None
    hidden: Callable[[Any], Hidden | None] | None = None
    check: Callable[[Any, Any], None] | None = None
    own: Collection[str] = frozenset()


NO_RULES = Rules()
