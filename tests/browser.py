"""A browser without a screen, and a reverse proxy to put between it and the service."""

import http.client
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

# Status, headers and body.
Answer = tuple[int, list[tuple[str, str]], bytes]

# About one connection (RFC 9110 §7.6.1), or said by the proxy itself.
OF_ONE_HOP = {"connection", "date", "keep-alive", "server", "transfer-encoding"}


@contextmanager
def chromium() -> Iterator[WebDriver]:
    """Run Chromium, which reaches this machine alone, until the block ends."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    assert None not in programs, "chromium and chromedriver are needed"
    options = webdriver.ChromeOptions()
    options.binary_location, driver = programs
    options.add_argument("--headless=new")
    rules = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    options.add_argument(f"--host-resolver-rules={rules}")
    options.add_argument("--no-proxy-server")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--window-size=1280,1000")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield running
    finally:
        running.quit()


def complaints(browser: WebDriver) -> list[str]:
    """The errors in the console since the last call; what a policy has blocked is one."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def events(browser: WebDriver) -> list[dict[str, Any]]:
    """What the browser has told of since the last call, in terms of the DevTools protocol."""
    return [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]


def requests(browser: WebDriver) -> list[str]:
    """The URLs that were asked for since the last call, whether or not there was an answer."""
    return requested(events(browser))


def answers(browser: WebDriver) -> list[tuple[str, str, int]]:
    """The method, URL and status of each request since the last call that the network answered,
    whether or not the page may read the answer."""
    return answered(events(browser))


def requested(told: list[dict[str, Any]]) -> list[str]:
    """The URLs of all requests in what the browser has told."""
    sent = [each["params"] for each in told if each["method"] == "Network.requestWillBeSent"]
    urls = [each["request"]["url"] for each in sent]
    return [url for url in urls if not url.startswith("data:")]


def answered(told: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """The method, URL and status of each answered request in what the browser has told."""
    sent, statuses = {}, {}
    for event in told:
        values = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            sent[values["requestId"]] = values["request"]
        elif event["method"] == "Network.responseReceivedExtraInfo":  # may come first
            statuses[values["requestId"]] = values["statusCode"]
    return [
        (request["method"], request["url"], statuses[id])
        for id, request in sent.items()
        if id in statuses
    ]


def fair(_method: str, _path: str, pass_on: Callable[[], Answer]) -> Answer:
    return pass_on()


@contextmanager
def proxy(
    address: str,
    prefix: str,
    instead: Mapping[str, bytes] = MappingProxyType({}),
    weather: Callable[[str, str, Callable[[], Answer]], Answer | None] = fair,
) -> Iterator[str]:
    """Serve a service below a prefix, which it does not see; yield the address with the prefix.

    :param instead: JSON texts that are sent in place of the service's, by the ends of paths.
    :param weather: gets the method and the path of each request, and what passes it on; returns
        the answer, or None to cut the connection.
    """

    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            for end, sent in instead.items():
                if self.path.endswith(end):
                    self.answer(200, [("Content-Type", "application/json")], sent)
                    return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = weather(self.command, self.path, lambda: self.of_the_service(body))
            if answer is None:
                self.close_connection = True
            else:
                self.answer(*answer)

        def of_the_service(self, body: bytes) -> Answer:
            service = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in OF_ONE_HOP}
            service.request(self.command, self.path.removeprefix(prefix), body or None, headers)
            response = service.getresponse()
            answer = response.read()
            service.close()
            return response.status, response.getheaders(), answer

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in OF_ONE_HOP:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = pass_on  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Handler) as port:
        yield f"http://127.0.0.1:{port}{prefix}"


@contextmanager
def page() -> Iterator[int]:
    """Serve an empty page of somebody else; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>Elsewhere</title>")

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Handler) as port:
        yield port


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on this machine until the block ends; yield the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
