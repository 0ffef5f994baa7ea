"""The threads of a process: one at a time leads, and watches the sockets of waitress.

waitress by itself has a thread for the sockets and others for the requests, and each request goes
from one to the other and back: each time the interpreter's lock changes hands, which costs more
than watching the sockets does. Here the leader carries out a short request itself. Before a longer
one, which is going to wait for the database several times, it leaves the lead to whoever comes from
a request, or, if fewer are busy than may be, to one that rests. Two are enough beside a database
that answers at once: one computes while the other waits, and more would only compete for the
interpreter's lock. The others rest until a request has turned out to take long.
"""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

log = logging.getLogger("waitress")

# Seconds for which a leader may be busy with a request before another thread leads.
PATIENCE = 0.05
# Seconds without a look at the sockets that are not the clients' silence but the server's own.
SILENCE = 1.0
# Seconds that requests have to end in when the process is interrupted.
GRACE = 5.0


class _Term:
    """The time in which a thread leads, until another takes the lead.

    `busy_since` is when it began a request, if it has one; with a longer one the lead `is_free`.
    """

    busy_since: float | None = None
    is_free = False

    def is_overdue(self) -> bool:
        since = self.busy_since
        return since is not None and time.monotonic() - since > PATIENCE


class Threads:
    """The threads that serve: a task dispatcher of waitress, and its main loop.

    :param count: how many.
    :param busy: how many of them are busy at most, while none is for long.
    :param is_short: whether a request of waitress is one that the leader carries out itself.
    """

    def __init__(self, count: int, busy: int, is_short: Callable[[Any], bool]) -> None:
        self._count = count
        self.busy = busy
        self._is_short = is_short
        self._waiting: deque[HTTPChannel] = deque()
        self.add_task = self._waiting.append
        self._change = threading.Condition()
        self._leader = _Term()
        self._leader.is_free = True
        self._active = count  # threads that do not rest
        self._stopping = False
        self._interrupted = False
        self._main_is_serving = False
        self._polling = False
        self._looked = time.monotonic()

    def set_thread_count(self, count: int) -> None:
        """waitress's own would start them here."""

    def shutdown(self, *_: Any) -> None:
        """waitress's own would end them here."""

    def run(self, sockets: dict[int, Any], adjustments: Any, wake: Callable[[], None]) -> None:
        """Serve until the process is interrupted, and let the requests that have begun end.

        :param sockets: waitress's map of what listens and what is connected.
        :param adjustments: waitress's settings.
        :param wake: ends a look at the sockets.
        """
        self._sockets = sockets
        self._poll = wasyncore.poll2 if adjustments.asyncore_use_poll else wasyncore.poll
        self._timeout = adjustments.asyncore_loop_timeout
        self._wake = wake
        signal.signal(signal.SIGINT, self._interrupt)
        others = [threading.Thread(target=self._work, daemon=True) for _ in range(1, self._count)]
        for thread in others:
            thread.start()
        try:
            self._work()
        except (SystemExit, KeyboardInterrupt):
            end = time.monotonic() + GRACE
            with self._change:
                self._stopping = True
                self._change.notify_all()
            wake()
            for thread in others:
                thread.join(max(0, end - time.monotonic()))
            wasyncore.close_all(sockets)

    def notice(self) -> None:
        """Let the leader see that a connection has changed, if it watches the sockets just now."""
        if self._polling:
            self._wake()

    def _work(self) -> None:
        try:
            while (term := self._lead()) is not None:
                try:
                    self._serve_while_leading(term)
                finally:  # also if this thread ends by an error
                    self._leave_lead(term)
        finally:
            with self._change:
                self._active -= 1

    def _serve_while_leading(self, term: _Term) -> None:
        while self._leads(term) and (channel := self._next()) is not None:
            term.busy_since = time.monotonic()
            if not self._is_short(channel.requests[0]):
                self._leave_lead(term)
            self._serve(channel)

    def _lead(self) -> _Term | None:
        """Take the lead: at once if it is free, and otherwise when it is offered, or when the one
        who leads has been busy for too long.
        """
        with self._change:
            offered = True
            while not self._stopping:
                if self._leader.is_overdue() or (offered and self._leader.is_free):
                    self._leader = _Term()
                    return self._leader
                self._active -= 1
                offered = self._change.wait(PATIENCE)
                self._active += 1
        return None

    def _leads(self, term: _Term) -> bool:
        """Whether this thread, which has no request now, leads still."""
        with self._change:
            term.busy_since = None
            term.is_free = False
            return self._leader is term and not self._stopping

    def _leave_lead(self, term: _Term) -> None:
        with self._change:
            term.is_free = True
            if self._leader is term and self._active < self.busy:
                self._change.notify()

    def _next(self) -> HTTPChannel | None:
        """Watch the sockets until there is a request to carry out."""
        while not self._stopping:
            for _ in range(len(self._waiting)):
                channel = self._waiting.popleft()
                if not channel.total_outbufs_len:
                    return channel
                self._waiting.append(channel)  # its client has to take the last answer first
            self._look()
        return None

    def _look(self) -> None:
        silence = time.monotonic() - self._looked
        if silence > SILENCE:
            # Nobody is cut off for being idle while nobody was listened to.
            for each in self._sockets.values():
                if isinstance(each, HTTPChannel):
                    each.last_activity += silence
        self._polling = True
        try:
            self._poll(self._timeout, self._sockets)
        finally:
            self._polling = False
            self._looked = time.monotonic()

    def _serve(self, channel: HTTPChannel) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            self._main_is_serving = True
        try:
            channel.service()
        except Exception:
            log.exception("A request was not carried out.")
        if is_main:
            self._main_is_serving = False
            if self._interrupted:
                raise KeyboardInterrupt

    def _interrupt(self, *_: Any) -> None:
        self._interrupted = True
        if not self._main_is_serving:
            raise KeyboardInterrupt
