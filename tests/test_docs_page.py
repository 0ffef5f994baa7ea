"""The page of the API's description: over HTTP, and in a browser as its readers see it."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests import browser
from tests.client import API
from tests.engines import on_one_engine
from tests.server import ROOT, pserve
from users_service.database.migrations import upgrade

DOCS = f"{API}/docs"
PREFIX = "/some/prefix"


def linked(html: str) -> list[str]:
    """The URLs in a page."""
    return re.findall(r'(?:src|href)="([^"]*)"', html)


def loaded(html: str) -> list[str]:
    """The paths of what the page loads."""
    return [urljoin(DOCS, url) for url in linked(html) if re.search(r"\.(js|css)$", url)]


@on_one_engine
def test_the_page_is_html_that_nobody_can_put_a_script_into(client):
    page = client.get(DOCS, headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "<title>users_service API</title>" in page.text
    assert re.findall(r"<script(?! src=)|<style|\son\w+=", page.text) == []


@on_one_engine
def test_the_page_refers_to_nothing_by_an_absolute_url(client):
    urls = linked(client.get(DOCS).text)
    assert "openapi.json" in urls  # for readers without JavaScript
    assert [url for url in urls if url.startswith("/") or urlsplit(url).netloc] == []


@on_one_engine
def test_what_the_page_loads_is_served_and_kept_for_a_while(client):
    paths = loaded(client.get(DOCS).text)
    assert len(paths) == 4
    for path in paths:
        file = client.get(path, headers={"Accept": "*/*"})
        kind = "javascript" if path.endswith(".js") else "css"
        assert file.headers["Content-Type"] == f"text/{kind}; charset=utf-8"
        assert re.fullmatch(r"public, max-age=\d+", file.headers["Cache-Control"])
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert client.request("HEAD", path).headers["ETag"] == file.headers["ETag"]


@on_one_engine
def test_what_a_browser_has_is_not_sent_again(client):
    for path in [DOCS, *loaded(client.get(DOCS).text)]:
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_int == 304
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


@on_one_engine
@pytest.mark.parametrize(
    "name",
    ["nothing.js", "docs.html", "swagger_bundle.js", "redoc.js", "..%2Fdocs.py", "%00", "", "a/b"],
)
def test_other_names_are_not_found(client, name):
    assert client.get(f"{DOCS}/{name}").status_int == 404


@on_one_engine
@pytest.mark.parametrize("path", [DOCS, f"{DOCS}/page.js"])
def test_the_page_has_no_other_methods(client, path):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = client.request(method, path)
        assert refused.status_int == 405
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.request("OPTIONS", path).headers["Allow"] == "GET, HEAD, OPTIONS"


@on_one_engine
def test_the_page_is_described_as_well(client):
    paths = client.get(f"{API}/openapi.json").json["paths"]
    assert paths[DOCS].keys() == {"get"}
    assert paths[f"{DOCS}/{{name}}"].keys() == {"get"}


def test_the_package_of_swagger_ui_is_not_imported():
    code = "import sys, users_service.docs; print('offapi' in sys.modules)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Run the service as development.ini has it, with more arguments for waitress."""
    with ExitStack() as stack:

        @cache
        def start(**arguments: str) -> str:
            folder = tmp_path_factory.mktemp("docs")
            ini = Path(shutil.copy(ROOT / "development.ini", folder))
            lines = "".join(f"\n{name} = {value}" for name, value in arguments.items())
            ini.write_text(ini.read_text().replace("[server:main]", f"[server:main]{lines}"))
            upgrade(str(ini))
            return stack.enter_context(pserve(ini, {}))

        yield start


@pytest.fixture(scope="module")
def address(serve) -> str:
    return serve()


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as running:
        yield running


@pytest.fixture
def no_users(address):
    """An empty list of users: examples can be created once."""
    with urllib.request.urlopen(f"{address}{API}/users") as response:
        users = json.load(response)["data"]
    for found in users:
        url = found["links"]["self"]
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()


def wait(driver, condition):
    return WebDriverWait(driver, 30).until(lambda _: condition())


def open_page(driver, address: str) -> None:
    driver.get("about:blank")
    browser.complaints(driver)  # those of the page before
    browser.requests(driver)
    driver.get(f"{address}{DOCS}")
    wait(driver, lambda: driver.find_elements(By.CSS_SELECTOR, ".opblock"))


def open_operation(driver, name: str) -> WebElement:
    """Open an operation, by the last part of its fragment; return all that belongs to it."""
    block = driver.find_element(By.ID, f"operations-{name}")
    block.find_element(By.CSS_SELECTOR, ".opblock-summary-control").click()
    wait(driver, lambda: block.find_elements(By.CSS_SELECTOR, ".btn.execute"))
    return block


def parameter(block: WebElement, name: str, tag: str = "input") -> WebElement:
    return block.find_element(By.CSS_SELECTOR, f'tr[data-param-name="{name}"] {tag}')


def execute(driver, block: WebElement) -> tuple[str, str]:
    """Send the request; return the status and the body of the answer, as the page shows them."""
    block.find_element(By.CSS_SELECTOR, ".btn.execute").click()
    shown = ".live-responses-table .response"
    (answer,) = wait(driver, lambda: block.find_elements(By.CSS_SELECTOR, shown))
    status = answer.find_element(By.CSS_SELECTOR, ".response-col_status").text
    bodies = answer.find_elements(By.CSS_SELECTOR, ".highlight-code code")
    return status, bodies[0].get_property("textContent") if bodies else ""


def check_what_passed(driver, address: str) -> list[str]:
    """The console is quiet, and all requests went to the service; return their paths."""
    assert browser.complaints(driver) == []
    urls = browser.requests(driver)
    assert [url for url in urls if not url.startswith(f"{address}{API}")] == []
    return [url.removeprefix(address) for url in urls]


@pytest.mark.browser
def test_a_user_is_created_found_and_deleted_on_the_page(chromium, address, no_users):
    open_page(chromium, address)
    assert chromium.title == "users_service API"
    status, body = execute(chromium, open_operation(chromium, "users-users_create"))
    assert status == "201"
    created = json.loads(body)["data"]

    search = open_operation(chromium, "users-users_list")
    parameter(search, "filter[email]").send_keys(created["attributes"]["email"])
    paths = Select(parameter(search, "include", "select"))
    paths.select_by_value("role")
    paths.select_by_value("groups.members")
    status, body = execute(chromium, search)
    assert status == "200"
    assert [user["id"] for user in json.loads(body)["data"]] == [created["id"]]

    deletion = open_operation(chromium, "users-users_delete")
    parameter(deletion, "id").send_keys(created["id"])
    assert execute(chromium, deletion) == ("204", "")

    sent = check_what_passed(chromium, address)
    assert sent[0] == DOCS
    assert {f"{API}/openapi.json", f"{DOCS}/swagger-ui.js"} <= set(sent)
    path, _, query = sent[-2].partition("?")
    assert path == sent[-3] == f"{API}/users"
    assert {"include=role,groups.members", "filter%5Bemail%5D=ada%40example.com"} <= set(
        query.split("&")
    )
    assert sent[-1] == f"{API}/users/{created['id']}"


@pytest.mark.browser
def test_atomic_operations_are_performed_on_the_page(chromium, address, no_users):
    open_page(chromium, address)
    status, body = execute(chromium, open_operation(chromium, "service-operations"))
    assert status == "200"
    (result,) = json.loads(body)["atomic:results"]
    assert result["data"]["attributes"]["email"] == "ada@example.com"
    check_what_passed(chromium, address)


@pytest.mark.browser
@pytest.mark.parametrize("arguments", [{}, {"url_prefix": PREFIX}], ids=["unknown", "known"])
def test_the_page_works_behind_a_prefix(chromium, serve, arguments):
    with browser.proxy(serve(**arguments), PREFIX) as address:
        open_page(chromium, address)
        status, body = execute(chromium, open_operation(chromium, "groups-groups_create"))
        assert status == "201"
        own = json.loads(body)["data"]["links"]["self"]
        assert own.startswith(f"{address}{API}/groups/") == bool(arguments)
        assert check_what_passed(chromium, address)[-1] == f"{API}/groups"


@pytest.mark.browser
def test_the_page_fits_on_a_phone(chromium, address):
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        open_page(chromium, address)
        open_operation(chromium, "users-users_create")
        assert chromium.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
