"""waitress in one thread: requests are carried out where the sockets are watched.

With a thread for the sockets and one for the requests, the two hand the interpreter's lock to each
other several times in a request, which costs more than watching the sockets does.
"""

import logging
import signal
import time
from collections import deque
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

log = logging.getLogger("waitress")

# Seconds without a look at the sockets that count as the server's own silence.
LONG = 1.0


class OneThread:
    """Carries out requests between two looks at the sockets: a task dispatcher of waitress."""

    def __init__(self) -> None:
        self.waiting: deque[HTTPChannel] = deque()
        self.add_task = self.waiting.append
        self._serving = False
        self._interrupted = False

    def set_thread_count(self, count: int) -> None:
        """waitress's own would start threads here."""

    def shutdown(self, *_: Any) -> None:
        """waitress's own would wait for its threads here."""

    def run(self, sockets: dict[int, Any], adjustments: Any) -> None:
        """Serve until the process is interrupted. A request that has begun is finished first.

        :param sockets: waitress's map of what listens and what is connected.
        :param adjustments: waitress's settings.
        """
        poll = wasyncore.poll2 if adjustments.asyncore_use_poll else wasyncore.poll
        timeout = adjustments.asyncore_loop_timeout
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            while sockets:
                ready = any(not channel.total_outbufs_len for channel in self.waiting)
                poll(0 if ready else timeout, sockets)
                if self.waiting:
                    self._serve(sockets)
        except (SystemExit, KeyboardInterrupt):
            wasyncore.close_all(sockets)

    def _serve(self, sockets: dict[int, Any]) -> None:
        """Carry out the next request of each connection that has one."""
        began = time.monotonic()
        for _ in range(len(self.waiting)):
            channel = self.waiting.popleft()
            if channel.total_outbufs_len:  # its client has to take the last answer first
                self.waiting.append(channel)
                continue
            self._serving = True
            try:
                channel.service()
            except Exception:
                log.exception("A request was not carried out.")
            self._serving = False
            if self._interrupted:
                raise KeyboardInterrupt
            if (silent := time.monotonic() - began) > LONG:
                # Nobody is cut off for being idle while nobody was listened to.
                for each in sockets.values():
                    if isinstance(each, HTTPChannel):
                        each.last_activity += silent
                return

    def _interrupt(self, *_: Any) -> None:
        if not self._serving:
            raise KeyboardInterrupt
        self._interrupted = True


class OneThreadChannel(HTTPChannel):  # type: ignore[misc]  # waitress is untyped
    """A connection that never waits for another thread to send what it has written."""

    def service(self) -> None:
        super().service()
        if self.total_outbufs_len:
            self._flush_exception(self._flush_some, do_close=False)

    def handle_write(self) -> None:
        # While sockets are watched no request is writing: all that there is can be sent.
        if self.total_outbufs_len:
            self._flush_exception(self._flush_some)
        super().handle_write()

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Keep what the client does not take yet: beyond a megabyte, waitress does so in a file."""
