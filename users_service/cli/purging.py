"""The command that removes what is over: tokens, codes, tries to sign in, and sent mail."""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from users_service import database
from users_service.auth import purge_codes, purge_tries
from users_service.models.tables import tokens
from users_service.outbox import purge_done

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
        is_over = tokens.c.expiration_time <= datetime.now(UTC)
        ended = all_of(partial(database.delete_some, key=tokens.c.id, is_over=is_over))
        codes, mail = all_of(purge_codes), all_of(purge_done)
        tries = purge_tries(engine, int(time.time() * MICROSECONDS), settings.retry_deadline)
    finally:
        engine.dispose()
    print(
        f"Removed {ended} expired tokens, {codes} expired codes, {mail} mails that are done,"
        f" and {tries} rows of tries."
    )
