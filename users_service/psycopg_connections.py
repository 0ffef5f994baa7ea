"""psycopg's connection, with waits in which its thread carries out other requests."""

import select
from typing import Any

import psycopg
from psycopg.waiting import Ready, Wait

from users_service import waits


class Connection(psycopg.Connection[Any]):
    """A connection that lets the thread go on with other requests while it waits for an answer."""

    # Not before it is set up: SQLAlchemy holds locks of threads until then.
    shares_thread = False

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Carry out what psycopg does on this connection, from wait to wait."""
        here = waits.current() if self.shares_thread and not options else None
        if here is None:
            return super().wait(gen, *arguments, **options)
        fd = self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(_ready(here.for_events(fd, _events(wanted))))
        except StopIteration as end:
            return end.value


def _events(wanted: Wait) -> int:
    reads = select.POLLIN if wanted & Wait.R else 0
    return reads | (select.POLLOUT if wanted & Wait.W else 0)


def _ready(events: int) -> int:
    """A connection that is lost is ready to be read: psycopg finds out by that."""
    ready = Ready.W if events & select.POLLOUT else 0
    return ready | (Ready.R if events & ~select.POLLOUT else 0)
