"""waitress, as this service uses it: made of the ini file's `[server:main]`, and started."""

import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from pyramid.settings import aslist
from waitress.server import BaseWSGIServer, create_server

from users_service.faults import end_in_words
from users_service.serving.arguments import DEFAULTS, check, flag, refuse, seconds
from users_service.serving.channel import Channel
from users_service.serving.dispatcher import Dispatcher
from users_service.serving.listening import accept_all, bind
from users_service.serving.memory import bound_heaps, freeze_garbage
from users_service.serving.stop import Stop, serve_until_stopped
from users_service.settings import check_values

# Seconds in which a client has to send a request, and to take an answer.
TRANSFER_TIMEOUT = "60"

# Where the application's settings are not known, because there is middleware around it.
THREADS = 10
DRAIN_DELAY = 5.0
STOP_TIMEOUT = 30.0


def make_server(global_config: dict[str, str], **options: str) -> Callable[[Any], None]:
    """Make what serves an application: the `paste.server_factory` of this package.

    The sockets are bound here, before `pserve` loads the application. Later, while it serves, it
    would end with status 0 on a SystemExit.

    :param global_config: what follows the ini file on the command line: `http_port=8080` moves the
        server, `cpu=1` keeps it on that core, and with `reuse_port=true` several processes serve on
        one port. (PasteDeploy lets a `[DEFAULT]` of the file win over the command line.)
    :param options: the keys of the ini file's `[server:main]`: waitress's own arguments, `cpu`,
        `reuse_port`, and `transfer_timeout`.
    :raises SystemExit: if an argument cannot be used, for the operator.
    """
    if "__file__" in global_config:
        with end_in_words():  # pserve would show the value of a key that cannot be read
            check_values(global_config["__file__"], global_config)
    arguments: dict[str, Any] = DEFAULTS | options
    transfer_timeout = seconds(
        "transfer_timeout", arguments.pop("transfer_timeout", TRANSFER_TIMEOUT)
    )
    cpu = arguments.pop("cpu", "")
    cores = stay_on_core(global_config.get("cpu", cpu))
    shared = arguments.pop("reuse_port", "")
    reuse_port = flag("reuse_port", global_config.get("reuse_port", shared))
    if "http_port" in global_config:
        for name in ("listen", "unix_socket"):
            if name in arguments:
                refuse(f"http_port on the command line moves port, but there is {name}")
        arguments["port"] = global_config["http_port"]
    made = check(arguments)
    host, port = arguments.pop("host", str(made.host)), arguments.pop("port", str(made.port))
    places = aslist(arguments.pop("listen", f"{host}:{port}"))
    arguments["sockets"] = bind(made, places, reuse_port=reuse_port)
    for name in ("ipv4", "ipv6", "unix_socket", "unix_socket_perms"):
        arguments.pop(name, None)
    return partial(serve, arguments=arguments, transfer_timeout=transfer_timeout, cores=cores)


def stay_on_core(cpu: str) -> frozenset[int]:
    """Keep this process on one core.

    Python computes in one thread at a time. On several cores its threads take the interpreter's
    lock from each other at every read from a socket: over 64 connections, a process served a tenth.

    :param cpu: the number of a core; `any` for all of them; empty for one that depends on the
        process id.
    :returns: the cores that the process could use before; empty if it is not kept on one.
    :raises SystemExit: if there is no such core, for the operator.
    """
    if cpu == "any" or not (cpu or hasattr(os, "sched_setaffinity")):
        return frozenset()
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("cpu: this system cannot keep a process on a core")
    cores = sorted(os.sched_getaffinity(0))
    if cpu and cpu not in map(str, cores):
        sys.exit(f"cpu = {cpu}: must be any, or one of the cores {', '.join(map(str, cores))}")
    os.sched_setaffinity(0, {int(cpu) if cpu else cores[os.getpid() % len(cores)]})
    return frozenset(cores)


def serve(
    app: Any,
    *,
    arguments: dict[str, Any],
    transfer_timeout: float,
    cores: frozenset[int] = frozenset(),
) -> None:
    """Serve an application until the process is told to stop, and its requests have ended.

    :param cores: those for threads that compute without the interpreter's lock. The application
        finds them as `cores` in its registry.
    """
    registry = getattr(app, "registry", {})  # it is not there behind some middleware
    registry["cores"] = cores
    settings = registry.get("settings")
    threads = int(arguments.get("threads", settings.pool_size if settings else THREADS))
    origins = settings.cors_origins if settings else frozenset()
    stop = Stop(settings.drain_delay if settings else DRAIN_DELAY)
    stop_timeout = settings.stop_timeout if settings else STOP_TIMEOUT
    quieten()
    bound_heaps()
    sockets: dict[int, Any] = {}
    dispatcher = Dispatcher(threads, arguments.get("url_prefix", ""))
    server = create_server(app, map=sockets, _dispatcher=dispatcher, **arguments)
    for each in list(sockets.values()):
        if isinstance(each, BaseWSGIServer):
            adapt(each, stop, transfer_timeout, origins)
    stop.heed_signals()
    server.print_listen("Serving on http://{}:{}")
    freeze_garbage()
    serve_until_stopped(sockets, stop, stop_timeout)


def adapt(
    server: BaseWSGIServer,
    stop: Stop,
    transfer_timeout: float,
    origins: frozenset[str] = frozenset(),
) -> None:
    """Let a server of waitress connect clients as this package does.

    :param origins: those whose pages may read its refusals.
    """
    server.channel_class = Channel
    server.handle_accept = partial(accept_all, server)
    server.stop = stop
    server.transfer_timeout = transfer_timeout
    server.cors_origins = origins


def quieten() -> None:
    """Let waitress not log each request that waits for a thread, if the ini file does not say."""
    log = logging.getLogger("waitress.queue")
    if log.level == logging.NOTSET:
        log.setLevel(logging.ERROR)
