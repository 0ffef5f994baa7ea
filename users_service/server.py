"""waitress, with answers that are JSON:API even where the application is never asked."""

import gc
import secrets
import socket
from functools import partial
from typing import Any

import orjson
from pyramid.settings import asbool
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask, Task, WSGITask

from users_service.jsonapi.documents.media import MEDIA_TYPE
from users_service.jsonapi.errors import Error, errors_document
from users_service.threads import Threads

# What waitress refuses by itself, by status.
REFUSALS = {
    400: Error(code="bad_request", detail="The request is no well-formed HTTP."),
    413: Error(code="body_too_large", detail="The body is larger than the server takes."),
    431: Error(code="headers_too_large", detail="The header fields are larger than allowed."),
    500: Error(code="internal_error", detail="The service failed."),
    501: Error(code="not_implemented", detail="Only the transfer coding chunked is supported."),
}

# A client that still sends its body when it is refused reads the answer only if the connection
# stays open meanwhile (RFC 9112 §9.6). This many bytes of it are read and thrown away.
MOST_DRAINED = 64 << 20

# Bytes of an answer that are kept until it is complete: most leave in one piece, head and body.
SEND_BYTES = 1 << 20

# Allocations, and collections of the younger generation, after which the garbage collector works.
GC_THRESHOLDS = (20_000, 50, 100)


class Complete(Task):  # type: ignore[misc]  # waitress is untyped
    """A task that sends what it has written before its connection takes another request."""

    def finish(self) -> None:
        super().finish()
        self.channel.send_rest()


class RequestTask(Complete, WSGITask):  # type: ignore[misc]
    """Lets the application answer a request."""


class DocumentErrorTask(Complete, ErrorTask):  # type: ignore[misc]
    """Answers a request that waitress refuses with an errors document."""

    def execute(self) -> None:
        error = REFUSALS.get(self.request.error.code, REFUSALS[400])
        request_id = secrets.token_hex(16)
        body = orjson.dumps(errors_document((error,), request_id))
        self.status = f"{self.request.error.code} {self.request.error.reason}"
        self.response_headers += [
            ("Content-Type", MEDIA_TYPE),
            ("Cache-Control", "no-store"),
            ("Vary", "Accept"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-ID", request_id),
        ]
        self.channel.drain_before_close = True
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that never waits for its client, and is closed in two steps after a refusal:
    first for writing, then wholly.
    """

    task_class = RequestTask
    error_task_class = DocumentErrorTask
    drain_before_close = False
    drained: int | None = None

    def send_rest(self) -> None:
        """Send what is complete, as far as the client takes it now."""
        if self.total_outbufs_len:
            with self.outbuf_lock:
                self._flush_exception(self._flush_some, do_close=False)

    def handle_write(self) -> None:
        # The last answer is sent also while the next request waits for its turn.
        if self.requests and self.total_outbufs_len:
            self._flush_exception(self._flush_some_if_lockable)
        super().handle_write()

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Keep what the client does not take yet: beyond a megabyte, waitress does so in a file."""

    def handle_read(self) -> None:
        if self.drained is None:
            super().handle_read()
            return
        try:
            self.drained += len(self.recv(self.adj.recv_bytes))
        except OSError:
            self.drained = MOST_DRAINED
        if self.drained >= MOST_DRAINED:
            self.handle_close()

    def handle_close(self) -> None:
        # Called again at the end of the client's data, or when channel_timeout has passed.
        if self.drain_before_close and self.drained is None and self.connected:
            self.drained = 0
            self.readable = lambda: True  # this one alone: all others are asked all the time
            self.will_close = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                super().handle_close()
        else:
            super().handle_close()


def accept_all(server: BaseWSGIServer) -> None:
    """Accept the connections that wait, as far as `connection_limit` allows: under load the
    sockets are looked at seldom.
    """
    while server.readable():
        connected = len(server.active_channels)
        BaseWSGIServer.handle_accept(server)
        if len(server.active_channels) == connected:
            return


def adapt(server: BaseWSGIServer, threads: Threads) -> None:
    """Let a server of waitress connect clients as this module does."""
    server.channel_class = Channel
    server.handle_accept = partial(accept_all, server)
    server.pull_trigger = threads.notice


def _shared_socket(arguments: dict[str, Any]) -> socket.socket:
    """Listen where the arguments say, and leave it to the system which process a client gets."""
    address = arguments.pop("host", "127.0.0.1"), int(arguments.pop("port", 8080))
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, reuse_port=True)


def threads_for(app: Any, count: int) -> Threads:
    """Make the threads that serve an application.

    :param count: how many. As many requests are carried out at once as connections to the database
        are kept open (to make one takes all of its thread), or as there are threads where that is
        not known.
    """
    settings = getattr(app, "registry", {}).get("settings")  # None behind some middleware
    return Threads(count, settings.pool_size if settings else count)


def serve(app: Any, global_config: dict[str, str], **options: str) -> None:
    """Serve until the process is told to stop: the `paste.server_runner` of this package.

    :param global_config: what follows the ini file on the command line: `http_port=8080` moves the
        server, and with `reuse_port=true` several processes serve on one port. (PasteDeploy lets
        a `[DEFAULT]` of the file win over the command line.)
    :param options: the keys of the ini file's `[server:main]`: waitress's own arguments.
    """
    arguments: dict[str, Any] = dict(options)
    if "http_port" in global_config:
        arguments["port"] = global_config["http_port"]
    if asbool(global_config.get("reuse_port")):
        arguments["sockets"] = [_shared_socket(arguments)]
    arguments.setdefault("send_bytes", SEND_BYTES)
    sockets: dict[int, Any] = {}
    threads = threads_for(app, int(arguments.get("threads", 4)))
    server = create_server(app, map=sockets, _dispatcher=threads, **arguments)
    listening = [each for each in sockets.values() if isinstance(each, BaseWSGIServer)]
    for each in listening:
        adapt(each, threads)
    server.print_listen("Serving on http://{}:{}")
    # What is there now stays. Requests leave few cycles behind, but a long list has so many objects
    # that the collector would look for some again and again while it is made.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    threads.run(sockets, server.adj, listening[0].trigger.pull_trigger)
