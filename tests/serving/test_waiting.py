"""Requests that wait, for a lock or for the database, leave the others going."""

import pytest

from tests.client import user
from tests.host import LOCK
from tests.serving.processes import wait_until
from users_service.settings import load

THREADS = load({"users_service.database_url": "sqlite:///x"}, {}).pool_size

USERS = "/api/v1/users"
ADVISORY = f"SELECT pg_advisory_xact_lock({LOCK})"


def test_requests_that_wait_for_a_row(service):
    id = service.first_id()
    with service.locked(f"SELECT * FROM users WHERE id = '{id}' FOR UPDATE"):
        names = [f"Name {number}" for number in range(30)]
        waiting = [service.begin("PATCH", f"{USERS}/{id}", user(id, name=name)) for name in names]
        service.wait_for_waiting(THREADS)
        assert service.is_quick("/livez")
        assert service.is_quick("/readyz")
        assert service.is_quick(f"{USERS}/{id}")
    assert {request.result()[0] for request in waiting} == {200}
    assert {r.result()[1]["data"]["attributes"]["name"] for r in waiting} == set(names)


def test_reads_that_wait_leave_writes_going(service):
    id = service.first_id()
    with service.locked(ADVISORY):
        waiting = [service.begin("GET", "/hold_lock") for _ in range(30)]
        service.wait_for_waiting(1)
        assert service.request("PATCH", f"{USERS}/{id}", user(id, name="Ada"))[0] == 200
        assert service.is_quick("/livez")
    assert [request.result() for request in waiting] == [(200, True)] * 30


def test_a_database_that_does_not_answer(fresh, freezer):
    with fresh.running(connect_timeout="2") as service:
        id = service.first_id()
        with freezer.frozen():
            reads = [service.begin("GET", f"{USERS}/{id}") for _ in range(30)]
            writes = [
                service.begin("PATCH", f"{USERS}/{id}", user(id, name="Ada")) for _ in range(30)
            ]
            for _ in range(5):
                assert service.is_quick("/livez")
        # Some could make no connection in time.
        assert {request.result()[0] for request in reads + writes} <= {200, 503}
        assert service.is_quick(f"{USERS}/{id}")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_view_that_holds_a_lock_over_a_statement(service, method):
    id = service.first_id()
    with service.locked(ADVISORY):
        waiting = [service.begin(method, "/hold_lock") for _ in range(THREADS)]
        service.wait_for_waiting(1)
        assert service.is_quick("/livez")
        other = ("PATCH", f"{USERS}/{id}", user(id, name="Ada"))
        if method == "POST":
            other = ("GET", f"{USERS}/{id}")
        assert service.request(*other)[0] == 200
    assert [request.result() for request in waiting] == [(200, True)] * THREADS


def test_a_view_that_takes_a_second_connection(service):
    with service.locked(ADVISORY):
        waiting = [service.begin("POST", "/take_second_connection") for _ in range(30)]
        service.wait_for_waiting(THREADS)
        assert service.is_quick("/readyz")
    assert [request.result() for request in waiting] == [(200, True)] * 30


def test_a_view_that_ends_its_thread(service):
    id = service.first_id()
    for _ in range(2 * THREADS):
        status, document = service.request("POST", "/leave")
        assert (status, document["errors"][0]["code"]) == (500, "internal_error")
    # Neither a thread, nor a connection, nor a lock is left behind.
    assert service.request("PATCH", f"{USERS}/{id}", user(id, name="Ada"))[0] == 200
    assert service.request("GET", f"{USERS}?filter[name]=Nobody")[1]["data"] == []


def test_a_request_that_is_tried_again_later(database):
    with database.running(lock_timeout="0.1", retry_deadline="20", pool_size="1") as service:
        id = service.first_id()
        with service.locked("LOCK TABLE users IN SHARE MODE"):
            request = service.begin("PATCH", f"{USERS}/{id}", user(id, name="Lovelace"))
            service.wait_for_waiting(1)
            assert service.is_quick(f"{USERS}/{id}")
        assert request.result()[0] == 200


def test_a_client_that_leaves_while_its_request_waits(service):
    id = service.first_id()
    with service.locked(f"SELECT * FROM users WHERE id = '{id}' FOR UPDATE"):
        with service.connect() as connection:
            connection.sendall(f"DELETE {USERS}/{id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            service.wait_for_waiting(1)
        assert service.is_quick("/livez")
    # What has begun is carried out.
    wait_until(lambda: service.request("GET", f"{USERS}/{id}")[0] == 404)
