"""The command that sends mail."""

import argparse
import logging
import signal
from threading import Event
from typing import Any

from users_service import database
from users_service.auth import composer
from users_service.cli.logs import shown
from users_service.faults import CommandFailedError
from users_service.outbox import ServerAwayError, Worker


class MailError(CommandFailedError):
    """Why no mail can be sent, as one sentence."""


def add_commands(commands: Any) -> None:
    """Add the command to the sub-parsers of `users-service`."""
    outbox = commands.add_parser("outbox", help="send the mail that requests have asked for")
    run = outbox.add_subparsers(title="commands", required=True)
    command = run.add_parser("run", help="send mail until stopped", description=run_.__doc__)
    command.add_argument("ini", help="the ini file of the service, such as production.ini")
    command.add_argument("--once", action="store_true", help="send what is due, and end")
    command.set_defaults(run=run_)


def run_(options: argparse.Namespace) -> None:
    """Send the mail in the outbox until stopped: sign-ups, password resets, changes of address.
    Where the mail server is away, wait for it. Any number of these may run at once."""
    settings = database.settings_of(options.ini)
    if settings.smtp_url is None or not settings.mail_from:
        raise MailError("To send mail, set users_service.smtp_url and users_service.mail_from.")
    engine, stop = database.make_engine(settings), Event()
    worker = Worker(
        engine,
        settings.smtp_url,
        settings.mail_from,
        composer(settings),
        deadline=settings.retry_deadline,
        stop=stop,
    )
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        database.check_schema(engine)
        with shown(logging.INFO):
            if options.once:
                worker.send_once()
            else:
                worker.send_until_stopped()
    except ServerAwayError as error:
        raise MailError(f"The mail server does not answer: {error}.") from None
    finally:
        signal.signal(signal.SIGTERM, before)
        engine.dispose()
