"""What a request asks for: the frozen Query that its query string becomes (§6). No SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..resource import Relationship, Resource
from . import cursors
from .tree import Condition

Pairs = tuple[tuple[str, str], ...]

Include = Mapping[str, "Include"]
"""The relationships to include, each with those to include behind it."""

# The profile's own names for two faults (its §"Errors").
CURSOR_PROFILE = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination"


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPage:
    """At most `size` resources behind a position, before one, between two, or from the start."""

    size: int
    after: cursors.Position | None = None
    before: cursors.Position | None = None
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPage:
    """At most `size` resources behind the first `offset` ones.

    :param numbered: whether the client counts pages, and not resources.
    """

    size: int
    offset: int
    numbered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a request asks for.

    :param include: the relationships to include; None if the request does not say.
    :param fields: the fields to show of each type; all where a type is not named.
    :param filter: the condition on a collection.
    :param order: the sort fields, completed with the id to a total order.
    :param page: the part of a collection; None where there is no collection.
    :param scope: what a cursor is bound to.
    :param pairs: the parameters as they came, for links that repeat them.
    """

    include: Include | None = None
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filter: Condition | None = None
    order: cursors.Order = (("id", False),)
    page: CursorPage | OffsetPage | None = None
    scope: str = ""
    pairs: Pairs = ()

    def shows(self, resource: Resource, name: str) -> bool:
        """Whether a field of a resource is to be shown (§6.3 Sparse Fieldsets)."""
        return resource.type not in self.fields or name in self.fields[resource.type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a request's query string may ask for.

    :param resource: the resource whose objects or identifiers are the primary data.
    :param documents: whether resources are shown, so that `include` and `fields` make sense.
    :param collection: whether there are many, to be filtered, sorted and paged.
    :param through: the relationship whose linkage is the primary data; includes begin with it.
    """

    resource: Resource
    documents: bool = True
    collection: bool = False
    through: Relationship | None = None
