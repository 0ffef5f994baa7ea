"""One page of a collection: its rows, and where its pagination links lead (§6.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from users_service.jsonapi import cursors, statements
from users_service.jsonapi.query import CursorPage, NumberPage
from users_service.jsonapi.resource import Resource

Link = dict[str, str] | None
"""The page parameters of a link; None where there is no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    rows: Sequence[Any]
    first: Link
    prev: Link
    next: Link
    last: Link
    total: int | None = None


def fetch_page(
    session: Session, resource: Resource, order: cursors.Order, page: CursorPage | NumberPage
) -> Page:
    """Fetch one page of the resources in an order, with the total where the page has one."""
    if isinstance(page, NumberPage):
        return _by_number(session, resource, order, page)
    return _by_cursor(session, resource, order, page)


def _by_cursor(
    session: Session, resource: Resource, order: cursors.Order, page: CursorPage
) -> Page:
    """Fetch by keyset: what a page costs does not depend on how deep it is."""
    statement = statements.select_rows(resource)
    backwards = page.before is not None
    if page.before is not None:
        statement = statement.where(statements.before(resource, order, page.before))
    elif page.after is not None:
        statement = statement.where(statements.behind(resource, order, page.after))
    direction = statements.reversed_order(order) if backwards else order
    statement = statement.order_by(*statements.order_by(resource, direction))
    rows = session.execute(statement.limit(page.size + 1)).all()
    more, rows = len(rows) > page.size, rows[: page.size]
    if backwards:
        rows = rows[::-1]

    def cursor(row: Any) -> str:
        position = tuple(getattr(row, resource.column(name).key) for name, _ in order)
        return cursors.encode(resource, order, position)

    last = {"page[before]": cursors.encode(resource, order, cursors.BEHIND_LAST)}
    back = {"page[before]": cursor(rows[0])} if rows else last
    forth = {"page[after]": cursor(rows[-1])} if rows else {}
    if backwards:
        at_start, at_end = not more, page.before == cursors.BEHIND_LAST
    else:
        at_start, at_end = page.after is None, not more
    return Page(
        rows=rows,
        first={},
        prev=None if at_start else back,
        next=None if at_end else forth,
        last=last,
        total=session.scalar(statements.select_total(resource)) if page.total else None,
    )


def _by_number(
    session: Session, resource: Resource, order: cursors.Order, page: NumberPage
) -> Page:
    total = session.execute(statements.select_total(resource)).scalar_one()
    statement = statements.select_rows(resource).order_by(*statements.order_by(resource, order))
    rows = session.execute(statement.limit(page.size).offset((page.number - 1) * page.size)).all()
    last = max(1, -(-total // page.size))

    def link(number: int) -> Link:
        return {"page[number]": str(number)} if 1 <= number <= last else None

    return Page(
        rows=rows,
        first=link(1),
        prev=link(min(page.number - 1, last)),
        next=link(page.number + 1),
        last=link(last),
        total=total,
    )
