"""One page of a collection: its rows, and where its pagination links lead (§6.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import Session

from users_service.jsonapi import cursors, statements
from users_service.jsonapi.conditions import to_sql
from users_service.jsonapi.query import CursorPage, OffsetPage, Query
from users_service.jsonapi.resource import Resource

Link = dict[str, str] | None
"""The page parameters of a link; None where there is no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """:param truncated: whether a range has more resources than the page's size."""

    rows: Sequence[Any]
    links: dict[str, Link]
    total: int | None = None
    truncated: bool = False


def fetch_page(
    session: Session, resource: Resource, query: Query, *conditions: ColumnElement[bool]
) -> Page:
    """Fetch the page that a query asks for, of the resources for which the conditions hold."""
    if query.filter is not None:
        conditions = (*conditions, to_sql(query.filter))
    statement = statements.select_rows(resource, query, query.include, query.order)
    statement = statement.where(*conditions)
    counting = statements.select_total(resource, *conditions)
    if isinstance(query.page, OffsetPage):
        total = session.execute(counting).scalar_one()
        return _by_offset(session, resource, query, query.page, statement, total)
    assert query.page is not None  # noqa: S101  # the query is that of a collection
    counted = session.execute(counting).scalar_one() if query.page.total else None
    return _by_cursor(session, resource, query, query.page, statement, counted)


def _by_cursor(
    session: Session,
    resource: Resource,
    query: Query,
    page: CursorPage,
    statement: Select[Any],
    total: int | None,
) -> Page:
    """Fetch by keyset: what a page costs does not depend on how deep it is."""
    order = query.order
    if page.after is not None:
        statement = statement.where(statements.behind(resource, order, page.after))
    if page.before is not None:
        statement = statement.where(statements.before(resource, order, page.before))
    # A range is read from its start, as if its end were not given (cursor profile, "Ranges").
    backwards = page.before is not None and page.after is None
    direction = statements.reversed_order(order) if backwards else order
    statement = statement.order_by(*statements.order_by(resource, direction))
    rows = session.execute(statement.limit(page.size + 1)).all()
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


def _by_offset(
    session: Session,
    resource: Resource,
    query: Query,
    page: OffsetPage,
    statement: Select[Any],
    total: int,
) -> Page:
    statement = statement.order_by(*statements.order_by(resource, query.order))
    rows = session.execute(statement.limit(page.size).offset(page.offset)).all()
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
