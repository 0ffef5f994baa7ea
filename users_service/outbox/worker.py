"""The worker: sends what is due, until it is stopped."""

import logging
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from users_service.database import in_transaction, reason_of
from users_service.outbox import rows
from users_service.outbox.rows import Claimed
from users_service.outbox.smtp import (
    Letter,
    RefusedError,
    ServerAwayError,
    connected,
    message_of,
    send,
)
from users_service.settings import MailServer

Result = TypeVar("Result")
Compose = Callable[[Connection, Claimed], Letter | None]

log = logging.getLogger(__name__)

# Seconds between two looks for mail.
POLL = 1.0
# Seconds until the next try where the server or the database is away: they double from the first.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
# When a mail that was refused is tried again: this doubles too. After a day it is given up.
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=30), timedelta(hours=1)
GIVE_UP = timedelta(days=1)


class Worker:
    """Sends the mail in the outbox of a database.

    :param sender: the address that mail is from, perhaps with a name.
    :param deadline: seconds in which a transaction may begin again after a conflict.
    :param compose: makes the letter of a mail, and stores what that tells of; None if there is
        nothing to be sent. It is called in the transaction that claims the mail.
    :param stop: is set to end the work after the current mail.
    """

    def __init__(
        self,
        engine: Engine,
        server: MailServer,
        sender: str,
        compose: Compose,
        *,
        deadline: float,
        stop: Event,
    ) -> None:
        self._engine, self._server, self._sender = engine, server, sender
        self._compose, self._deadline, self._stop = compose, deadline, stop

    def send_until_stopped(self) -> None:
        """Send what is due, again and again. Where the mail server or the database is away, wait
        for it."""
        wait = FIRST_WAIT
        while not self._stop.is_set():
            try:
                self._send_due()
            except (ServerAwayError, DBAPIError) as error:
                self._warn(error, wait)
                self._stop.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                wait = FIRST_WAIT
                self._stop.wait(POLL)

    def _warn(self, error: ServerAwayError | DBAPIError, wait: float) -> None:
        if isinstance(error, DBAPIError):
            what, why = "The database", reason_of(error)
        else:
            what, why = "The mail server", str(error)
        log.warning("%s does not answer: %s. The next try is in %d s.", what, why, wait)

    def send_once(self) -> None:
        """Send what is due, and what another worker has claimed and leaves.

        :raises ServerAwayError: if the mail server cannot be reached.
        """
        self._send_due()
        while not self._stop.is_set() and (until := self._do(rows.last_claim)) is not None:
            self._stop.wait(max(0.1, (until - _now()).total_seconds()))
            self._send_due()

    def _send_due(self) -> None:
        while self._do(partial(rows.is_any_due, now=_now())) and not self._stop.is_set():
            with connected(self._server) as smtp:
                while not self._stop.is_set() and (claimed := self._do(self._claim)) is not None:
                    self._deliver(smtp, *claimed)

    def _claim(self, connection: Connection) -> tuple[Claimed, Letter | None] | None:
        mail = rows.claim(connection, _now())
        return None if mail is None else (mail, self._compose(connection, mail))

    def _deliver(self, smtp: smtplib.SMTP, mail: Claimed, letter: Letter | None) -> None:
        if letter is not None:
            message = message_of(letter, self._sender, mail.id, _now())
            try:
                with self._claim_renewed(mail.id):
                    send(smtp, message)
            except RefusedError as error:
                self._put_off(mail, error)
                return
            except ServerAwayError:
                self._do(partial(rows.give_back, id=mail.id))
                raise
            log.info("Mail %s (%s) was sent.", mail.id, mail.purpose)
        self._do(partial(rows.finish, id=mail.id, now=_now()))

    def _put_off(self, mail: Claimed, error: RefusedError) -> None:
        """Try a mail that was refused again later, or give it up."""
        now = _now()
        if error.is_final or now - mail.creation_time > GIVE_UP:
            domain = mail.email.rpartition("@")[2]
            refused = "Mail %s (%s) to %s is given up: the server refuses %s."
            log.error(refused, mail.id, mail.purpose, domain, error)
            self._do(partial(rows.finish, id=mail.id, now=now))
            return
        delay = min(FIRST_DELAY * 2 ** min(mail.tries, 20), LONGEST_DELAY)
        refused = "Mail %s (%s) is tried again in %d s: the server refuses %s."
        log.warning(refused, mail.id, mail.purpose, delay.total_seconds(), error)
        self._do(partial(rows.put_off, mail=mail, until=now + delay))

    @contextmanager
    def _claim_renewed(self, id: UUID) -> Iterator[None]:
        """Keep a claim for as long as the server takes."""
        ended = Event()

        def renew() -> None:
            while not ended.wait(rows.CLAIM.total_seconds() / 3):
                with suppress(DBAPIError):
                    self._do(lambda connection: rows.renew(connection, id, _now()))

        thread = Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _do(self, work: Callable[[Connection], Result]) -> Result:
        return in_transaction(self._engine, work, self._deadline)


def _now() -> datetime:
    return datetime.now(UTC)
