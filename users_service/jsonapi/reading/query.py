"""The parsed query string of a request (§6), as a frozen `Query`; no SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..resource import Relationship, Resource
from . import cursors
from .tree import Condition

Pairs = tuple[tuple[str, str], ...]

Include = Mapping[str, "Include"]
"""The relationships to include by name, each with those to include of its target."""

# The URI of the cursor pagination profile. Error types begin with it (its section "Errors").
CURSOR_PROFILE = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination"


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPage:
    """A page by cursor: at most `size` resources after or before a position, or between two.

    Without a position it is the first page.

    :param total: whether to count all resources of the list.
    """

    size: int
    after: cursors.Position | None = None
    before: cursors.Position | None = None
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPage:
    """A page by offset: at most `size` resources after the first `offset` ones.

    :param numbered: whether the request has a page number; otherwise it has an offset.
    """

    size: int
    offset: int
    numbered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The query parameters of a request.

    :param include: the relationships to include; None without the parameter `include`.
    :param fields: the fields to show, by type; a type that is missing here shows all its fields.
    :param filter: the condition tree on a collection; None for all resources.
    :param order: the sort fields. The last one is unique, so that the order is total.
    :param page: the page of a collection; None if the primary data is one resource.
    :param list_key: identifies the list; cursors are valid only for one list.
    :param pairs: the decoded names and values, for links that repeat them.
    """

    include: Include | None = None
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filter: Condition | None = None
    order: cursors.Order = (("id", False),)
    page: CursorPage | OffsetPage | None = None
    list_key: str = ""
    pairs: Pairs = ()

    def shows(self, resource: Resource, name: str) -> bool:
        """Whether documents show a field of a resource (§6.3 Sparse Fieldsets)."""
        return resource.type not in self.fields or name in self.fields[resource.type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The query parameters that a method of a URL accepts: `include`, `fields` and some more.

    :param resource: the type of the primary data.
    :param collection: whether the primary data is an array; it accepts `filter`, `sort`, `page`.
    :param through: the relationship whose linkage is the primary data, if it is linkage. Paths of
        `include` begin with its name.
    """

    resource: Resource
    collection: bool = False
    through: Relationship | None = None
