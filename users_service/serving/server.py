"""waitress, as this service uses it: made of the ini file's `[server:main]`, and started."""

import gc
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from pyramid.settings import asbool
from waitress.server import BaseWSGIServer, create_server

from users_service.serving.channel import Channel
from users_service.serving.dispatcher import Dispatcher
from users_service.serving.listening import accept_all, shared_socket
from users_service.serving.stop import Stop, serve_until_stopped

# waitress's arguments where the ini file does not have them.
DEFAULTS = {
    "clear_untrusted_proxy_headers": "true",
    "ident": "",  # no Server header
    # No thread waits for a client. Answers are kept, beyond a megabyte in a file; the next request
    # of a connection waits until its client has taken them.
    "outbuf_high_watermark": str(1 << 40),
}
# Seconds in which a client has to send a request, and to take an answer.
TRANSFER_TIMEOUT = "60"

# Where the application's settings are not known, because there is middleware around it.
THREADS = 10
DRAIN_DELAY = 5.0
STOP_TIMEOUT = 30.0

# Allocations, and collections of the younger generation, after which the garbage collector works.
GC_THRESHOLDS = (20_000, 50, 100)


def make_server(global_config: dict[str, str], **options: str) -> Callable[[Any], None]:
    """Make what serves an application: the `paste.server_factory` of this package.

    :param global_config: what follows the ini file on the command line: `http_port=8080` moves the
        server, `cpu=1` keeps it on that core, and with `reuse_port=true` several processes serve on
        one port. (PasteDeploy lets a `[DEFAULT]` of the file win over the command line.)
    :param options: the keys of the ini file's `[server:main]`: waitress's own arguments, `cpu`, and
        `transfer_timeout`.
    :raises SystemExit: if `cpu` is no core of this machine, for the operator.
    """
    arguments: dict[str, Any] = DEFAULTS | options
    transfer_timeout = float(arguments.pop("transfer_timeout", TRANSFER_TIMEOUT))
    cpu = global_config.get("cpu", arguments.pop("cpu", ""))
    stay_on_core(cpu)
    if "http_port" in global_config:
        arguments["port"] = global_config["http_port"]
    if asbool(global_config.get("reuse_port")):
        host, port = arguments.pop("host", "127.0.0.1"), int(arguments.pop("port", 8080))
        arguments["sockets"] = [shared_socket(host, port)]
    return partial(serve, arguments=arguments, transfer_timeout=transfer_timeout)


def stay_on_core(cpu: str) -> None:
    """Keep this process on one core.

    Python computes in one thread at a time. On several cores its threads take the interpreter's
    lock from each other at every read from a socket: over 64 connections, a process served a tenth.

    :param cpu: the number of a core; `any` for all of them; empty for one that depends on the
        process id.
    :raises SystemExit: if there is no such core, for the operator.
    """
    if cpu == "any" or not (cpu or hasattr(os, "sched_setaffinity")):
        return
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("cpu: this system cannot keep a process on a core")
    cores = sorted(os.sched_getaffinity(0))
    if cpu and cpu not in map(str, cores):
        sys.exit(f"cpu = {cpu}: must be any, or one of the cores {', '.join(map(str, cores))}")
    os.sched_setaffinity(0, {int(cpu) if cpu else cores[os.getpid() % len(cores)]})


def serve(app: Any, *, arguments: dict[str, Any], transfer_timeout: float) -> None:
    """Serve an application until the process is told to stop, and its requests have ended."""
    settings = getattr(app, "registry", {}).get("settings")  # None behind some middleware
    threads = int(arguments.get("threads", settings.pool_size if settings else THREADS))
    stop = Stop(settings.drain_delay if settings else DRAIN_DELAY)
    stop_timeout = settings.stop_timeout if settings else STOP_TIMEOUT
    quieten()
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, _dispatcher=Dispatcher(threads), **arguments)
    for each in list(sockets.values()):
        if isinstance(each, BaseWSGIServer):
            adapt(each, stop, transfer_timeout)
    stop.heed_signals()
    server.print_listen("Serving on http://{}:{}")
    # What is there now stays. Requests leave few cycles behind, but a long list has so many objects
    # that the collector would look for some again and again while it is made.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    serve_until_stopped(sockets, stop, stop_timeout)


def adapt(server: BaseWSGIServer, stop: Stop, transfer_timeout: float) -> None:
    """Let a server of waitress connect clients as this package does."""
    server.channel_class = Channel
    server.handle_accept = partial(accept_all, server)
    server.stop = stop
    server.transfer_timeout = transfer_timeout


def quieten() -> None:
    """Let waitress not log each request that waits for a thread, if the ini file does not say."""
    log = logging.getLogger("waitress.queue")
    if log.level == logging.NOTSET:
        log.setLevel(logging.ERROR)
