"""A database that is far away: what is sent to it arrives later."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url


@contextmanager
def far(url: str, seconds: float) -> Iterator[str]:
    """Yield another URL of a PostgreSQL database, whose answers take this much longer."""
    near = make_url(url)
    host = str(near.query.get("host", near.host))
    port = int(str(near.query.get("port", near.port or 5432)))
    sockets: list[socket.socket] = []

    def connect() -> socket.socket:
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"{host}/.s.PGSQL.{port}")
        return made

    def pass_on(source: socket.socket, target: socket.socket, delay: float) -> None:
        try:
            while data := source.recv(1 << 16):
                time.sleep(delay)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # the other end is gone
            target.close()

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed in the end
                return
            server = connect()
            sockets.extend((client, server))
            for ends in ((client, server, seconds), (server, client, 0.0)):
                threading.Thread(target=pass_on, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        place = {"host": "127.0.0.1", "port": listener.getsockname()[1]}
        try:
            yield near.set(query={}, **place).render_as_string(hide_password=False)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for each in sockets:
                each.close()
