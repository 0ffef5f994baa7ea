"""Which threads carry out which requests: those that wait never take the last ones."""

from typing import Any

from waitress.task import ThreadedTaskDispatcher

from users_service.health import LIVENESS

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# Threads for what never waits.
SPARE_THREADS = 2


class Dispatcher:
    """Three of waitress's dispatchers, each with threads and a queue of its own: for requests that
    change something, for those that read, and for those that never wait.

    :param threads: how many change something at once, and how many read.
    :param prefix: what the paths of all requests begin with (`url_prefix`).
    """

    def __init__(self, threads: int, prefix: str = "") -> None:
        prefix = prefix.strip("/")
        self._liveness = f"/{prefix}{LIVENESS}" if prefix else LIVENESS
        self._writes, self._reads, self._others = (ThreadedTaskDispatcher() for _ in range(3))
        self._writes.set_thread_count(threads)
        self._reads.set_thread_count(threads)
        self._others.set_thread_count(SPARE_THREADS)

    def add_task(self, channel: Any) -> None:
        """Let a thread carry out the next request of a connection."""
        if channel.hold():
            return
        request = channel.requests[0]
        if request.error or request.path == self._liveness:
            self._others.add_task(channel)
        elif request.command in SAFE_METHODS:
            self._reads.add_task(channel)
        else:
            self._writes.add_task(channel)
