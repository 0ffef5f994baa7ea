"""Requests that wait while their thread carries out others: each is carried out in a greenlet.

Threads for that would hand the interpreter's lock to each other at every wait, which costs more
than most waits take. What waits in a way of its own says that it is about to block, so that
another thread serves the others.
"""

import heapq
import select
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from greenlet import getcurrent, greenlet
from pyramid.threadlocal import manager

# Seconds for which requests go on before their thread looks around.
LONGEST_TURN = 0.01

_thread = threading.local()


class _Waiting:
    """A greenlet that waits for a file descriptor, in waitress's map of those that are watched."""

    accepting = False
    found = 0

    def __init__(self, events: int) -> None:
        self.greenlet = getcurrent()
        self._events = events

    def readable(self) -> bool:
        return bool(self._events & select.POLLIN)

    def writable(self) -> bool:
        return bool(self._events & select.POLLOUT)

    def handle_read_event(self) -> None:
        """A look has found it ready: the next `Waits.resume` finds it as well."""

    handle_write_event = handle_expt_event = handle_close = handle_read_event


class Waits:
    """The greenlets of one thread, and what they wait for.

    :ivar waiting: those that wait for a file descriptor, by that.
    :ivar about_to_block: what is done when one of them is going to keep the whole thread waiting.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, _Waiting] = {}
        self.about_to_block: Callable[[], None] = lambda: None
        self._hub = getcurrent()
        self._poll = select.poll()
        self._asleep: list[tuple[float, int, greenlet]] = []
        self._number = count()
        self._free: list[greenlet] = []

    @property
    def pending(self) -> bool:
        """Whether any greenlet waits."""
        return bool(self.waiting or self._asleep)

    @property
    def in_greenlet(self) -> bool:
        return getcurrent() is not self._hub

    def run(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Carry out a function in a greenlet, until it ends or waits."""
        worker = self._free.pop() if self._free else greenlet(self._work)
        worker.switch(function, arguments)

    def for_events(self, fd: int, events: int) -> int:
        """Let the greenlet that calls this wait until a file descriptor is ready.

        :param events: of `select.poll`.
        :returns: those that came, or what is wrong with the descriptor (POLLERR, POLLHUP).
        """
        self.waiting[fd] = waiting = _Waiting(events)
        self._poll.register(fd, events)
        self._leave()
        return waiting.found

    def sleep(self, seconds: float) -> None:
        """Let the greenlet that calls this wait for some time."""
        due = time.monotonic() + seconds
        heapq.heappush(self._asleep, (due, next(self._number), getcurrent()))
        self._leave()

    def patience(self, seconds: float) -> float:
        """Return the seconds until the next greenlet wakes up, if these are fewer."""
        if not self._asleep:
            return seconds
        return max(0.0, min(seconds, self._asleep[0][0] - time.monotonic()))

    def resume(self, seconds: float = 0.0) -> bool:
        """Let those go on that have waited enough, each until it ends or waits again; for
        `LONGEST_TURN`, if they are many.

        :param seconds: how long to wait for the first of them.
        :returns: whether there were any.
        """
        resumed = False
        if self.waiting or seconds:
            found = self._poll.poll(self.patience(seconds) * 1000)
            end = time.monotonic() + LONGEST_TURN
            for fd, events in found:
                self._poll.unregister(fd)
                waiting = self.waiting.pop(fd)
                waiting.found = events
                waiting.greenlet.switch()
                resumed = True
                if time.monotonic() > end:
                    break
        while self._asleep and self._asleep[0][0] <= time.monotonic():
            _, _, sleeper = heapq.heappop(self._asleep)
            sleeper.switch()
            resumed = True
        return resumed

    def _work(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        # One greenlet after the other would cost each request a stack that the system has to map.
        while True:
            manager.stack = []
            function(*arguments)
            self._free.append(getcurrent())
            function, arguments = self._hub.switch()

    def _leave(self) -> None:
        # Pyramid keeps the current request for each thread, and here a thread has several.
        stack = manager.stack
        self._hub.switch()
        manager.stack = stack


def of_thread() -> Waits:
    """Return the waits of this thread, whose own greenlet makes them."""
    if not hasattr(_thread, "waits"):
        _thread.waits = Waits()
    waits: Waits = _thread.waits
    return waits


def current() -> Waits | None:
    """Return the waits of this thread if this is one of its greenlets, which may wait there."""
    waits: Waits | None = getattr(_thread, "waits", None)
    return waits if waits is not None and waits.in_greenlet else None


def sleep(seconds: float) -> None:
    """Wait for some time, and hold up no other request."""
    if waits := current():
        waits.sleep(seconds)
    else:
        time.sleep(seconds)


def about_to_block() -> None:
    """Say that the whole thread is going to wait, or to compute for long: until the request ends,
    another one serves the others.
    """
    if waits := current():
        waits.about_to_block()
