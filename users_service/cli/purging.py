"""The command that removes what is over: tokens, codes, tries to sign in, and sent mail."""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, select

from users_service import database
from users_service.auth import purge_codes, purge_tries
from users_service.models.tables import tokens
from users_service.outbox import purge_done

# Rows that one transaction deletes: short ones hold up nobody.
AT_ONCE = 1000
MICROSECONDS = 1_000_000


def add_commands(commands: Any) -> None:
    """Add the command to the sub-parsers of `users-service`."""
    purge = commands.add_parser(
        "purge",
        help="remove expired tokens and codes, sent mail, and what is left of tries",
        description=purge_.__doc__,
    )
    purge.add_argument("ini", help="the ini file of the service, such as production.ini")
    purge.set_defaults(run=purge_)


def purge_(options: argparse.Namespace) -> None:
    """Remove expired tokens and codes, mail that was sent, and the rows of tries to sign in that
    say nothing any more, by short transactions. The service does without: run it every day, so that
    tables stay small."""
    settings = database.settings_of(options.ini)
    engine = database.make_engine(settings)

    def all_of(purge: Callable[[Connection], int]) -> int:
        """Delete some rows again and again, until there are none; return how many there were."""
        some = partial(database.in_transaction, engine, purge, settings.retry_deadline)
        return sum(iter(some, 0))

    try:
        database.check_schema(engine)
        ended = all_of(partial(_end, now=datetime.now(UTC)))
        codes, mail = all_of(purge_codes), all_of(purge_done)
        tries = purge_tries(engine, int(time.time() * MICROSECONDS), settings.retry_deadline)
    finally:
        engine.dispose()
    print(
        f"Removed {ended} expired tokens, {codes} expired codes, {mail} mails that are done,"
        f" and {tries} rows of tries."
    )


def _end(connection: Connection, now: datetime) -> int:
    """Delete some of the tokens that have expired."""
    expired = tokens.c.expiration_time <= now
    found = select(tokens.c.id).where(expired).order_by(tokens.c.expiration_time).limit(AT_ONCE)
    ids = connection.execute(found).scalars().all()
    if ids:
        connection.execute(delete(tokens).where(tokens.c.id.in_(ids), expired))
    return len(ids)
