"""The rows of the outbox: put by requests, claimed and ended by workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from users_service.database import delete_some
from users_service.models.tables import outbox

# How long a claim holds, unless it is renewed: the time that a worker which was killed costs.
CLAIM = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A row that this worker has claimed.

    :param tries: how often a server has refused it.
    """

    id: UUID
    purpose: str
    email: str
    user_id: UUID | None
    data: Mapping[str, Any]
    tries: int
    creation_time: datetime


def put(
    connection: Connection,
    purpose: str,
    email: str,
    *,
    user_id: UUID | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Put a mail into the outbox, in the transaction of the connection.

    :param purpose: what it is for, by which the letter is made.
    :param user_id: whose deletion deletes it.
    :param data: what the letter needs besides, deleted when it has been sent.
    """
    values = {"purpose": purpose, "email": email, "user_id": user_id, "data": data}
    connection.execute(insert(outbox).values(values))


def drop(connection: Connection, purpose: str, user_id: UUID) -> None:
    """Delete the mails of a user that no worker has claimed yet."""
    is_open = (outbox.c.done_time.is_(None), outbox.c.claim_time.is_(None))
    of_user = (outbox.c.user_id == user_id, outbox.c.purpose == purpose)
    connection.execute(delete(outbox).where(*of_user, *is_open))


def claim(connection: Connection, now: datetime) -> Claimed | None:
    """Claim the row that has been due for longest.

    :returns: None if none is due, or another worker was faster.
    """
    columns = (getattr(outbox.c, name) for name in Claimed.__slots__)
    found = select(*columns).where(*_is_due(now)).order_by(outbox.c.due_time, outbox.c.id)
    row = connection.execute(found.limit(1)).one_or_none()
    if row is None:
        return None
    statement = update(outbox).where(outbox.c.id == row.id, *_is_due(now))
    if connection.execute(statement.values(claim_time=now + CLAIM)).rowcount != 1:
        return None
    return Claimed(**row._asdict() | {"data": row.data or {}})


def _is_due(now: datetime) -> list[ColumnElement[bool]]:
    is_free = outbox.c.claim_time.is_(None) | (outbox.c.claim_time <= now)
    return [outbox.c.done_time.is_(None), outbox.c.due_time <= now, is_free]


def is_any_due(connection: Connection, now: datetime) -> bool:
    found = select(outbox.c.id).where(*_is_due(now)).limit(1)
    return connection.execute(found).one_or_none() is not None


def last_claim(connection: Connection) -> datetime | None:
    """Until when other workers have claimed rows, unless they renew it."""
    found = select(func.max(outbox.c.claim_time)).where(outbox.c.done_time.is_(None))
    claimed: datetime | None = connection.execute(found).scalar_one()
    return claimed


def renew(connection: Connection, id: UUID, now: datetime) -> None:
    """Keep a claimed row for longer."""
    _set(connection, id, claim_time=now + CLAIM)


def finish(connection: Connection, id: UUID, now: datetime) -> None:
    """Note that a mail is done: sent, or not to be sent. What it was made of is deleted."""
    _set(connection, id, claim_time=None, done_time=now, data=None)


def give_back(connection: Connection, id: UUID) -> None:
    """End the claim of a row that was not sent, so that it is due again."""
    _set(connection, id, claim_time=None)


def put_off(connection: Connection, mail: Claimed, until: datetime) -> None:
    """Let a refused mail be due again later."""
    _set(connection, mail.id, claim_time=None, due_time=until, tries=mail.tries + 1)


def _set(connection: Connection, id: UUID, **values: Any) -> None:
    is_open = outbox.c.done_time.is_(None)
    connection.execute(update(outbox).where(outbox.c.id == id, is_open).values(values))


def purge_done(connection: Connection) -> int:
    """Delete some of the rows that are done; return how many."""
    return delete_some(connection, outbox.c.id, outbox.c.done_time.is_not(None))
