"""One page of a collection: its rows, and where its pagination links lead (§6.5)."""

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
from .scope import Form, Scope, statement

Link = dict[str, str] | None
"""The page parameters of a link; None where there is no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """:param truncated: whether a range has more resources than the page's size."""

    rows: Sequence[Any]
    links: dict[str, Link]
    total: int | None = None
    truncated: bool = False


def fetch_page(scope: Scope, query: Query) -> Page:
    """Fetch the page that a query asks for, of the rows in a scope."""
    resource, page = scope.resource, query.page
    projection = project(resource, query, query.include, query.order)
    assert page is not None  # noqa: S101  # the query is that of a collection
    if isinstance(page, OffsetPage):
        total = scope.execute(_select_total).scalar_one()
        values = {"size": page.size, "offset": page.offset}
        found = scope.execute(_select_by_offset, projection, query.order, **values).all()
        return _by_offset(found, page, total)
    counted = scope.execute(_select_total).scalar_one() if page.total else None
    values = {"size": page.size + 1}
    after, before = page.after, page.before
    if after is not None:
        after, named = ordering.name_values("after", after)
        values |= named
    if before is not None:
        before, named = ordering.name_values("before", before)
        values |= named
    # PostgreSQL takes a LIMIT that it does not know for a tenth of the table. A plan for any values
    # looks dear then, so that it makes one for each request, which pays only with conditions.
    fixed = page.size + 1 if scope.form.is_whole else None
    form = projection, query.order, after, before, fixed
    found = scope.execute(_select_by_cursor, *form, **values).all()
    return _by_cursor(found, resource, query, page, counted)


@statement
def _select_total(form: Form) -> Select[Any]:
    return form.select(func.count())


@statement
def _select_by_offset(form: Form, projection: Projection, order: Order) -> Select[Any]:
    found = form.select(*projection.columns())
    found = found.order_by(*ordering.order_by(form.resource, order))
    size, offset = (bind(name, BigInteger()) for name in ("size", "offset"))
    return found.limit(size).offset(offset)


@statement
def _select_by_cursor(
    form: Form,
    projection: Projection,
    order: Order,
    after: Position | None,
    before: Position | None,
    fixed: int | None,
) -> Select[Any]:
    """Select by keyset: what a page costs does not depend on how deep it is.

    :param fixed: at most so many; the parameter `size` says it if this is None.
    """
    resource = form.resource
    found = form.select(*projection.columns())
    if after is not None:
        found = found.where(ordering.behind(resource, order, after))
    if before is not None:
        found = found.where(ordering.before(resource, order, before))
    direction = ordering.reversed_order(order) if _is_backwards(after, before) else order
    found = found.order_by(*ordering.order_by(resource, direction))
    size = bind("size", BigInteger()) if fixed is None else literal_column(str(fixed))
    return found.limit(size)


def _is_backwards(after: Position | None, before: Position | None) -> bool:
    # A range is read from its start, as if its end were not given (cursor profile, "Ranges").
    return before is not None and after is None


def _by_cursor(
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
        return cursors.encode(resource, order, query.scope, position)

    end = cursors.encode(resource, order, query.scope, cursors.BEHIND_LAST)
    last: Link = {"page[before]": end}
    back: Link = {"page[before]": cursor(rows[0])} if rows else last
    forth: Link = {"page[after]": cursor(rows[-1])} if rows else {}
    if backwards:
        at_start, at_end = not more, page.before == cursors.BEHIND_LAST
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


def _by_offset(rows: Sequence[Any], page: OffsetPage, total: int) -> Page:
    size = page.size
    # Pages lie where this one lies: an offset need not be a multiple of the size.
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
