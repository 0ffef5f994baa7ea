"""The real server: who watches the sockets while requests are carried out, and how many are."""

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from tests import engines
from tests.client import MEDIA_TYPE, user
from tests.host import LOCK
from tests.server import ROOT, process
from users_service.cli.seeding import seed
from users_service.database.migrations import upgrade
from users_service.server import threads_for

THREADS = (1, 2, 4)
# Requests that are carried out at once: more than there are threads, and fewer than connections.
SEVERAL = 6
# Longer than the service waits for a lock; no test that holds takes this long.
PATIENCE = 20


class Service:
    """A process with its database, for tests that hold its requests up."""

    def __init__(self, address: str, pserve, url: str) -> None:
        self.netloc = urlsplit(address).netloc
        self.process = pserve
        self.url = make_url(url)
        self.pool = ThreadPoolExecutor(8)

    def connect(self) -> psycopg.Connection:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def request(
        self, method: str, path: str, document=None, prefix: str = "/api/v1"
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.netloc, timeout=PATIENCE)
        body = None if document is None else json.dumps(document)
        headers = {} if document is None else {"Content-Type": MEDIA_TYPE}
        connection.request(method, f"{prefix}{path}", body, headers)
        response = connection.getresponse()
        try:
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def begin(self, *arguments) -> Future:
        return self.pool.submit(self.request, *arguments)

    def lives(self, timeout: float) -> bool:
        connection = http.client.HTTPConnection(self.netloc, timeout=timeout)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except TimeoutError:
            return False
        finally:
            connection.close()

    @contextmanager
    def locked(self, how: str = "LOCK TABLE users IN ACCESS EXCLUSIVE MODE") -> Iterator[None]:
        """Let every statement about users wait until the block ends, or others."""
        with self.connect() as connection, connection.transaction():
            connection.execute(how)
            yield

    def wait_for_waiting(self, number: int) -> None:
        """Return when so many statements wait for a lock."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        end = time.monotonic() + PATIENCE
        with self.connect() as connection:
            while connection.execute(waiting).fetchone()[0] != number:
                assert time.monotonic() < end


@pytest.fixture
def service_with(tmp_path):
    """Start the service of production.ini with a number of threads, and some users."""

    @contextmanager
    def start(threads: int, users: int = 5, **settings: str) -> Iterator[Service]:
        text = (ROOT / "production.ini").read_text(encoding="utf-8")
        for old, new in (
            ("threads = 4", f"threads = {threads}"),
            ("[app:main]\nuse = egg:users_service", "[app:main]\nuse = call:tests.host:main"),
        ):
            assert f"\n{old}\n" in text
            text = text.replace(old, new)
        ini = tmp_path / "production.ini"
        ini.write_text(text, encoding="utf-8")
        with engines.database("postgresql", f"test_{uuid4().hex}", tmp_path) as url:
            environ = {
                "PYTHONPATH": str(ROOT),
                "USERS_SERVICE_DATABASE_URL": url,
                "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "*",
                "USERS_SERVICE_LOCK_TIMEOUT": str(PATIENCE),
            } | {f"USERS_SERVICE_{name.upper()}": value for name, value in settings.items()}
            with pytest.MonkeyPatch.context() as patch:
                for name, value in environ.items():
                    patch.setenv(name, value)
                upgrade(str(ini))
            engine = create_engine(url)
            seed(engine, users=users, groups=1, seed=1)
            engine.dispose()
            with process(ini, environ) as (address, pserve):
                yield Service(address, pserve, url)

    return start


def first_id(service: Service) -> str:
    return service.request("GET", "/users?page[size]=1")[1]["data"][0]["id"]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("path", ["/users", "/users?include=role"])
def test_requests_that_wait_do_not_hold_up_the_others(service_with, threads, path):
    with service_with(threads) as service:
        with service.locked():
            waiting = [service.begin("GET", path) for _ in range(SEVERAL)]
            service.wait_for_waiting(SEVERAL)
            assert service.lives(PATIENCE / 4)
        assert [request.result()[0] for request in waiting] == [200] * SEVERAL


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("threads", THREADS)
def test_more_requests_than_connections_are_all_answered(service_with, threads, most):
    with service_with(threads, pool_size=str(most)) as service:
        id = first_id(service)
        with service.locked():
            reads = [service.begin("GET", f"/users/{id}") for _ in range(5)]
            names = [f"Name {number}" for number in range(3)]
            writes = [service.begin("PATCH", f"/users/{id}", user(id, name=n)) for n in names]
            service.wait_for_waiting(most)
        assert {request.result()[0] for request in reads + writes} == {200}
        found = {request.result()[1]["data"]["attributes"]["name"] for request in writes}
        assert found == set(names)


def test_one_that_tries_again_later_does_not_hold_up_the_others(service_with):
    with service_with(1, lock_timeout="0.1", retry_deadline=str(PATIENCE)) as service:
        id = first_id(service)
        with service.locked():
            request = service.begin("PATCH", f"/users/{id}", user(id, name="Lovelace"))
            service.wait_for_waiting(1)
            assert service.lives(PATIENCE / 4)
        assert request.result()[0] == 200


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PATCH", 503)])
def test_a_connection_may_be_lost_while_a_request_waits(service_with, method, status):
    with service_with(1) as service:
        id = first_id(service)
        document = None if method == "GET" else user(id, name="Lovelace")
        with service.locked():
            request = service.begin(method, f"/users/{id}", document)
            service.wait_for_waiting(1)
            with service.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
            service.wait_for_waiting(1 if method == "GET" else 0)
            assert service.lives(PATIENCE / 4)
        assert request.result()[0] == status


@pytest.mark.parametrize("threads", THREADS)
def test_each_request_keeps_what_is_its_own(service_with, threads):
    with service_with(threads) as service:
        with service.locked(f"SELECT pg_advisory_xact_lock({LOCK})"):
            reads = [service.begin("GET", "/share_lock", None, "") for _ in range(3)]
            names = [f"Role {number}" for number in range(3)]
            writes = [
                service.begin("POST", f"/store_role?name={n}".replace(" ", "%20"), None, "")
                for n in names
            ]
            service.wait_for_waiting(6)
        assert [request.result() for request in reads] == [(200, True)] * 3
        assert [request.result()[0] for request in writes] == [200] * 3
        with service.connect() as connection:
            stored = connection.execute("SELECT name FROM roles WHERE name LIKE 'Role %'")
            assert {name for (name,) in stored} == set(names)


@pytest.mark.parametrize("path", ["/block?said=1", "/block?"])
def test_one_that_blocks_its_thread_holds_up_the_others_for_a_moment(service_with, path):
    with service_with(3) as service, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with service.locked():
            waiting = service.begin("GET", "/users")
            service.wait_for_waiting(1)
            blocking = [service.begin("GET", f"{path}&port={port}", None, "") for _ in range(2)]
            blocked = [listener.accept()[0] for _ in range(2)]
            assert service.lives(PATIENCE / 4)
        assert service.request("GET", "/users")[0] == 200
        for connection in blocked:
            connection.sendall(b"done")
            connection.close()
        assert [request.result() for request in blocking] == [(200, "done")] * 2
        assert waiting.result()[0] == 200


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_interrupted_process_ends_with_the_requests_that_have_begun(
    service_with, threads, method
):
    with service_with(threads) as service:
        id = first_id(service)
        document = None if method == "GET" else user(id, name="Lovelace")
        with service.locked():
            request = service.begin(method, f"/users/{id}", document)
            service.wait_for_waiting(1)
            service.process.send_signal(signal.SIGINT)
        assert request.result()[0] == 200
        assert service.process.wait(PATIENCE) == 0
        with service.connect() as connection:
            (name,) = connection.execute("SELECT name FROM users WHERE id = %s", [id]).fetchone()
        assert (name == "Lovelace") == (method == "PATCH")


@pytest.mark.parametrize("threads", THREADS)
def test_an_idle_process_ends_when_it_is_interrupted(service_with, threads):
    with service_with(threads) as service:
        assert service.lives(PATIENCE)
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("threads", THREADS)
def test_requests_in_a_row_are_answered_in_order_to_a_client_that_reads_late(service_with, threads):
    number = 30
    with service_with(threads, users=1000) as service:
        host, port = service.netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(
                b"".join(
                    f"GET /api/v1/users?page[size]={size} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                    for size in range(1000 - number, 1000)
                )
            )
            assert service.lives(PATIENCE)  # nobody waits for who does not read
            stream = connection.makefile("rb")
            for size in range(1000 - number, 1000):
                assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
                headers = http.client.parse_headers(stream)
                document = json.loads(stream.read(int(headers["Content-Length"])))
                assert len(document["data"]) == size


def answers_so_far(connection: socket.socket) -> int:
    try:
        return connection.recv(1 << 20, socket.MSG_DONTWAIT).count(b"HTTP/1.1 200")
    except BlockingIOError:
        return 0


def test_requests_that_wait_go_on_while_others_keep_coming(service_with):
    number = 200  # which come in one piece
    others = number * b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with service_with(1) as service, ExitStack() as stack:
        id = first_id(service)
        host, port = service.netloc.split(":")
        connections = [
            stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(16)
        ]
        with service.locked():
            request = service.begin("GET", f"/users/{id}")
            service.wait_for_waiting(1)
            for connection in connections:
                connection.sendall(others)
        assert request.result()[0] == 200
        assert max(answers_so_far(connection) for connection in connections) < number


@pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
def test_as_many_requests_are_carried_out_at_once_as_connections_are_kept_open(app_with):
    assert threads_for(app_with(pool_size="3"), 2).most == 3
    behind_filter = app_with().__call__  # which has no registry
    assert threads_for(behind_filter, 2).most == 2


def test_a_client_that_leaves_while_its_request_waits_harms_nobody(service_with):
    with service_with(2) as service:
        id = first_id(service)
        with service.locked():
            host, port = service.netloc.split(":")
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                connection.sendall(f"GET /api/v1/users/{id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                service.wait_for_waiting(1)
            assert service.lives(PATIENCE / 4)
        assert service.request("GET", f"/users/{id}")[0] == 200
