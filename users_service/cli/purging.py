"""The command that removes what is over: expired tokens, and forgotten tries to sign in."""

import argparse
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, select

from users_service import database
from users_service.auth import purge_tries
from users_service.models.tables import tokens

# Rows that one transaction deletes: short ones hold up nobody.
AT_ONCE = 1000
MICROSECONDS = 1_000_000


def add_commands(commands: Any) -> None:
    """Add the command to the sub-parsers of `users-service`."""
    purge = commands.add_parser(
        "purge", help="remove expired tokens and what is left of tries", description=purge_.__doc__
    )
    purge.add_argument("ini", help="the ini file of the service, such as production.ini")
    purge.set_defaults(run=purge_)


def purge_(options: argparse.Namespace) -> None:
    """Remove expired tokens, and the rows of tries to sign in that say nothing any more, by short
    transactions. The service does without: run it every day, so that tables stay small."""
    settings = database.settings_of(options.ini)
    engine = database.make_engine(settings)
    try:
        database.check_schema(engine)
        end, ended = partial(_end, now=datetime.now(UTC)), 0
        while some := database.in_transaction(engine, end, settings.retry_deadline):
            ended += some
        tries = purge_tries(engine, int(time.time() * MICROSECONDS), settings.retry_deadline)
    finally:
        engine.dispose()
    print(f"Removed {ended} expired tokens and {tries} rows of tries.")


def _end(connection: Connection, now: datetime) -> int:
    """Delete some of the tokens that have expired."""
    expired = tokens.c.expiration_time <= now
    found = select(tokens.c.id).where(expired).order_by(tokens.c.expiration_time).limit(AT_ONCE)
    ids = connection.execute(found).scalars().all()
    if ids:
        connection.execute(delete(tokens).where(tokens.c.id.in_(ids), expired))
    return len(ids)
