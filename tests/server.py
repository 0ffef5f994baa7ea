"""Real processes: pserve with an ini file, on a port of its own."""

import http.client
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from webob import Request

ROOT = Path(__file__).parent.parent


@contextmanager
def pserve(
    ini: Path,
    environ: dict[str, str],
    bin_folder: Path = Path(sys.executable).parent,
    options: tuple[str, ...] = ("http_port=0",),
) -> Iterator[str]:
    """Run `pserve` with an ini file until the block ends; yield the address it serves on."""
    with process(ini, environ, bin_folder, options) as (address, _):
        yield address


@contextmanager
def process(
    ini: Path,
    environ: dict[str, str],
    bin_folder: Path = Path(sys.executable).parent,
    options: tuple[str, ...] = ("http_port=0",),
    command: list[Any] | None = None,
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `pserve`; yield the address it serves on, and the process.

    The service announces the port that the system gave it (`http_port=0`).

    :param options: what follows the ini file on the command line.
    :param command: what comes before it, instead of `pserve`.
    """
    process = subprocess.Popen(
        [*(command or [bin_folder / "pserve"]), ini, *options],
        env=os.environ | {"USERS_SERVICE_DRAIN_DELAY": "0"} | environ,
        cwd=ini.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    reader = threading.Thread(target=process.stderr.read, daemon=True)
    said = []
    try:
        for line in process.stderr:  # ends if the process does
            said.append(line)
            if match := re.search(r"Serving on (http://\S+)", line):
                break
        else:
            raise AssertionError("pserve ended: " + "".join(said))
        # Else what it says later would fill the pipe, and keep it waiting.
        reader.start()
        yield match[1], process
    finally:
        process.terminate()
        process.wait(timeout=30)
        if reader.ident:
            reader.join()
        process.stderr.close()


def refused(ini: Path, environ: dict[str, str], *options: str) -> str:
    """Run `pserve` with an ini file that it has to refuse; return what it says."""
    process = subprocess.run(
        [Path(sys.executable).parent / "pserve", ini, "http_port=0", *options],
        env=os.environ | environ,
        cwd=ini.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 1
    return process.stderr


class Remote:
    """A process as a WSGI application, which passes requests on to it: for the clients of tests.

    :param address: where the process serves; it has to trust proxies of this machine.
    :param registry: of an application with the same routes.
    """

    def __init__(self, address: str, registry: Any) -> None:
        self._netloc = urlsplit(address).netloc
        self.registry = registry

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        request = Request(environ)
        headers = dict(request.headers)
        if request.remote_addr:
            headers["X-Forwarded-For"] = request.remote_addr
        with closing(http.client.HTTPConnection(self._netloc, timeout=300)) as connection:
            connection.request(request.method, request.path_qs, request.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        start_response(f"{answer.status} {answer.reason}", answer.getheaders())
        return [body]
