"""nginx as docs/deploying.md has it: a shield from slow clients, and restarts without loss."""

import getpass
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from contextlib import ExitStack, closing, contextmanager
from uuid import uuid4

import pytest

from tests.client import MEDIA_TYPE, user
from tests.server import ROOT
from tests.serving.processes import PATIENCE, Service, exchange, free_port, refuses, wait_until
from tests.serving.test_clients import HALF, LIST, LIVEZ, USERS, is_well

NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx was not found")

# How many requests are sent while processes are restarted.
REQUESTS = int(os.environ.get("RESTART_REQUESTS", "1000"))

# What Debian's nginx.conf has around it, with everything in one folder.
AROUND = """\
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


@contextmanager
def nginx(folder, ports: list[int], *other: tuple[str, str]):
    """Run nginx in front of processes on these ports; yield its own.

    :param other: what else is replaced in its configuration, and by what.
    """
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    (site,) = re.findall(r"^```nginx\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    own = free_port()
    for old, new in (
        ("127.0.0.1:6540", f"127.0.0.1:{ports[0]}"),
        ("127.0.0.1:6541", f"127.0.0.1:{ports[1]}"),
        ("listen 80;", f"listen 127.0.0.1:{own};"),
        *other,
    ):
        assert old in site
        site = site.replace(old, new)
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, site=site, user=getpass.getuser()))
    process = subprocess.Popen([NGINX, "-e", folder / "error.log", "-c", configuration])
    try:
        wait_until(lambda: not refuses(own))
        yield own
    finally:
        process.send_signal(signal.SIGQUIT)
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def site(database, tmp_path_factory):
    """Two processes and nginx: the service as clients see it through nginx, and its processes."""
    with ExitStack() as stack:
        both = [
            stack.enter_context(database.running(drain_delay="5", pool_size="2")) for _ in range(2)
        ]
        folder = tmp_path_factory.mktemp("nginx")
        port = stack.enter_context(nginx(folder, [service.place[1] for service in both]))
        seen = Service(database.ini, database.environ, str(database.url))
        seen.address = f"http://127.0.0.1:{port}"
        yield seen, both
        for service in both:
            service.process.send_signal(signal.SIGINT)


def test_what_nginx_says_of_a_client_counts(site):
    port = site[0].place[1]
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "x"}
    response, document = exchange(port, "GET", USERS, **lies)
    assert document["links"]["self"] == f"http://127.0.0.1:{port}{USERS}"
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])
    named, _ = exchange(port, "GET", USERS, **{"X-Request-ID": "mine"})
    assert named.headers["X-Request-ID"] == "mine"


def test_what_nginx_refuses_is_an_errors_document(site):
    document = user(email="a@example.com", name="x" * (3 << 20))
    response, said = exchange(site[0].place[1], "POST", USERS, document)
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert (response.status, said["errors"][0]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("number", "sent"), [(200, HALF), (300, b""), (200, LIVEZ[:10]), (6, 40 * LIST)]
)
def test_slow_clients(site, number, sent):
    seen, both = site
    with ExitStack() as stack:
        for _ in range(number):
            other = "127.0.0.2", 0  # nginx takes few connections from one address
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.bind(other)
            connection.connect(seen.place)
            connection.sendall(sent)
        for service in (seen, *both):
            assert is_well(service)


def test_a_rolling_restart_loses_no_request(database, tmp_path):
    """Requests of all kinds over connections that are kept; those that fail are not sent again."""
    number = itertools.count(1)
    failures, started = [], []

    def load(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        headers = {"Content-Type": MEDIA_TYPE}
        with closing(connection):
            while (n := next(number)) <= REQUESTS or not restarted.is_set():
                document = user(email=f"{uuid4().hex}@example.com", name="Ada")
                if n % 2:
                    connection.request("GET", f"{USERS}?page[size]=1")
                else:
                    connection.request("POST", USERS, json.dumps(document), headers)
                response = connection.getresponse()
                response.read()
                if response.status not in (200, 201):
                    failures.append(response.status)

    restarted = threading.Event()
    settings = {"drain_delay": "1.5", "pool_size": "2"}
    sooner = "keepalive_timeout 4s;", "keepalive_timeout 1s;"
    with ExitStack() as stack:
        both = [stack.enter_context(database.running(**settings)) for _ in range(2)]
        ports = [service.place[1] for service in both]
        port = stack.enter_context(nginx(tmp_path, ports, sooner))
        clients = [both[0].pool.submit(load, port) for _ in range(4)]
        for old in both:
            old.process.send_signal(signal.SIGTERM)
            assert old.process.wait(PATIENCE) == 0
            new = stack.enter_context(database.running(f"http_port={old.place[1]}", **settings))
            started.append(new)
            wait_until(lambda new=new: new.request("GET", "/readyz")[0] == 200)
        restarted.set()
        for client in clients:
            client.result()  # raises what the client met
        for new in started:
            new.process.send_signal(signal.SIGINT)
    assert failures == []
    assert next(number) > REQUESTS
