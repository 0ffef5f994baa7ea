"""The page of the UI in a browser: its policy lets it run, behind a prefix too."""

import json
import shutil
import urllib.request
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser
from tests.client import API, MEDIA_TYPE
from tests.server import ROOT, pserve
from users_service.database.migrations import upgrade

pytestmark = pytest.mark.browser

PREFIX = "/some/prefix"


@pytest.fixture(scope="module", params=["", PREFIX])
def address(request, tmp_path_factory):
    """The address of the service, which knows the prefix that a proxy takes away."""
    ini = Path(shutil.copy(ROOT / "development.ini", tmp_path_factory.mktemp("ui")))
    known = f"[server:main]\nurl_prefix = {request.param}" if request.param else "[server:main]"
    ini.write_text(ini.read_text().replace("[server:main]", known))
    upgrade(str(ini))
    with pserve(ini, {}) as served:
        if not request.param:
            yield served
            return
        with browser.proxy(served, request.param) as proxied:
            yield proxied


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as running:
        yield running


@pytest.mark.parametrize("path", ["", "users/new?a=b.c"])
def test_the_page_runs_and_nothing_is_blocked(chromium, address, path):
    chromium.get("about:blank")
    browser.complaints(chromium)  # those of the page before
    browser.requests(chromium)
    chromium.get(f"{address}/ui/{path}")
    WebDriverWait(chromium, 30).until(lambda _: chromium.find_elements(By.TAG_NAME, "main"))
    assert browser.complaints(chromium) == []
    urls = browser.requests(chromium)
    assert urls[0] == f"{address}/ui/{path}"
    assert [url for url in urls if not url.startswith(f"{address}/")] == []
    assert [url for url in urls if url.endswith("/app.js")]


def test_no_text_becomes_an_element(chromium, address):
    chromium.get(f"{address}/ui/")
    put = "document.body.innerHTML = '<p>'"
    say = f"try {{ {put} }} catch (error) {{ return error.name }}"
    assert chromium.execute_script(say) == "TypeError"


def test_browsers_are_led_to_the_page(chromium, address):
    chromium.get(f"{address}/")
    assert chromium.current_url == f"{address}/ui/"
    chromium.get(f"{address}/ui")
    assert chromium.current_url == f"{address}/ui/"


def create(address: str, name: str) -> None:
    attributes = {"name": name, "email": f"{len(name)}.{ord(name[0])}.{ord(name[-1])}@example.com"}
    document = json.dumps({"data": {"type": "users", "attributes": attributes}}).encode()
    headers = {"Content-Type": MEDIA_TYPE}
    with urllib.request.urlopen(Request(f"{address}{API}/users", document, headers)) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("address", [""], indirect=True)
def test_short_texts_are_searched_at_the_beginning_of_names(chromium, address):
    for name in ("Lia", "liam", "LIZ", "Lärche", "Julia", "Zoë", "李伟"):
        create(address, name)
    found = {}
    for text in ("l", "li", "lä", "z", "李", "uli"):
        chromium.get(f"{address}/ui/users?sort=name&q={quote(text)}")
        WebDriverWait(chromium, 30).until(
            lambda _: chromium.find_elements(By.CSS_SELECTOR, ".rows:not([aria-busy]) tbody tr")
        )
        cells = chromium.find_elements(By.CSS_SELECTOR, ".rows tbody tr a")
        found[text] = [cell.text for cell in cells if "@" not in cell.text]
    assert found == {
        "l": ["LIZ", "Lia", "Lärche", "liam"],
        "li": ["LIZ", "Lia", "liam"],
        "lä": ["Lärche"],
        "z": ["Zoë"],
        "李": ["李伟"],
        "uli": ["Julia"],
    }
