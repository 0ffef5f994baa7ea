"""Sends letters to a mail server by SMTP (RFC 5321), and says what a failure means."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from uuid import UUID

from users_service.addresses import in_ascii
from users_service.settings import MailServer

# Seconds that the server may take for each answer.
TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says, as plain text, and to whom."""

    recipient: str
    subject: str
    text: str


class ServerAwayError(Exception):
    """The server cannot be reached, or takes no mail at all: others would fare no better.

    :param reason: a text without addresses.
    """


class RefusedError(Exception):
    """The server refuses a mail.

    :param reason: a text without addresses.
    :param is_final: whether it would be refused again.
    """

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


@contextmanager
def connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection to the server, encrypted and signed in as its URL says.

    :raises ServerAwayError: if there is none.
    """
    with _away_unless_it_answers():
        smtp = _connect(server)
    try:
        yield smtp
    finally:
        with suppress(OSError):
            smtp.quit()
        smtp.close()


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    smtp: smtplib.SMTP
    if server.scheme == "smtps":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        if server.scheme == "smtp+starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def message_of(letter: Letter, sender: str, id: UUID, now: datetime) -> EmailMessage:
    """Write a letter as a message (RFC 5322).

    :param sender: the address that it is from, perhaps with a name.
    :param id: makes a `Message-ID`, by which a letter that is sent again is the same one.
    """
    message = EmailMessage()
    message["From"] = sender
    local_part, _, domain = in_ascii(letter.recipient).rpartition("@")
    message["To"] = Address(username=local_part, domain=domain)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{id}@{in_ascii(_address_of(sender)).rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no answer is wanted
    message.set_content(letter.text, cte="7bit")  # links stay whole
    return message


def send(smtp: smtplib.SMTP, message: EmailMessage) -> None:
    """Send a message.

    :raises RefusedError: if the server refuses this one.
    :raises ServerAwayError: if it does not take any.
    """
    sender = in_ascii(_address_of(str(message["From"])))
    recipient = message["To"].addresses[0].addr_spec
    with _away_unless_it_answers():
        try:
            smtp.send_message(message, sender, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            ((code, _),) = error.recipients.values()
            raise RefusedError(f"the recipient, with {code}", is_final=code >= 500) from None
        except smtplib.SMTPDataError as error:
            raise RefusedError(f"what it says, with {error.smtp_code}", is_final=False) from None
        except smtplib.SMTPNotSupportedError:
            raise RefusedError("addresses beyond ASCII (RFC 6531)", is_final=True) from None


def _address_of(sender: str) -> str:
    return parseaddr(sender)[1]


@contextmanager
def _away_unless_it_answers() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise ServerAwayError(f"it answers {error.smtp_code}") from None
    except OSError as error:  # which the errors of smtplib are too
        raise ServerAwayError(str(error) or type(error).__name__) from None
