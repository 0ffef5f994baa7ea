"""One page of a collection: its rows, and where its pagination links lead (§6.5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, literal_column, select

from ..resource import Relationship, Resource
from . import cursors, statements
from .conditions import parameter, parametrized, to_sql
from .cursors import Order, Position
from .filters import Condition, node_count
from .query import CursorPage, OffsetPage, Query

# Nodes of a condition of whose form statements are kept: a node takes some KiB of each.
LARGEST_KEPT = 16

Link = dict[str, str] | None
"""The page parameters of a link; None where there is no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """:param truncated: whether a range has more resources than the page's size."""

    rows: Sequence[Any]
    links: dict[str, Link]
    total: int | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class _Among:
    """The resources of which there are pages.

    :param condition: with names of parameters for values.
    :param relationship: whose resources they are, of the one with the id `source`.
    """

    resource: Resource
    condition: Condition | None
    relationship: Relationship | None

    @property
    def is_all(self) -> bool:
        return self.condition is None and self.relationship is None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.relationship is not None:
            yield statements.related_to(self.relationship)
        if self.condition is not None:
            yield to_sql(self.condition)


def fetch_page(
    connection: Connection,
    resource: Resource,
    query: Query,
    relationship: Relationship | None = None,
    source: Any = None,
) -> Page:
    """Fetch the page that a query asks for: of a resource, or of what one relates to.

    :param source: the id of the resource that has the relationship.
    """
    condition, values = parametrized(query.filter)
    if relationship is not None:
        values["source"] = source
    among = _Among(resource, condition, relationship)
    rows = statements.selected(resource, query, query.include, query.order)
    page = query.page
    assert page is not None  # noqa: S101  # the query is that of a collection

    def execute(select_: Any, *form: Any) -> Any:
        """Carry out the statement of a form. One with a large condition is kept nowhere."""
        if query.filter is None or node_count(query.filter) <= LARGEST_KEPT:
            return connection.execute(select_(among, *form), values)
        statement = select_.__wrapped__(among, *form)
        return connection.execute(statement, values, execution_options={"compiled_cache": None})

    def count() -> int:
        total: int = execute(_select_total).scalar_one()
        return total

    if isinstance(page, OffsetPage):
        total = count()
        values |= {"size": page.size, "offset": page.offset}
        found = execute(_select_by_offset, rows, query.order).all()
        return _by_offset(found, page, total)
    counted = count() if page.total else None
    after, before = page.after, page.before
    if after is not None:
        after, named = statements.parametrized("after", after)
        values |= named
    if before is not None:
        before, named = statements.parametrized("before", before)
        values |= named
    values["size"] = size = page.size + 1
    # PostgreSQL takes a LIMIT that it does not know for a tenth of the table. A plan for any values
    # looks dear then, so that it makes one for each request, which pays only with conditions.
    fixed = size if among.is_all else None
    found = execute(_select_by_cursor, rows, query.order, after, before, fixed).all()
    return _by_cursor(found, resource, query, page, counted)


@lru_cache(maxsize=statements.KEPT)
def _select_total(among: _Among) -> Select[Any]:
    table = among.resource.table
    return select(func.count()).select_from(table).where(*among.conditions())


@lru_cache(maxsize=statements.KEPT)
def _select_by_offset(among: _Among, rows: statements.Selected, order: Order) -> Select[Any]:
    statement = rows.select().where(*among.conditions())
    statement = statement.order_by(*statements.order_by(among.resource, order))
    size, offset = (parameter(name, BigInteger()) for name in ("size", "offset"))
    return statement.limit(size).offset(offset)


@lru_cache(maxsize=statements.KEPT)
def _select_by_cursor(
    among: _Among,
    rows: statements.Selected,
    order: Order,
    after: Position | None,
    before: Position | None,
    fixed: int | None,
) -> Select[Any]:
    """Select by keyset: what a page costs does not depend on how deep it is.

    :param fixed: at most so many; the parameter `size` says it if this is None.
    """
    resource = among.resource
    statement = rows.select().where(*among.conditions())
    if after is not None:
        statement = statement.where(statements.behind(resource, order, after))
    if before is not None:
        statement = statement.where(statements.before(resource, order, before))
    direction = statements.reversed_order(order) if _is_backwards(after, before) else order
    statement = statement.order_by(*statements.order_by(resource, direction))
    size = parameter("size", BigInteger()) if fixed is None else literal_column(str(fixed))
    return statement.limit(size)


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
