"""A connection to a client, bounded in time and memory, that keeps no thread waiting."""

import socket
import time
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

from users_service.serving.parser import Parser
from users_service.serving.tasks import RefusalTask, RequestTask

# Most bytes, and seconds, in which a refused client may go on sending.
MOST_DRAINED = 64 << 20
LONGEST_DRAIN = 30.0


class Drain(wasyncore.dispatcher):  # type: ignore[misc]  # waitress is untyped
    """What is left of a connection after a refusal: it is closed for writing, and what the client
    still sends is thrown away.

    If it were closed at once, the client might never see the answer (RFC 9112 §9.6).
    """

    def __init__(self, sock: socket.socket, sockets: dict[int, Any]) -> None:
        super().__init__(sock, map=sockets)
        self.connected = True
        self._left = MOST_DRAINED
        self._end = time.monotonic() + LONGEST_DRAIN
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)

    def readable(self) -> bool:
        if time.monotonic() > self._end:
            self.close()
        return bool(self.connected)

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        self._left -= len(self.recv(1 << 16))  # which closes at the end of the data
        if self._left <= 0:
            self.close()

    def handle_close(self) -> None:
        self.close()

    handle_expt = handle_close


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection to a client.

    A request is carried out when the client has taken the answer to the one before, so that of
    each client at most one answer is kept: up to a megabyte of it in memory, the rest in a file. A
    client that takes longer than `transfer_timeout` to send a request, or to take an answer, is cut
    off.

    :ivar drain_before_close: whether the client may still be sending when its connection is closed.
    """

    task_class = RequestTask
    error_task_class = RefusalTask
    parser_class = Parser
    drain_before_close = False

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: dict[int, Any]) -> None:
        self._sockets = map
        self._held = False
        self._receiving: Any = None
        self._received_since = 0.0
        self._sending_since: float | None = None
        super().__init__(server, sock, addr, adj, map=map)

    @property
    def busy(self) -> bool:
        """Whether a request is being received, carried out or answered, or may be on its way."""
        if self.requests or self.request is not None or self.total_outbufs_len:
            return True
        is_new = self.last_activity == self.creation_time
        return bool(is_new and time.time() - self.creation_time < 1)

    def hold(self) -> bool:
        """Put the next request off until the last answer is sent; return whether it has to wait."""
        self._held = bool(self.total_outbufs_len)
        return self._held

    def readable(self) -> bool:
        # This is asked of each connection at each look at the sockets: most have nothing to do.
        if self.request is None and not self.total_outbufs_len:
            self._sending_since = None
        elif self._is_late():
            self.handle_close()
            return False
        return bool(super().readable())

    def writable(self) -> bool:
        return bool(super().writable() or self._held)

    def handle_write(self) -> None:
        super().handle_write()
        if self.total_outbufs_len:
            return
        self._sending_since = None
        if self._held and self.connected:
            self._held = False
            self.server.add_task(self)

    def _is_late(self) -> bool:
        now = time.monotonic()
        if self.requests or self.request is not self._receiving:
            self._receiving, self._received_since = self.request, now
        if not self.total_outbufs_len or self._sending_since is None:
            self._sending_since = now
        earliest = now - self.server.transfer_timeout
        receives_late = self._receiving is not None and self._received_since < earliest
        return bool(receives_late or self._sending_since < earliest)

    def handle_expt(self) -> None:
        # Urgent data is no HTTP, and would be reported again and again.
        self.handle_close()

    def handle_close(self) -> None:
        self._held = False
        if self.drain_before_close and self.connected:
            with suppress(OSError):
                Drain(self.socket.dup(), self._sockets)
        super().handle_close()
