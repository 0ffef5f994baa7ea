"""How a process stops: nobody's request is lost, and nobody keeps it from stopping."""

import errno
import http.client
import select
import signal
import socket
import threading
import time
from contextlib import ExitStack, closing

import pytest
from waitress import wasyncore
from waitress.server import create_server

from tests.client import user
from tests.serving.processes import PATIENCE, wait_until
from users_service.serving.dispatcher import Dispatcher
from users_service.serving.listening import close, ignore_packets
from users_service.serving.server import adapt
from users_service.serving.stop import Stop

USERS = "/api/v1/users"
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def test_an_idle_process_ends_though_clients_are_connected(database):
    with database.running() as service, ExitStack() as stack:
        used, fresh = (stack.enter_context(service.connect()) for _ in range(2))
        used.sendall(GET)
        assert used.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE) == 0
        assert (used.recv(1), fresh.recv(1)) == (b"", b"")


def test_the_process_says_that_it_stops_and_serves_for_a_while(database):
    with database.running(drain_delay="1") as service:
        connection = http.client.HTTPConnection(*service.place, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", "/readyz")
            assert connection.getresponse().read() == b'{"status": "ok"}'
            told = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: service.request("GET", "/readyz")[0] == 503)
            connection.request("GET", USERS)  # over the connection that was there before
            response = connection.getresponse()
            assert (response.status, response.headers["Connection"]) == (200, "close")
        assert service.request("GET", "/livez")[0] == 200
        assert service.process.wait(PATIENCE) == 0
        assert 1 <= time.monotonic() - told < 4


def test_nobody_waits_for_a_drain_after_an_interrupt(database):
    with database.running(drain_delay="300") as service:
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("number", "method"), [(signal.SIGTERM, "PATCH"), (signal.SIGINT, "GET")])
def test_requests_that_have_begun_are_answered(database, number, method):
    with database.running() as service:
        id = service.first_id()
        name = f"{method} {number}"
        document = None if method == "GET" else user(id, name=name)
        with service.locked("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"):
            request = service.begin(method, f"{USERS}/{id}", document)
            service.wait_for_waiting(1)
            service.process.send_signal(number)
            refused(service.place)
        assert request.result()[0] == 200
        assert service.process.wait(PATIENCE) == 0
        with service.database() as connection:
            stored = connection.execute("SELECT name FROM users WHERE id = %s", [id]).fetchone()
        assert (stored == (name,)) == (method == "PATCH")


def refused(place: tuple[str, int]) -> None:
    """Return when nobody listens there any more."""

    def refuses() -> bool:
        try:
            socket.create_connection(place, timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refuses)


def test_a_request_that_is_half_sent_may_be_completed(database):
    with database.running() as service, service.connect() as connection:
        connection.sendall(GET[:10])
        wait_until(lambda: service.is_quick())
        service.process.send_signal(signal.SIGTERM)
        refused(service.place)
        connection.sendall(GET[10:])
        answer = connection.makefile("rb").read()  # to the end: the connection is closed
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in answer
        assert service.process.wait(PATIENCE) == 0


def test_a_request_that_does_not_end_is_cut_off(database):
    with database.running(stop_timeout="0.3") as service:
        id = service.first_id()
        with service.locked("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"):
            request = service.begin("GET", f"{USERS}/{id}")
            service.wait_for_waiting(1)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(PATIENCE) == 0
        with pytest.raises(ConnectionError):
            request.result()


def test_a_second_signal_ends_the_process_at_once(database):
    with database.running(drain_delay="300") as service:
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.request("GET", "/readyz")[0] == 503)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE) == -signal.SIGTERM


def test_a_socket_that_is_closed_loses_none_of_those_who_connect():
    sockets = {}
    server = create_server(
        lambda _environ, _start_response: [],
        map=sockets,
        listen="127.0.0.1:0",
        _dispatcher=Dispatcher(1),
    )
    adapt(server, Stop(0), 60)
    place = server.effective_host, int(server.effective_port)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(place))
        ignore_packets(server.socket)
        late = stack.enter_context(socket.socket())
        late.setblocking(False)
        late.connect_ex(place)
        assert select.select([], [late], [], 0.1) == ([], [], [])  # neither taken nor refused
        close(server)
        assert len(server.active_channels) == 5
        select.select([], [late], [], PATIENCE)
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
        wasyncore.close_all(sockets)


def test_a_rolling_restart_on_one_port_loses_no_request(database):
    """Clients connect anew for each request, and none of them tries again."""
    ended, statuses = threading.Event(), []

    def load(service) -> None:
        while not ended.is_set():
            statuses.append(service.request("GET", "/readyz")[0])

    with ExitStack() as stack:
        first = stack.enter_context(database.running("reuse_port=true"))
        port = f"http_port={first.place[1]}"
        clients = [first.pool.submit(load, first) for _ in range(4)]
        current = first
        for _ in range(2):
            replacement = stack.enter_context(
                database.running("reuse_port=true", port, drain_delay="0.2")
            )
            current.process.send_signal(signal.SIGTERM)
            assert current.process.wait(PATIENCE) == 0
            current = replacement
        ended.set()
        for client in clients:
            client.result()  # raises what the client met
    # The process that stops says so, and serves nevertheless.
    assert set(statuses) <= {200, 503}
    assert len(statuses) > 100
