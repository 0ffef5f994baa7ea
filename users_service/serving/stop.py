"""How a process stops: it says so, goes on for a while, lets requests end, and goes."""

import logging
import signal
import time
from typing import Any

import hupper
from waitress import wasyncore
from waitress.server import BaseWSGIServer

from users_service.serving.channel import Channel, Drain
from users_service.serving.listening import close

log = logging.getLogger("waitress")

# Seconds of one look at the sockets, if nothing happens there.
LONGEST_LOOK = 0.2


class Stop:
    """Whether and when the process was told to stop.

    :param drain_delay: seconds after SIGTERM in which new clients are still served; those who send
        them find out meanwhile by `/readyz`. SIGINT, which is Ctrl-C, waits for nobody.
    """

    def __init__(self, drain_delay: float) -> None:
        self.asked = False
        self._drain_delay = drain_delay
        self._end = 0.0

    def heed_signals(self) -> None:
        signal.signal(signal.SIGINT, self._ask)
        if not hupper.is_active():  # `pserve --reload` waits for no more than a second
            signal.signal(signal.SIGTERM, self._ask)

    def has_come(self) -> bool:
        return self.asked and time.monotonic() >= self._end

    def _ask(self, number: int, _frame: Any) -> None:
        # Nothing in here may wait for a lock: the thread that it interrupts could hold it.
        delay = self._drain_delay if number == signal.SIGTERM else 0.0
        self._end = time.monotonic() + delay
        self.asked = True
        # A second signal ends the process at once.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def serve_until_stopped(sockets: dict[int, Any], stop: Stop, stop_timeout: float) -> None:
    """Watch the sockets until the process is to stop, and requests that have begun are answered.

    :param sockets: waitress's map of what listens and what is connected.
    :param stop_timeout: seconds that these requests have to end in.
    """
    while not stop.has_come():
        _look(sockets)
    for server in _of_kind(sockets, BaseWSGIServer):
        close(server)
    end = time.monotonic() + stop_timeout
    while (left := _close_idle(sockets)) and time.monotonic() < end:
        _look(sockets)
    if left:
        log.warning("%d connections were cut off: their requests did not end in time", left)


def _close_idle(sockets: dict[int, Any]) -> int:
    """Close the connections without a request; return how many others there are."""
    channels = _of_kind(sockets, Channel)
    idle = [channel for channel in channels if not channel.busy]
    for channel in idle:
        channel.handle_close()
    return len(channels) - len(idle) + len(_of_kind(sockets, Drain))


def _look(sockets: dict[int, Any]) -> None:
    wasyncore.loop(timeout=LONGEST_LOOK, use_poll=True, map=sockets, count=1)


def _of_kind(sockets: dict[int, Any], kind: type) -> list[Any]:
    return [each for each in sockets.values() if isinstance(each, kind)]
