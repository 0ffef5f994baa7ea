"""A real mail server on this machine, and what it has received."""

import email
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

LINK = re.compile(r"https://app\.example\.com/\S*?([0-9A-Za-z]{27})\b")


class Mailbox:
    """Takes mail, or refuses it.

    :ivar received: the messages, in order.
    :ivar answers: answers to the next commands by their names, such as `RCPT`; an empty list takes.
    :ivar on: is called at a command, before its answer.
    """

    def __init__(self, **options: Any) -> None:
        self.received: list[EmailMessage] = []
        self.answers: dict[str, list[str]] = {}
        self.on: dict[str, Callable[[], None]] = {}
        self.port = free_port()
        self._options = options

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["Mailbox"]:
        """Answer until the block ends."""
        controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            enable_SMTPUTF8=True,
            **self._options,
        )
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def _answer(self, command: str, otherwise: str) -> str:
        if action := self.on.get(command):
            action()
        answers = self.answers.get(command)
        return answers.pop(0) if answers else otherwise

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        self._answer("EHLO", "")
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answer("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._answer("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self._answer("DATA", "250 OK")
        if answer.startswith("250"):
            message: Any = email.message_from_string(envelope.content.decode(), policy=default)
            assert envelope.rcpt_tos == [message["To"].addresses[0].addr_spec]
            self.received.append(message)
        if action := self.on.get("after DATA"):
            action()
        return answer


def code_in(message: EmailMessage) -> str:
    found = LINK.search(message.get_content())
    assert found, message.get_content()
    return found[1]


def recipients(messages: list[EmailMessage]) -> list[str]:
    return [message["To"].addresses[0].addr_spec for message in messages]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
