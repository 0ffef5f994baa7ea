"""Transactions apart from that of a request: stored at once, or begun again, or as if never."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import DBAPIError

from users_service.database import changes, in_transaction, is_conflict
from users_service.models.tables import guards


@pytest.fixture
def engine(service, app_with):
    with service.engine.begin() as connection:
        connection.execute(insert(guards).values(name="kept"))
    return app_with(lock_timeout="0.1").registry["writing"]


def rename(connection, name="changed") -> None:
    connection.execute(update(guards).values(name=name))


def names(service) -> list[str]:
    with service.engine.connect() as connection:
        return list(connection.execute(select(guards.c.name)).scalars())


@contextmanager
def locked(service):
    """Hold the row; yield what lets it go again, unchanged."""
    with service.engine.connect() as connection:
        connection.execution_options(**changes(service.engine))
        rename(connection, "locked")
        yield connection.rollback


def test_what_is_done_is_stored_and_its_result_returned(service, engine):
    assert in_transaction(engine, lambda connection: rename(connection) or "done", 0) == "done"
    assert names(service) == ["changed"]


def test_what_raises_stores_nothing(service, engine):
    def fail(connection) -> None:
        rename(connection)
        raise LookupError

    with pytest.raises(LookupError):
        in_transaction(engine, fail, 10)
    assert names(service) == ["kept"]


def test_after_a_conflict_it_begins_again(service, engine):
    conflict = threading.Event()
    event.listen(engine, "handle_error", lambda _context: conflict.set())
    with ThreadPoolExecutor(1) as threads, locked(service) as let_go:
        done = threads.submit(in_transaction, engine, rename, 30)
        assert conflict.wait(30)
        let_go()
        done.result(30)
    assert names(service) == ["changed"]


def test_after_the_deadline_the_conflict_is_raised(service, engine):
    with locked(service), pytest.raises(DBAPIError) as raised:
        in_transaction(engine, rename, 0)
    assert is_conflict(raised.value)
    assert names(service) == ["kept"]
