"""The threads that hash passwords: so many at once, so many requests that wait, and no more."""

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import BoundedSemaphore
from typing import TypeVar

from users_service.jsonapi import Error, JSONAPIError

Result = TypeVar("Result")

# A hash takes a few hundredths of a second, and few wait.
RETRY_AFTER = {"Retry-After": "1"}


class Hashers:
    """Threads for what computes long without the interpreter's lock, as argon2 does.

    Without a bound, clients that sign in would leave no time for other requests. A request that
    waits sleeps until its result is there. The threads are started when they are first needed, and
    end with the process, after what waits.

    :param at_once: how many compute at once.
    :param waiting: how many requests wait for that.
    :param cores: returns the cores that the threads may use; empty for those of the process. A
        process that serves keeps to one core, on which a hash would take the time of requests.
    """

    def __init__(
        self, at_once: int, waiting: int, cores: Callable[[], Collection[int]] = tuple
    ) -> None:
        self._threads = ThreadPoolExecutor(
            at_once, thread_name_prefix="hasher", initializer=_use, initargs=(cores,)
        )
        self._places = BoundedSemaphore(at_once + waiting)

    def run(self, function: Callable[[], Result]) -> Result:
        """Return what a function returns, called in one of the threads.

        :raises JSONAPIError: 503 `busy`, at once, if no more may wait.
        """
        if not self._places.acquire(blocking=False):
            detail = "Too many passwords are checked at the moment; try again later."
            raise JSONAPIError(Error(code="busy", detail=detail), headers=RETRY_AFTER)
        try:
            return self._threads.submit(function).result()
        finally:
            self._places.release()


def _use(cores: Callable[[], Collection[int]]) -> None:
    """Let the current thread use further cores, if they are still there."""
    if found := cores():
        with suppress(OSError):
            os.sched_setaffinity(0, found)
