"""The parser: refuses what waitress would read in another way than other servers (RFC 9112)."""

import re
from typing import Any, NoReturn

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest

from users_service.hosts import host_of
from users_service.jsonapi import Error

HOST_FIELD = b"\r\nhost:"
LENGTH_FIELD = b"\r\ncontent-length:"
CODING_FIELD = b"\r\ntransfer-encoding:"
CODINGS = re.compile(rb"\r\ntransfer-encoding:((?:[^\r]|\r\n[ \t])*)")


class StrictReceiver(ChunkedReceiver):  # type: ignore[misc]  # waitress is untyped
    """A body in chunks, whose size lines are such as every server reads in the same way.

    waitress takes a line feed at their end, where others see the end of the line, and skips empty
    ones: other servers would take other bytes for the next request (RFC 9112 §7.1).
    """

    def received(self, data: bytes) -> int:
        """Read as far as to the end of a size line, of a chunk, or of what follows the chunks."""
        if self.chunk_remainder:
            data = data[: self.chunk_remainder]
        elif self.validate_chunk_end:
            data = data[: 2 - len(self.chunk_end)]
        elif not self.all_chunks_received:
            begun = len(self.control_line)
            line, end, _ = (self.control_line + data).partition(b"\r\n")
            if b"\n" in line or (end and not line):
                self.error = BadRequest("Invalid chunk size")
                return len(data)
            data = data[: len(line) + len(end) - begun]
        return int(super().received(data))


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request that is being received.

    :ivar refusal: the error with which it is refused; None if waitress refuses it, or nobody does.
    """

    refusal: Error | None = None
    path: str
    body_rcv: Any

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.completed:
            # There is no body to ask for. If waitress did (RFC 9110 §10.1.1), it would wait for
            # one, and take the next request for it.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # such as that of `GET http://[::1/ HTTP/1.1`
            raise ParsingError("The request is malformed.") from error
        options = [text.strip() for text in self.headers.get("CONNECTION", "").lower().split(",")]
        for option in ("close", "keep-alive"):  # waitress knows them alone (RFC 9112 §9.3)
            if option in options:
                self.headers["CONNECTION"] = option
                break
        fields = header_plus.lower()
        if CODING_FIELD in fields:
            self._check_coding(fields)
            self.body_rcv = StrictReceiver(self.body_rcv.buf)
        self._check_hosts(fields.count(HOST_FIELD))
        self._check_target()

    def _refuse(self, code: str, detail: str, header: str | None = None) -> NoReturn:
        source = None if header is None else {"header": header}
        self.refusal = Error(code=code, detail=detail, source=source)
        raise ParsingError(detail)

    def _check_coding(self, fields: bytes) -> None:
        """Refuse a transfer coding from which others would learn another length (§6.1)."""
        if self.version != "1.1":
            detail = "Only requests of HTTP/1.1 can have a Transfer-Encoding."
            self._refuse("bad_request", detail, "Transfer-Encoding")
        if not self.chunked or b",".join(CODINGS.findall(fields)).count(b"chunked") > 1:
            detail = "The Transfer-Encoding must be chunked, once."
            self._refuse("bad_request", detail, "Transfer-Encoding")
        if LENGTH_FIELD in fields:
            # Whoever passed this on may have taken the other length: nothing more is read (§6.3).
            self.headers["CONNECTION"] = "close"

    def _check_hosts(self, number: int) -> None:
        """Refuse a request of HTTP/1.1 without a Host, and any with several (§3.2)."""
        if number > 1:
            self._refuse("invalid_host", "The request has more than one Host.", "Host")
        if number == 0 and self.version == "1.1":
            self._refuse("invalid_host", "The request has no Host.", "Host")

    def _check_target(self) -> None:
        """Refuse a target that is no path, URL or `*` (§3.2). The host of a URL replaces that of
        the header (§3.2.2), which must be a valid one nevertheless.
        """
        target = self.request_uri
        if not target.isprintable():  # Python leaves tabs out when it splits a URL
            self._refuse("bad_request", "The target has a character that is not printable.")
        if target.startswith("/") or (target == "*" and self.command == "OPTIONS"):
            return
        if not target.lower().startswith(("http://", "https://")):
            self._refuse("bad_request", "The target must be a path, or a URL of http or https.")
        if self.proxy_scheme != self.url_scheme:
            # RFC 9110 §7.4: nothing is answered for https that has come without it.
            self._refuse("bad_request", f"The server takes URLs of {self.url_scheme} only.")
        if host_of(self.headers.get("HOST", self.proxy_netloc)) is None:
            detail = "The Host must be one name or address, with or without a port."
            self._refuse("invalid_host", detail, "Host")
        if host_of(self.proxy_netloc) is None:
            detail = "The host of the target must be one name or address, with or without a port."
            self._refuse("invalid_host", detail)
        self.headers["HOST"] = self.proxy_netloc
        self.path = self.path or "/"
