"""Fetches one page of a collection, with the parameters of its pagination links (§6.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, func, literal_column

from ..resource import Resource
from . import cursors, ordering
from .conditions import bind
from .cursors import Order, Position
from .projection import Projection, project
from .query import CursorPage, OffsetPage, Query
from .scope import Scope, ScopeTemplate, cached_statement

Link = dict[str, str] | None
"""The page parameters of a link; None where there is no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a collection.

    :param links: the page parameters of the links `first`, `prev`, `next` and `last`.
    :param total: the number of resources in the collection, if it was counted.
    :param truncated: whether a range between two cursors has more resources than the page.
    """

    rows: Sequence[Any]
    links: dict[str, Link]
    total: int | None = None
    truncated: bool = False


def fetch_page(scope: Scope, query: Query) -> Page:
    """Fetch the page of a query from the rows of a scope."""
    resource, page = scope.resource, query.page
    projection = project(resource, query, query.include, query.order)
    assert page is not None  # noqa: S101  # the query is that of a collection
    if isinstance(page, OffsetPage):
        total = scope.execute(_select_total).scalar_one()
        values = {"size": page.size, "offset": page.offset}
        rows = scope.rows(_select_by_offset, projection, query.order, **values)
        return _offset_page(rows, page, total)
    total = scope.execute(_select_total).scalar_one() if page.total else None
    values = {"size": page.size + 1}
    after, before = page.after, page.before
    if after is not None:
        after, named = ordering.extract_values("after", after)
        values |= named
    if before is not None:
        before, named = ordering.extract_values("before", before)
        values |= named
    # For a LIMIT in a bind parameter, PostgreSQL assumes a tenth of the table, so that its generic
    # plan looks expensive and it plans every execution. That is worth its time only for filters.
    literal_limit = page.size + 1 if scope.template.has_all_rows else None
    arguments = projection, query.order, after, before, literal_limit
    rows = scope.rows(_select_by_cursor, *arguments, **values)
    return _cursor_page(rows, resource, query, page, total)


@cached_statement
def _select_total(template: ScopeTemplate) -> Select[Any]:
    return template.select(func.count())


@cached_statement
def _select_by_offset(template: ScopeTemplate, projection: Projection, order: Order) -> Select[Any]:
    selected = template.select(*projection.columns())
    selected = selected.order_by(*ordering.order_by(template.resource, order))
    size, offset = (bind(name, BigInteger()) for name in ("size", "offset"))
    return selected.limit(size).offset(offset)


@cached_statement
def _select_by_cursor(
    template: ScopeTemplate,
    projection: Projection,
    order: Order,
    after: Position | None,
    before: Position | None,
    literal_limit: int | None,
) -> Select[Any]:
    """Select by keyset: the cost of a page does not depend on its distance from the start.

    :param literal_limit: the LIMIT; None for the bind parameter `size`.
    """
    resource = template.resource
    selected = template.select(*projection.columns())
    if after is not None:
        selected = selected.where(ordering.after(resource, order, after))
    if before is not None:
        selected = selected.where(ordering.before(resource, order, before))
    direction = ordering.reversed_order(order) if _is_backwards(after, before) else order
    selected = selected.order_by(*ordering.order_by(resource, direction))
    if literal_limit is None:
        return selected.limit(bind("size", BigInteger()))
    return selected.limit(literal_column(str(literal_limit)))


def _is_backwards(after: Position | None, before: Position | None) -> bool:
    # A range between two cursors is read from its start (cursor profile, "Ranges").
    return before is not None and after is None


def _cursor_page(
    rows: Sequence[Any], resource: Resource, query: Query, page: CursorPage, total: int | None
) -> Page:
    order, backwards = query.order, _is_backwards(page.after, page.before)
    more, rows = len(rows) > page.size, rows[: page.size]
    if backwards:
        rows = rows[::-1]

    attributes = [
        resource.id_attribute if name == "id" else resource.attribute(name) for name, _ in order
    ]

    def cursor(row: Any) -> str:
        position = tuple(getattr(row, attribute) for attribute in attributes)
        return cursors.encode(resource, order, query.list_key, position)

    end = cursors.encode(resource, order, query.list_key, cursors.AFTER_LAST)
    last: Link = {"page[before]": end}
    back: Link = {"page[before]": cursor(rows[0])} if rows else last
    forth: Link = {"page[after]": cursor(rows[-1])} if rows else {}
    if backwards:
        at_start, at_end = not more, page.before == cursors.AFTER_LAST
    else:
        at_start, at_end = page.after is None, not more and page.before is None
    return Page(
        rows=rows,
        links={
            "first": {},
            "prev": None if at_start else back,
            "next": None if at_end else forth,
            "last": last,
        },
        total=total,
        truncated=more and page.after is not None and page.before is not None,
    )


def _offset_page(rows: Sequence[Any], page: OffsetPage, total: int) -> Page:
    size = page.size
    # The offset need not be a multiple of the size: the other pages are counted from this one.
    start = page.offset % size
    last = start + max(0, (total - 1 - start) // size) * size if total > start else start

    def link(offset: int) -> Link:
        if page.numbered:
            return {"page[number]": str(offset // size + 1)}
        return {"page[offset]": str(offset)}

    previous = min(page.offset - size, last)
    return Page(
        rows=rows,
        links={
            "first": link(0),
            "prev": link(max(previous, 0)) if page.offset > 0 else None,
            "next": link(page.offset + size) if page.offset + size < total else None,
            "last": link(last),
        },
        total=total,
    )
