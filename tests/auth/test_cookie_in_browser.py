"""The cookie in a browser: scripts of the own origin use it unseen, and pages of others cannot."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from tests import browser
from tests.auth.world import PASSWORD, World
from tests.client import API, MEDIA_TYPE, USERS
from tests.engines import on_one_engine
from tests.server import ROOT, pserve
from users_service.auth import new_token
from users_service.models.base import Base

pytestmark = [pytest.mark.browser, on_one_engine]

TOKENS = f"{API}/tokens"
OPERATIONS = f"{API}/operations"
OURS = {"X-Requested-With": "users_service"}
ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'
PLAIN, FORM = "text/plain", "application/x-www-form-urlencoded"

FETCH = """
    const [url, options, done] = arguments;
    fetch(url, {credentials: "include", ...options}).then(
        async answer => done([answer.status, await answer.text()]),
        fault => done([fault.name, ""]),
    );
"""

# Sends a form to a frame; what the page can read of the answer is the result.
SUBMIT = """
    const [url, type, name, value, done] = arguments;
    const frame = document.createElement("iframe");
    frame.name = "answer";
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, {action: url, method: "post", enctype: type, target: "answer"});
    const input = document.createElement("input");
    Object.assign(input, {name, value});
    form.append(input);
    document.body.append(form);
    frame.onload = () => {
        const answer = frame.contentDocument;
        frame.remove();
        form.remove();
        done(answer && answer.body.textContent);
    };
    form.submit();
"""


@pytest.fixture(scope="module")
def running_chromium():
    with browser.chromium() as running:
        yield running


@pytest.fixture
def chromium(running_chromium):
    """Chromium without cookies."""
    yield running_chromium
    running_chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})


@pytest.fixture
def address(world):
    environ = {"USERS_SERVICE_DATABASE_URL": world.service.url}
    with pserve(ROOT / "production.ini", environ) as found:
        yield found


def send(driver, method: str, url: str, document=None, **options: Any) -> tuple[Any, str]:
    """Send a request as the page that is open.

    :returns: the status and the text of the answer, or the name of the error; 0 if there was an
        answer that the page may not read.
    """
    body = {} if document is None else {"body": json.dumps(document)}
    return tuple(driver.execute_async_script(FETCH, url, {"method": method, **body, **options}))


def sign_in(driver, address: str) -> None:
    """Sign in as the administrator, on a page of the service."""
    driver.get(f"{address}{API}/docs")
    attributes = {"email": "administrator@example.com", "password": PASSWORD}
    attributes["transport"] = "cookie"
    document = {"data": {"type": "tokens", "attributes": attributes}}
    headers = {"Content-Type": MEDIA_TYPE} | OURS
    status, text = send(driver, "POST", TOKENS, document, headers=headers)
    assert status == 201, text
    assert "ust_" not in text


def entry(driver, headers: dict[str, str]) -> dict:
    """What the service says of whom the page is."""
    status, text = send(driver, "GET", API, headers=headers)
    assert status == 200, text
    return json.loads(text)["meta"]


def test_scripts_of_the_own_origin_use_the_cookie_and_do_not_see_it(chromium, address, world):
    sign_in(chromium, address)
    (cookie,) = chromium.get_cookies()
    assert (cookie["name"], cookie["sameSite"]) == ("users_service", "Strict")
    assert (cookie["httpOnly"], cookie["secure"]) == (True, False)
    assert chromium.execute_script("return document.cookie") == ""
    chromium.refresh()
    signed_in = entry(chromium, OURS)
    assert signed_in["caller"] == world.ref("users", "administrator")
    assert entry(chromium, {})["caller"] is None
    token = f"{TOKENS}/{signed_in['token']['id']}"
    assert send(chromium, "DELETE", token, headers=OURS) == (204, "")
    assert chromium.get_cookies() == []
    assert entry(chromium, OURS)["caller"] is None


def what_an_administrator_may_do(world: World) -> list[tuple[str, str, Any]]:
    """Requests that are each a success; the last one signs in as somebody else."""
    other = world.ref("users", "other")
    eve, mallory = (
        {"type": "users", "attributes": {"email": f"{name}@example.com", "name": name}}
        for name in ("eve", "mallory")
    )
    renamed = other | {"attributes": {"name": "Taken"}}
    somebody = {"email": "self@example.com", "password": PASSWORD, "transport": "cookie"}
    return [
        ("GET", f"{USERS}/{other['id']}", None),
        ("POST", USERS, {"data": eve}),
        ("POST", OPERATIONS, {"atomic:operations": [{"op": "add", "data": mallory}]}),
        ("PATCH", f"{USERS}/{other['id']}", {"data": renamed}),
        ("DELETE", f"{USERS}/{other['id']}", None),
        ("POST", TOKENS, {"data": {"type": "tokens", "attributes": somebody}}),
    ]


def media_type(url: str) -> str:
    return ATOMIC if url == OPERATIONS else MEDIA_TYPE


def stored(world: World) -> dict[str, list]:
    """All rows of all tables."""
    with world.service.engine.connect() as connection:
        return {
            name: sorted(connection.execute(select(table)).all(), key=str)
            for name, table in Base.metadata.tables.items()
        }


def submit(driver, url: str, media_type: str, document: Any) -> str | None:
    """Send a form whose body is as much of a document as it can be; return what the page reads."""
    if media_type == PLAIN:  # the body is the name, = and the value
        name, value = json.dumps(document)[:-1] + ', "meta": {"', '": 0}}'
    else:
        ((name, value),) = document.items()
    return driver.execute_async_script(SUBMIT, url, media_type, name, value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same site", "other site"])
def test_a_page_of_another_origin_does_nothing_and_reads_nothing(chromium, address, world, host):
    sign_in(chromium, address)
    requests = what_an_administrator_may_do(world)
    before = stored(world)
    with browser.page() as port:
        chromium.get(f"http://{host}:{port}/")
        browser.answers(chromium)
        for method, path, document in requests:
            url = f"{address}{path}"
            for headers in ({}, OURS):
                for kind in (PLAIN, FORM, media_type(path)):
                    sent = headers | ({} if document is None else {"Content-Type": kind})
                    answer = send(chromium, method, url, document, headers=sent)
                    assert answer == ("TypeError", "")
            if method in ("GET", "POST"):
                for kind in (PLAIN, FORM):  # others are no types of such a request
                    sent = OURS | {"Content-Type": kind}
                    answer = send(chromium, method, url, document, headers=sent, mode="no-cors")
                    assert answer == (0, "")
            if method == "POST":
                assert submit(chromium, url, PLAIN, document) is None
                assert submit(chromium, url, FORM, {"data": json.dumps(document)}) is None
        revoke = f"{address}{API}/auth/revoke"
        assert submit(chromium, revoke, FORM, {"token": new_token()}) is None
        answers = browser.answers(chromium)
    assert stored(world) == before
    statuses = {
        status
        for method, url, status in answers
        if url.startswith(address) and method != "OPTIONS" and url != revoke
    }
    assert statuses == {401, 415}
    chromium.get(f"{address}{API}/docs")
    assert entry(chromium, OURS)["caller"] == world.ref("users", "administrator")
    for method, path, document in requests:
        headers = OURS | {"Content-Type": media_type(path), "Accept": media_type(path)}
        status, text = send(chromium, method, path, document, headers=headers)
        assert status in (200, 201, 204), text
    assert entry(chromium, OURS)["caller"] == world.ref("users", "self")
