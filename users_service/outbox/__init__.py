"""Mail that is sent soon and surely: rows that requests store, and a worker that sends them.

A request puts a row into the outbox in its own transaction: mail is sent if and only if that is
committed. The worker claims a row, has a letter made of it, and commits what the letter tells of
before it is sent. A claim ends by itself, so that a worker that is killed loses nothing; a letter
is sent twice only if the worker is killed after the server has taken it and before that is stored.
"""

from users_service.outbox.rows import Claimed, drop, purge_done, put
from users_service.outbox.smtp import Letter, ServerAwayError
from users_service.outbox.worker import Worker

__all__ = ["Claimed", "Letter", "ServerAwayError", "Worker", "drop", "purge_done", "put"]
