"""The threads of a process: one at a time leads, and watches the sockets of waitress.

The leader carries out the requests as well, each in a greenlet (`waits.py`): while one waits for
the database it goes on with another, or looks at the sockets again. The others rest. One of them
takes the lead if a request is going to block its thread, or has kept it busy for long.
"""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

from users_service import waits
from users_service.waits import LONGEST_TURN, Waits

log = logging.getLogger("waitress")

# Seconds for which a leader may be busy with a request before another thread leads.
PATIENCE = 0.05
# Seconds without a look at the sockets that are not the clients' silence but the server's own.
SILENCE = 1.0
# Seconds that requests have to end in when the process is interrupted.
GRACE = 5.0


class _Term:
    """The time in which a thread leads, until another takes the lead.

    `busy_since` is when it went on with requests, if it does; if one blocks it, the lead `is_free`.
    """

    busy_since: float | None = None
    is_free = False

    def is_overdue(self) -> bool:
        since = self.busy_since
        return since is not None and time.monotonic() - since > PATIENCE


class Threads:
    """The threads that serve: a task dispatcher of waitress, and its main loop.

    :param count: how many.
    :param most: how many requests are carried out at once.
    """

    def __init__(self, count: int, most: int) -> None:
        self.most = most
        self._count = count
        self._waiting: deque[HTTPChannel] = deque()
        self.add_task = self._waiting.append
        self._begun: set[HTTPChannel] = set()
        self._change = threading.Condition()
        self._watching = threading.Lock()
        self._leader = _Term()
        self._leader.is_free = True
        self._stopping = False
        self._interrupted = False
        self._main_is_serving = False
        self._polling = False
        self._noticed = False
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
            own = waits.of_thread()
            while own.pending and time.monotonic() < end:
                own.resume(end - time.monotonic())
            for thread in others:
                thread.join(max(0, end - time.monotonic()))
            wasyncore.close_all(sockets)

    def notice(self) -> None:
        """Let the leader see that a connection has changed: also if it is about to watch them."""
        self._noticed = True
        if self._polling:
            self._wake()

    def _work(self) -> None:
        own = waits.of_thread()
        while (term := self._lead()) is not None:
            own.about_to_block = partial(self._leave_lead, term)
            try:
                self._serve_while_leading(term, own)
            finally:  # also if this thread ends by an error
                self._leave_lead(term)
            while own.pending:  # these can go on in no other thread
                self._go_on(term, partial(own.resume, PATIENCE))

    def _serve_while_leading(self, term: _Term, own: Waits) -> None:
        """Begin what waits, then let go on what has begun and can, and watch the sockets.

        To do the same thing for many requests in a row takes less than to change after each.
        """
        while self._leads(term):
            self._noticed = False
            went_on = False
            while self._go_on(term, partial(self._begin, own)):
                went_on = True
                if not self._leads(term):
                    return
                if self._turn_is_over():  # what has begun goes on, whatever comes
                    break
            went_on |= self._go_on(term, own.resume)
            if went_on and not self._turn_is_over():
                continue
            if self._leads(term):
                self._look(own, 0 if went_on else own.patience(self._timeout))

    def _turn_is_over(self) -> bool:
        return time.monotonic() - self._looked >= LONGEST_TURN

    def _lead(self) -> _Term | None:
        """Take the lead when it is free, or when the one who leads has been busy for too long. One
        thread watches for that; the others sleep.
        """
        with self._watching, self._change:
            while not self._stopping:
                if self._leader.is_free or self._leader.is_overdue():
                    self._leader = _Term()
                    return self._leader
                self._change.wait(PATIENCE)
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
            if self._leader is term:
                self._change.notify()

    def _go_on(self, term: _Term, work: Callable[[], bool]) -> bool:
        """Do some work on requests. An interrupt waits until it is done."""
        term.busy_since = time.monotonic()
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main:
            return work()
        self._main_is_serving = True
        try:
            return work()
        finally:
            self._main_is_serving = False
            if self._interrupted:
                raise KeyboardInterrupt

    def _begin(self, own: Waits) -> bool:
        """Begin the next request, if there is one and it may be begun."""
        if len(self._begun) < self.most:
            for _ in range(len(self._waiting)):
                channel = self._waiting.popleft()
                if not channel.total_outbufs_len:
                    self._begun.add(channel)
                    own.run(self._serve, channel)
                    return True
                self._waiting.append(channel)  # its client has to take the last answer first
        return False

    def _look(self, own: Waits, timeout: float) -> None:
        """Watch the sockets, and what the requests of this thread wait for."""
        silence = time.monotonic() - self._looked
        if silence > SILENCE:
            # Nobody is cut off for being idle while nobody was listened to.
            for each in self._sockets.values():
                if isinstance(each, HTTPChannel):
                    each.last_activity += silence
        self._polling = True
        if self._noticed:
            timeout = 0
        try:
            self._poll(timeout, self._sockets | own.waiting)
        finally:
            self._polling = False
            self._looked = time.monotonic()

    def _serve(self, channel: HTTPChannel) -> None:
        try:
            channel.service()
        except Exception:
            log.exception("A request was not carried out.")
        finally:
            self._begun.discard(channel)
            if self._waiting:
                self.notice()  # of what was one too many

    def _interrupt(self, *_: Any) -> None:
        self._interrupted = True
        if not self._main_is_serving:
            raise KeyboardInterrupt
