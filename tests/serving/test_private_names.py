"""What is used of waitress beyond its documentation, as docs/architecture.md lists it: each test
fails on an upgrade that takes it away.
"""

import socket
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher, WSGITask

from users_service.serving.channel import Channel
from users_service.serving.parser import Parser
from users_service.serving.server import adapt
from users_service.serving.stop import Stop
from users_service.serving.tasks import RequestTask

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


class Recorder:
    """A dispatcher that keeps what it is given."""

    def __init__(self) -> None:
        self.tasks = []
        self.add_task = self.tasks.append


@pytest.fixture
def serving():
    """A server without threads, what it gives to its dispatcher, and a look at its sockets."""
    sockets, recorder = {}, Recorder()
    server = create_server(answer, map=sockets, listen="127.0.0.1:0", _dispatcher=recorder)
    adapt(server, Stop(0), 60)

    def look() -> None:
        wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)

    yield server, recorder.tasks, look
    wasyncore.close_all(sockets)


def answer(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def connect(server) -> socket.socket:
    return socket.create_connection((server.effective_host, int(server.effective_port)), 5)


def test_arguments_become_addresses():
    made = Adjustments(listen="127.0.0.1:0 127.0.0.2:0", ipv6="false")
    assert [address for *_, address in made.listen] == [("127.0.0.1", 0), ("127.0.0.2", 0)]
    assert (made.unix_socket, made.unix_socket_perms, made.ipv6) == (None, 0o600, False)


def test_create_server_takes_a_map_and_a_dispatcher_and_makes_channels(serving):
    server, tasks, look = serving
    with connect(server) as client:
        client.sendall(LIVEZ)
        look()
        look()
        (channel,) = tasks
        assert type(channel) is Channel
        assert list(server.active_channels.values()) == [channel]
        assert (channel.requests[0].path, channel.requests[0].command) == ("/livez", "GET")
        assert channel.requests[0].error is None


def test_a_channel_knows_its_requests_and_what_it_has_not_sent(serving):
    server, tasks, look = serving
    with connect(server) as client:
        client.sendall(LIVEZ + LIVEZ + LIVEZ[:10])
        look()
        assert not next(iter(server.active_channels.values())).requests
        look()
        channel = tasks.pop()
        assert (len(channel.requests), channel.request.completed) == (2, False)
        assert channel.last_activity >= channel.creation_time
        channel.sendbuf_len, channel.send = 1, lambda _data, do_close: 0  # the client takes nothing
        channel.service()
        assert channel.total_outbufs_len > 0
        assert tasks.pop() is channel  # the next request
        assert channel.hold()
        del channel.send
        look()  # the thread had waked up the main one
        look()
        assert channel.total_outbufs_len == 0
        assert tasks == [channel]  # and now it is its turn
        channel.service()
        assert client.recv(1 << 16).count(b"HTTP/1.1 200 OK\r\n") == 2


def test_urgent_data_is_told_to_the_channel(serving):
    server, _, look = serving
    with connect(server) as client:
        look()
        client.send(b"x", socket.MSG_OOB)
        look()
        assert server.active_channels == {}


def test_waitress_drops_a_connection_for_what_our_parser_refuses():
    request = b"GET http://[::1/livez HTTP/1.1\r\n\r\n"
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        HTTPRequestParser(Adjustments()).received(request)
    parser = Parser(Adjustments())
    parser.received(request)
    assert (parser.completed, parser.error.code, parser.error.reason) == (True, 400, "Bad Request")


def test_a_parser_tells_the_parts_of_a_target_and_how_the_body_is_sent():
    parser = HTTPRequestParser(Adjustments())
    parser.received(
        b"GET HTTP://h:1/a%2Fb?c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert parser.request_uri == "HTTP://h:1/a%2Fb?c"
    assert (parser.proxy_scheme, parser.proxy_netloc, parser.path) == ("http", "h:1", "/a/b")
    assert (parser.url_scheme, parser.version) == ("http", "1.1")
    assert (parser.chunked, parser.expect_continue) == (True, True)


def test_a_body_in_chunks_may_be_read_piece_by_piece():
    parser = HTTPRequestParser(Adjustments())
    parser.received(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    receiver = ChunkedReceiver(parser.body_rcv.buf)
    seen = []
    for piece in (b"2;a", b"\r\n", b"{", b"}", b"\r", b"\n", b"0\r\n", b"\r\n"):
        assert receiver.received(piece) == len(piece)
        seen.append(
            (
                receiver.control_line,
                receiver.chunk_remainder,
                receiver.validate_chunk_end,
                receiver.chunk_end,
                receiver.all_chunks_received,
            )
        )
    assert seen == [
        (b"2;a", 0, False, b"", False),
        (b"", 2, False, b"", False),
        (b"", 1, False, b"", False),
        (b"", 0, True, b"", False),
        (b"", 0, True, b"\r", False),
        (b"", 0, False, b"", False),
        (b"", 0, False, b"", True),
        (b"", 0, False, b"", True),
    ]
    assert (receiver.completed, receiver.error) == (True, None)


def test_waitress_takes_sizes_of_chunks_that_our_parser_refuses():
    request = b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for chunks in (b"0\n\r\n\r\n", b"\r\n0\r\n\r\n"):
        for kind, is_refused in ((HTTPRequestParser, False), (Parser, True)):
            parser = kind(Adjustments())
            parser.received(request)
            parser.received(chunks)
            assert (parser.completed, parser.error is not None) == (True, is_refused)


@pytest.mark.parametrize("connection", ["", "close", "keep-alive"])
@pytest.mark.parametrize("length", [None, "0", "2", "3"])
@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_a_task_sends_what_waitress_would_send(connection, length, status):
    def application(environ, start_response):
        start_response(status, [("Content-Length", length)] if length else [])
        return [b"ok"] if length != "0" else []

    def sent(kind: type) -> list[bytes]:
        pieces = []
        parser = HTTPRequestParser(Adjustments())
        parser.received(f"GET / HTTP/1.1\r\nConnection: {connection}\r\n\r\n".encode())
        server = SimpleNamespace(
            adj=Adjustments(ident=""),
            application=application,
            stop=Stop(0),
            effective_port=80,
            server_name="x",
        )
        channel = SimpleNamespace(
            server=server,
            adj=server.adj,
            addr=("127.0.0.1", 1),
            requests=[parser],
            write_soon=pieces.append,
            check_client_disconnected=lambda: False,
        )
        task = kind(channel, parser)
        task.logger = SimpleNamespace(warning=lambda *_: None)
        task.start = lambda: None  # which takes the time
        task.service()
        return [*pieces, str(task.close_on_finish).encode()]

    theirs, ours = sent(WSGITask), sent(RequestTask)
    assert b"".join(ours) == b"".join(theirs)
    if (status, length) == ("200 OK", "2"):
        assert len(ours) == len(theirs) - 1  # head and body in one piece


def test_a_dispatcher_of_waitress_carries_out_what_it_is_given():
    near, far = socket.socketpair()
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(1)
    with closing(near), closing(far):
        far.settimeout(5)
        dispatcher.add_task(SimpleNamespace(service=lambda: near.sendall(b"done")))
        assert far.recv(10) == b"done"
    dispatcher.shutdown()


def test_an_application_that_ends_its_thread_is_answered_for():
    def leave(environ, start_response):
        sys.exit("done")

    sockets, recorder = {}, Recorder()
    server = create_server(leave, map=sockets, listen="127.0.0.1:0", _dispatcher=recorder)
    adapt(server, Stop(0), 60)
    with connect(server) as client:
        client.sendall(LIVEZ)
        for _ in range(2):
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
        recorder.tasks.pop().service()
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    wasyncore.close_all(sockets)
