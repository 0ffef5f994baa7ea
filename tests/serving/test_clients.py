"""Clients that are slow, silent or wrong hold up nobody, and are cut off in the end."""

import http.client
import json
import resource
import socket
import time
from contextlib import ExitStack

import pytest

from tests.client import MEDIA_TYPE
from tests.serving.processes import PATIENCE, descriptors, peak_memory, wait_until

USERS = "/api/v1/users"
LIST = f"GET {USERS}?page[size]=1000 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = (
    f"POST {USERS} HTTP/1.1\r\nHost: x\r\nContent-Type: {MEDIA_TYPE}\r\n"
    "Content-Length: 1000\r\n\r\n{"
).encode()


def answer(connection: socket.socket) -> bytes:
    """Everything that the server sends until it closes the connection."""
    return connection.makefile("rb").read()


def is_well(service) -> bool:
    return service.is_quick() and service.is_quick(f"{USERS}?page[size]=1")


@pytest.mark.parametrize(("number", "sent"), [(200, HALF), (480, b""), (200, LIVEZ[:10])])
def test_clients_that_send_nothing_more(service, number, sent):
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(service.connect()).sendall(sent)
        assert is_well(service)


def test_lists_that_nobody_reads(service):
    with ExitStack() as stack:
        for _ in range(6):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(service.place)
            connection.sendall(40 * LIST)
        for _ in range(5):
            assert is_well(service)
        assert peak_memory(service.process) < 200


def test_requests_in_a_row_are_answered_in_order_to_a_client_that_reads_late(service):
    sizes = range(970, 1000)
    with service.connect() as connection:
        connection.sendall(b"".join(LIST.replace(b"1000", str(size).encode()) for size in sizes))
        assert is_well(service)
        stream = connection.makefile("rb")
        for size in sizes:
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = http.client.parse_headers(stream)
            document = json.loads(stream.read(int(headers["Content-Length"])))
            assert len(document["data"]) == size


def test_a_long_stream_to_a_client_that_does_not_read_holds_no_thread(service):
    request = b"GET /stream?megabytes=24 HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        connections = [stack.enter_context(service.connect()) for _ in range(12)]
        for connection in connections:
            connection.sendall(request)
        wait_until(lambda: all(connection.recv(1, socket.MSG_PEEK) for connection in connections))
        assert is_well(service)
        assert answer(connections[0]).count(b"x" * (1 << 20)) == 24


@pytest.fixture
def impatient(database):
    """A process that cuts clients off soon."""
    text = database.ini.read_text(encoding="utf-8")
    short = text.replace("[server:main]\n", "[server:main]\ntransfer_timeout = 1\n")
    short = short.replace("channel_timeout = 30", "channel_timeout = 1")
    database.ini.write_text(short.replace("cleanup_interval = 10", "cleanup_interval = 1"))
    try:
        with database.running(pool_size="1", pool_overflow="0") as service:
            yield service
    finally:
        database.ini.write_text(text)


def test_clients_that_take_too_long_are_cut_off(impatient):
    assert is_well(impatient)
    before = descriptors(impatient.process)
    with ExitStack() as stack:
        clients = []
        for sent in (b"", LIVEZ[:10], HALF, 40 * LIST, 10 * LIST):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(PATIENCE)
            connection.connect(impatient.place)
            connection.sendall(sent)
            clients.append(connection)
        _, _, half, _, slow = clients

        def send_and_read_bytes() -> None:
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                half.send(b" ")
                slow.recv(1)
                time.sleep(0.05)

        with pytest.raises(ConnectionError):
            send_and_read_bytes()
        wait_until(lambda: descriptors(impatient.process) <= before)
        assert is_well(impatient)


def test_urgent_data_closes_the_connection(service):
    with service.connect() as connection:
        connection.send(b"x", socket.MSG_OOB)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_more_than_1024_descriptors(database):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    text = database.ini.read_text(encoding="utf-8")
    database.ini.write_text(text.replace("connection_limit = 1000", "connection_limit = 2000"))
    try:
        with database.running() as service, ExitStack() as stack:
            for _ in range(1100):
                stack.enter_context(service.connect())
            wait_until(lambda: descriptors(service.process) > 1100)
            assert is_well(service)
    finally:
        database.ini.write_text(text)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    "request_line",
    [b"GET http://[::1/livez HTTP/1.1", b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000],
)
def test_a_request_that_waitress_cannot_parse_is_answered(service, request_line):
    with service.connect() as connection:
        connection.sendall(request_line + b"\r\nHost: x\r\n\r\n")
        head, _, body = answer(connection).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert json.loads(body)["errors"][0]["code"] == "bad_request"


def test_the_server_does_not_say_what_it_is(service):
    with service.connect() as connection:
        connection.sendall(LIVEZ.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        head = answer(connection).partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nserver:" not in head
    assert b"\r\nvia:" not in head


def test_forwarded_headers_are_not_believed_from_another_address(service):
    with socket.create_connection(
        service.place, timeout=PATIENCE, source_address=("127.0.0.2", 0)
    ) as connection:
        connection.sendall(
            f"GET {USERS}?page[size]=1 HTTP/1.1\r\nHost: x\r\n"
            "X-Forwarded-Host: there\r\nX-Forwarded-Proto: https\r\n"
            "Forwarded: host=there\r\nConnection: close\r\n\r\n".encode()
        )
        body = answer(connection).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["links"]["self"].startswith("http://x/")
