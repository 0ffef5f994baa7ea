"""A connection that the server has cut is replaced before a request uses it."""

import time
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from tests.client import USERS, user
from users_service.database import idle_connections

PATIENCE = 10
BACKEND = {"postgresql": "SELECT pg_backend_pid()", "mariadb": "SELECT connection_id()"}
PRESENT = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE pid = {}",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE id = {}",
}
CUT = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL CONNECTION {}"}

on_servers = pytest.mark.parametrize("running_service", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture
def idle(service, monkeypatch):
    """The numbers of idle connections in the pool of writes; none will be pinged."""
    monkeypatch.setattr(idle_connections, "IDLE_BEFORE_PING", 3600)
    service.engine.dispose()
    with ExitStack() as stack:
        connections = [stack.enter_context(service.engine.connect()) for _ in range(3)]
        return [connection.scalar(text(BACKEND[service.name])) for connection in connections]


def wait_until_gone(connection, service, number) -> None:
    end = time.monotonic() + PATIENCE
    while connection.scalar(text(PRESENT[service.name].format(number))):
        assert time.monotonic() < end
        time.sleep(0.005)


@on_servers
def test_each_connection_that_was_cut_is_replaced(service, client, idle):
    with service.app.registry["engines"]["reading"].connect() as other:
        for number in idle:
            other.execute(text(CUT[service.name].format(number)))
        for number in idle:
            wait_until_gone(other, service, number)
    answers = [client.post(USERS, user(email=f"{n}@example.com", name="Ada")) for n in range(3)]
    assert [answer.status_int for answer in answers] == [201] * 3


@on_servers
def test_one_that_was_cut_takes_the_idle_others_with_it(service, idle):
    with service.app.registry["engines"]["reading"].connect() as other:
        other.execute(text(CUT[service.name].format(idle[0])))
        wait_until_gone(other, service, idle[0])
    with ExitStack() as stack:
        connections = [stack.enter_context(service.engine.connect()) for _ in range(3)]
        now = {connection.scalar(text(BACKEND[service.name])) for connection in connections}
    assert idle[0] not in now


@on_servers
def test_connections_that_are_there_are_kept(service, idle):
    for _ in range(3):
        with service.engine.connect() as connection:
            assert connection.scalar(text(BACKEND[service.name])) in idle


@on_servers
def test_a_connection_that_was_idle_for_longer_than_the_server_allows(service, client, idle):
    if service.name == "postgresql":
        limit = "SET idle_session_timeout = 100"  # milliseconds
    else:
        limit = "SET SESSION wait_timeout = 1"  # seconds: the shortest
    with service.engine.connect() as connection:
        number = connection.scalar(text(BACKEND[service.name]))
        connection.execute(text(limit))
        connection.commit()
    with service.app.registry["engines"]["reading"].connect() as other:
        wait_until_gone(other, service, number)
    assert client.post(USERS, user(email="ada@example.com", name="Ada")).status_int == 201


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_message_on_an_idle_connection_is_not_taken_for_its_end(service, idle):
    with service.engine.connect() as connection:
        number = connection.scalar(text(BACKEND["postgresql"]))
        connection.execute(text("LISTEN something"))
        connection.commit()
        driver = connection.connection.dbapi_connection
    with service.engine.connect() as first, service.engine.connect() as other:
        # the one that listens is the one that was returned last
        assert first.scalar(text(BACKEND["postgresql"])) == number
        other.execute(text("NOTIFY something"))
        first.close()
        other.commit()
    end = time.monotonic() + PATIENCE
    while not idle_connections._has_news(driver):
        assert time.monotonic() < end
    with service.engine.connect() as connection, service.engine.connect() as second:
        assert number in {c.scalar(text(BACKEND["postgresql"])) for c in (connection, second)}
