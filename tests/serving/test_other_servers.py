"""The application under other WSGI servers."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.client import user
from tests.serving.processes import PATIENCE, exchange, free_port, refuses, wait_until

COMMANDS = {
    "granian": "--interface wsgi --host 127.0.0.1 --port {port} --blocking-threads 4",
    "gunicorn": "--bind 127.0.0.1:{port} --worker-class gthread --threads 4 --no-control-socket",
}
MODULE = """\
from pyramid.paster import get_app

application = get_app("production.ini")
"""


@pytest.mark.parametrize("server", COMMANDS)
def test_a_round_of_requests(database, server):
    folder = database.ini.parent
    (folder / "wsgi.py").write_text(MODULE)
    port = free_port()
    program = Path(sys.executable).with_name(server)
    process = subprocess.Popen(
        [program, *COMMANDS[server].format(port=port).split(), "wsgi:application"],
        cwd=folder,
        env=os.environ | database.environ,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: process.poll() is not None or not refuses(port))
        assert exchange(port, "GET", "/readyz")[1] == {"status": "ok"}
        document = user(email=f"{uuid4().hex}@example.com", name="Ada")
        created, shown = exchange(port, "POST", "/api/v1/users", document)
        assert created.status == 201
        path = f"/api/v1/users/{shown['data']['id']}"
        changed, _ = exchange(port, "PATCH", path, user(shown["data"]["id"], name="Lovelace"))
        assert changed.status == 200
        _, shown = exchange(port, "GET", path)
        assert shown["data"]["attributes"]["name"] == "Lovelace"
        again, shown = exchange(port, "POST", "/api/v1/users", document)
        assert (again.status, shown["errors"][0]["code"]) == (409, "already_taken")
        for host in ("evil.example", "user@127.0.0.1"):
            refused, shown = exchange(port, "GET", path, Host=host)
            assert (refused.status, shown["errors"][0]["code"]) == (400, "invalid_host")
        divided, _ = exchange(port, "GET", path.replace("/users/", "/users%2F"))
        assert divided.status == (404 if server == "gunicorn" else 200)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
