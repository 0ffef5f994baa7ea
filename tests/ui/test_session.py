"""Signing in and out in a browser, what happens when a session ends, mailed links, and tokens."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import delete, func, select

from tests import browser
from tests.auth.world import PASSWORD, World
from tests.client import API, MEDIA_TYPE
from tests.engines import on_one_engine
from tests.mailbox import Mailbox, free_port, recipients
from tests.server import ROOT, pserve
from users_service.models.tables import tokens, users
from users_service.ui.files import STATIC

pytestmark = [pytest.mark.ui, on_one_engine]

TEXTS = json.loads((STATIC / "lang/en.json").read_text(encoding="utf-8"))
NEW = "a wholly new sentence"
WAIT = 15
CLIPBOARD = ["clipboardReadWrite", "clipboardSanitizedWrite"]

# Sends requests as the page does, at once; the result has their statuses.
GET = """
    const [urls, done] = arguments;
    const assets = document.querySelector('meta[name="assets"]').content;
    import(`${assets}/app.js`)
        .then(({ core_api: { get } }) => Promise.all(urls.map((url) => get(url))))
        .then((answers) => done(answers.map(({ status }) => status)))
        .catch((fault) => done(String(fault)));
"""

# Sends them too, and does not wait: what comes of them is in `window.answers`.
BEGIN = """
    const [urls] = arguments;
    const assets = document.querySelector('meta[name="assets"]').content;
    window.answers = null;
    import(`${assets}/app.js`)
        .then(({ core_api: { get } }) => Promise.all(urls.map((url) => get(url))))
        .then((all) => { window.answers = all.map(({ status }) => status); });
"""


def t(key: str, **values: Any) -> str:
    """An English text of the UI, as it is shown."""
    found = TEXTS[key]
    text: str = found if isinstance(found, str) else found["one" if values["n"] == 1 else "other"]
    for name, value in values.items():
        shown = str(value) if isinstance(value, int) else f"\u2068{value}\u2069"
        text = text.replace(f"{{{name}}}", shown)
    return text


class Reader:
    """Somebody before the browser.

    :param address: where the service is.
    """

    def __init__(self, driver: WebDriver, address: str) -> None:
        self.driver = driver
        self.address = address

    def open(self, path: str) -> None:
        self.driver.get(f"{self.address}/ui/{path}")
        self.until(lambda: self.all("main h1"))

    def until(self, condition: Callable[[], Any]) -> Any:
        changed = [StaleElementReferenceException]  # the page, while it was looked at
        waiting = WebDriverWait(self.driver, WAIT, 0.05, changed)
        return waiting.until(lambda _: condition())

    def all(self, css: str) -> list[WebElement]:
        return [e for e in self.driver.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()]

    def one(self, css: str) -> WebElement:
        """Wait for what is shown, and there once."""
        return self.until(lambda: len(found := self.all(css)) == 1 and found)[0]

    def at(self, path: str) -> None:
        """Wait until the reader is at a path of the UI, and its page is shown."""
        self.until(lambda: self.driver.current_url == f"{self.address}/ui/{path}")
        self.until(lambda: self.all("main h1") and not self.all("main[aria-busy]"))

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text())

    def text(self) -> str:
        return self.driver.execute_script("return document.body.innerText")

    def named(self, tag: str, text: str, within: str) -> WebElement:
        """Wait for the element of a name."""

        def find() -> WebElement | None:
            elements = self.all(f"{within} {tag}")
            return next((e for e in elements if e.accessible_name == text), None)

        return self.until(find)

    def field(self, text: str, within: str = "main") -> WebElement:
        return self.named("input", text, within)

    def type(self, within: str = "main", **values: str) -> None:
        """Type into fields, by the names of what is sent."""
        for name, value in values.items():
            control = self.one(f"{within} input[name={name}]")
            control.clear()
            control.send_keys(value)

    def press(self, text: str, within: str = "main") -> None:
        self.named("button", text, within).click()

    def menu(self, text: str) -> None:
        self.one("header summary").click()
        self.named("a", text, "header").click()

    def sign_in(self, name: str, within: str = "main", password: str = PASSWORD) -> None:
        email = name if "@" in name else f"{name}@example.com"
        self.type(within, email=email, password=password)
        self.press(t("sign_in.submit"), within)

    def sign_out(self) -> None:
        self.open("sign-out")
        self.press(t("sign_out.title"))
        self.sees(t("sign_out.done"))

    def dialog(self, key: str) -> None:
        """Wait for the dialog with a heading."""
        self.until(lambda: [e.text for e in self.all("dialog[open] h2")] == [t(key)])

    def no_dialog(self) -> None:
        self.until(lambda: not self.all("dialog[open]"))

    def is_at_work_in(self, name: str) -> None:
        """Wait until a field has the keyboard."""
        script = "return document.activeElement.name"
        self.until(lambda: self.driver.execute_script(script) == name)

    def new_tab(self) -> "Reader":
        """The same reader in another tab."""
        before = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        handle = self.driver.current_window_handle
        self.driver.switch_to.window(before)
        return Tab(self.driver, self.address, handle)

    def here(self) -> str:
        return self.driver.current_window_handle


class Tab(Reader):
    """A reader in one tab among several."""

    def __init__(self, driver: WebDriver, address: str, handle: str) -> None:
        super().__init__(driver, address)
        self.handle = handle

    def __enter__(self) -> "Tab":
        self.driver.switch_to.window(self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Site:
    """The service in a process of its own.

    :ivar world: what is in its database.
    """

    world: World

    def __init__(self, mailbox: Mailbox, environ: dict[str, str], port: int) -> None:
        self.mailbox = mailbox
        self.environ = os.environ | environ
        self.address = f"http://127.0.0.1:{port}"

    def link(self) -> str:
        """Send the mail that is due, and return the link in it."""
        program = Path(sys.executable).parent / "users-service"
        command = [program, "outbox", "run", ROOT / "production.ini", "--once"]
        seen = len(self.mailbox.received)
        subprocess.run(command, env=self.environ, check=True, timeout=60)
        (message,) = self.mailbox.received[seen:]
        found = re.search(rf"{self.address}/ui/\S+", message.get_content())
        assert found
        return found[0]

    def send(self, method: str, path: str, document: Any = None, token: str = "") -> int:
        """Send a request as another client; return the status."""
        headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = None if document is None else json.dumps(document).encode()
        sent = urllib.request.Request(f"{self.address}{API}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:
                status: int = answer.status
        except urllib.error.HTTPError as error:
            return error.code
        return status

    def sign_in(self, email: str, password: str) -> int:
        data = {"type": "tokens", "attributes": {"email": email, "password": password}}
        return self.send("POST", "/tokens", {"data": data})

    def end_sessions(self, name: str = "self") -> None:
        """End all tokens of a user, behind the back of those who use them."""
        with self.world.service.engine.begin() as connection:
            connection.execute(delete(tokens).where(tokens.c.user_id == self.world.ids[name]))

    def count(self, name: str = "self") -> int:
        """The number of a user's tokens."""
        found = select(func.count()).where(tokens.c.user_id == self.world.ids[name])
        with self.world.service.engine.connect() as connection:
            return connection.execute(found).scalar_one()

    def user(self, name: str = "self") -> Any:
        found = select(users).where(users.c.id == self.world.ids[name])
        with self.world.service.engine.connect() as connection:
            return connection.execute(found).one()


@pytest.fixture(scope="module")
def chromium() -> Iterator[WebDriver]:
    with browser.chromium() as running:
        yield running


@pytest.fixture
def world(service) -> World:
    return World(service)


@contextmanager
def serving(running_service: Any, *, mail: bool = False, **settings: str) -> Iterator[Site]:
    """Run the service with settings."""
    with Mailbox().running() as mailbox:
        port = free_port()
        values = {"database_url": running_service.url} | settings
        values |= mail_settings(mailbox, port) if mail else {}
        environ = {f"USERS_SERVICE_{name.upper()}": value for name, value in values.items()}
        with pserve(ROOT / "production.ini", environ, options=(f"http_port={port}",)):
            yield Site(mailbox, environ, port)


def mail_settings(mailbox: Mailbox, port: int) -> dict[str, str]:
    pages = f"http://127.0.0.1:{port}/ui"
    return {
        "smtp_url": mailbox.url,
        "mail_from": "Users <users@example.com>",
        **dict.fromkeys(("sign_up", "password_reset", "email_change"), "true"),
        "sign_up_link": f"{pages}/verify#{{code}}",
        "reset_link": f"{pages}/reset?code={{code}}",
        "email_link": f"{pages}/verify#{{code}}",
    }


@pytest.fixture(scope="module")
def running_site(running_service) -> Iterator[Site]:
    with serving(running_service, mail=True) as running:
        yield running


@pytest.fixture
def site(running_site, world) -> Site:
    """The service in a process, with mail, and with the world in its database."""
    running_site.world = world
    return running_site


@pytest.fixture
def site_with(running_service, world) -> Iterator[Callable[..., Site]]:
    """Run it with settings, and without mail."""
    with ExitStack() as stack:

        def start(**settings: str) -> Site:
            site = stack.enter_context(serving(running_service, **settings))
            site.world = world
            return site

        yield start


@pytest.fixture
def reader_of(chromium) -> Iterator[Callable[[Site], Reader]]:
    """Somebody with an empty browser. Its console must stay empty, but for refused requests."""
    yield lambda site: Reader(chromium, site.address)
    errors = [e for e in browser.complaints(chromium) if "Failed to load resource" not in e]
    first, *others = chromium.window_handles
    for handle in others:
        chromium.switch_to.window(handle)
        chromium.close()
    chromium.switch_to.window(first)
    chromium.get("about:blank")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    assert errors == []


@pytest.fixture
def reader(reader_of, site) -> Reader:
    return reader_of(site)


@pytest.fixture
def account(reader) -> Reader:
    """Somebody who has signed in, at the page of the own account."""
    reader.open("sign-in?to=/ui/account")
    reader.sign_in("self")
    reader.at("account")
    reader.one("main input[name=name]")
    return reader


# Signing in and out


def test_signing_in_leads_to_where_one_wanted_to_go_and_no_script_reads_the_token(reader, site):
    reader.open("account")
    reader.at("sign-in?to=%2Fui%2Faccount")
    reader.sign_in("self")
    reader.at("account")
    (cookie,) = reader.driver.get_cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (
        "users_service",
        True,
        "Strict",
    )
    kept = "return [document.cookie, JSON.stringify({...localStorage, ...sessionStorage})]"
    cookies, storage = reader.driver.execute_script(kept)
    assert cookies == ""
    assert cookie["value"] not in storage
    assert "ust_" not in reader.driver.page_source
    reader.driver.refresh()
    reader.at("account")


def test_signing_out_ends_the_token(account, site):
    before = site.count()
    account.menu(t("sign_out.title"))
    account.sees(t("sign_out.done"))
    assert account.driver.get_cookies() == []
    assert site.count() == before - 1
    account.open("")
    account.at("sign-in")  # nobody sees anything here


def test_the_menu_of_a_page_that_was_just_loaded_signs_out(account):
    account.open("account")
    account.menu(t("sign_out.title"))
    account.at("sign-out")
    account.sees(t("sign_out.done"))


def test_a_link_from_elsewhere_signs_nobody_out(account, site):
    before = site.count()
    account.open("sign-out")
    button = account.named("button", t("sign_out.title"), "main")
    assert site.count() == before
    button.click()
    account.sees(t("sign_out.done"))
    assert site.count() == before - 1


@pytest.mark.parametrize(
    "to",
    [
        "https://example.com/ui/",
        "//example.com/ui/",
        "\\\\example.com/ui/",
        "/api/v1/docs",
        "/ui/../api/v1/docs",
        "/ui/%2e%2e/api/v1/docs",
        "javascript:document.title='wrong'",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(reader, to):
    reader.open(f"sign-in?to={urllib.parse.quote(to)}")
    reader.sign_in("administrator")
    reader.at("")
    assert reader.driver.title != "wrong"


def test_who_has_signed_in_is_not_asked_to(account):
    account.open("sign-in?to=/ui/account")
    account.at("account")


def test_a_wrong_password_leaves_what_was_typed(reader, site):
    reader.open("sign-in")
    reader.sign_in("self", password="a wrong password")
    reader.sees(t("sign_in.refused"))
    assert [e.text for e in reader.all("[role=alert]")] == [t("sign_in.refused")]
    assert reader.field(t("title.users.email")).get_property("value") == "self@example.com"
    assert reader.field(t("title.users.password")).get_property("value") == "a wrong password"
    reader.is_at_work_in("password")
    reader.type(password=PASSWORD)
    reader.driver.switch_to.active_element.send_keys(Keys.ENTER)
    reader.until(lambda: reader.driver.get_cookies())


def test_what_is_missing_is_said_at_its_field_and_nothing_is_sent(reader):
    reader.open("sign-in")
    browser.answers(reader.driver)
    reader.press(t("sign_in.submit"))
    reader.sees(t("sign_in.faulty", n=2))
    reader.is_at_work_in("email")
    control = reader.field(t("title.users.email"))
    assert control.get_attribute("aria-invalid") == "true"
    described = control.get_attribute("aria-describedby").split()
    texts = [reader.driver.find_element(By.ID, id).text for id in described]
    assert texts == [t("rule.required")]
    reader.type(email="self@example.com")
    reader.press(t("sign_in.submit"))
    reader.sees(t("sign_in.faulty", n=1))
    reader.is_at_work_in("password")
    assert control.get_attribute("aria-invalid") is None
    assert [each for each in browser.answers(reader.driver) if each[0] == "POST"] == []


def test_a_double_click_sends_once(reader, site):
    reader.open("sign-in")
    reader.type(email="self@example.com", password=PASSWORD)
    before = site.count()
    browser.requests(reader.driver)
    button = reader.named("button", t("sign_in.submit"), "main")
    ActionChains(reader.driver).double_click(button).perform()
    reader.at("")
    sent = browser.requests(reader.driver)
    assert sent.count(f"{site.address}{API}/tokens") == 1
    assert site.count() == before + 1


def test_after_too_many_tries_it_says_when_to_try_again(reader_of, site_with):
    site = site_with(sign_in_tries="1")
    assert site.sign_in("self@example.com", "a wrong password") == 401
    reader = reader_of(site)
    reader.open("sign-in")
    reader.sign_in("self")
    reader.sees(t("sign_in.too_many", n=15))
    assert reader.field(t("title.users.password")).get_property("value") == PASSWORD


def test_passwords_can_be_shown_and_password_managers_know_the_fields(reader):
    reader.open("sign-in")
    email, password = reader.field(t("title.users.email")), reader.field(t("title.users.password"))
    assert email.get_attribute("autocomplete") == "username"
    assert password.get_attribute("autocomplete") == "current-password"
    assert password.get_attribute("type") == "password"
    toggle = reader.named("button", t("sign_in.show_password"), "main")
    toggle.click()
    assert (password.get_attribute("type"), toggle.get_attribute("aria-pressed")) == (
        "text",
        "true",
    )
    toggle.click()
    assert password.get_attribute("type") == "password"
    assert toggle.get_attribute("aria-pressed") == "false"
    reader.open("sign-up")
    assert reader.field(t("title.users.password")).get_attribute("autocomplete") == "new-password"


def test_what_the_service_does_not_do_is_not_offered(reader_of, site_with):
    reader = reader_of(site_with())
    reader.open("sign-in")
    assert reader.all("main a") == []
    reader.one("header summary").click()
    links = [e.accessible_name for e in reader.all(".menu-content a")]
    assert links == [t("sign_in.title")]
    for path in ("sign-up", "verify", "forgot", "reset"):
        reader.open(path)
        assert reader.one("main h1").text == t("not_found")
    reader.open("sign-in?to=/ui/account")
    reader.sign_in("self")
    reader.at("account")
    reader.one("main input[name=current_password]")
    assert reader.all("main input[name=email]") == []


# The end of a session


def test_when_the_session_has_ended_a_dialog_signs_in_and_the_page_stays(account, site):
    account.type(name="Typed before")
    site.end_sessions()
    account.press(t("save"))
    account.dialog("session.expired")
    control = account.driver.find_element(By.CSS_SELECTOR, "main input[name=name]")
    assert control.get_property("value") == "Typed before"
    account.is_at_work_in("password")  # the address is known
    email = account.field(t("title.users.email"), "dialog")
    assert email.get_property("value") == "self@example.com"
    account.type("dialog", password=PASSWORD)
    account.press(t("sign_in.submit"), "dialog")
    account.sees(t("form.saved"))
    account.no_dialog()
    assert site.user().name == "Typed before"
    assert account.driver.find_element(By.CSS_SELECTOR, "main input[name=name]") == control


def test_the_form_of_a_resource_stays_too(reader, site):
    path = f"users/{site.world.ids['other']}"
    reader.driver.get(f"{reader.address}/ui/{path}")
    reader.dialog("session.needed")
    reader.sign_in("administrator", "dialog")
    reader.at(path)
    name = reader.field("Name")
    name.clear()
    name.send_keys("Typed before")
    site.end_sessions("administrator")
    reader.press(t("save"))
    reader.dialog("session.expired")
    assert name.get_property("value") == "Typed before"
    reader.sign_in("administrator", "dialog")
    reader.sees(t("form.saved"))
    assert site.user("other").name == "Typed before"


def test_a_wrong_password_in_the_dialog_leaves_it_open(account, site):
    site.end_sessions()
    account.press(t("save"))
    account.dialog("session.expired")
    account.sign_in("self", "dialog", password="a wrong password")
    account.until(
        lambda: [e.text for e in account.all("dialog .summary")] == [t("sign_in.refused")]
    )
    account.sign_in("self", "dialog")
    account.sees(t("form.saved"))


def test_several_requests_ask_once_and_are_all_sent_again(account, site):
    site.end_sessions()
    urls = [f"{API}/{name}" for name in ("users", "roles", "groups", "tokens")]
    account.driver.execute_script(BEGIN, urls)
    account.dialog("session.expired")
    account.sign_in("self", "dialog")
    answers = account.until(lambda: account.driver.execute_script("return window.answers"))
    assert answers == [200, 200, 200, 200]
    account.no_dialog()


def test_who_does_not_sign_in_again_loses_nothing(account, site):
    account.type(name="Typed before")
    site.end_sessions()
    for key in (t("cancel"), None):
        account.press(t("save"))
        account.dialog("session.expired")
        if key:
            account.press(key, "dialog")
        else:
            account.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        account.no_dialog()
        account.until(lambda: account.all("main .summary"))
        assert account.field(t("title.users.name")).get_property("value") == "Typed before"
    assert site.user().name == "Self"


def test_where_somebody_else_signs_in_the_page_is_reloaded_after_asking(account, site):
    account.type(name="Typed before")
    site.end_sessions()
    account.press(t("save"))
    account.dialog("session.expired")
    account.sign_in("other", "dialog")
    account.dialog("session.other")
    account.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    account.dialog("session.other")  # nothing is done here as somebody else
    account.press(t("session.other.leave"), "dialog")
    account.sees("other@example.com")
    assert account.field(t("title.users.name")).get_property("value") == "Other"
    assert (site.user("self").name, site.user("other").name) == ("Self", "Other")


def test_after_somebody_else_the_reader_can_sign_in_as_before(account, site):
    account.type(name="Typed before")
    site.end_sessions()
    account.press(t("save"))
    account.dialog("session.expired")
    account.sign_in("other", "dialog")
    account.dialog("session.other")
    account.sign_in("self", "dialog")
    account.sees(t("form.saved"))
    assert (site.user("self").name, site.user("other").name) == ("Typed before", "Other")


# Two tabs


@pytest.fixture
def tabs(account) -> tuple[Tab, Tab]:
    """Two tabs at the page of the own account; something was typed into the first."""
    first = Tab(account.driver, account.address, account.here())
    second = account.new_tab()
    with second:
        second.open("account")
    with first:
        first.type(name="Typed before")
    return first, second


def test_a_sign_out_in_another_tab_is_noticed(tabs, site):
    first, second = tabs
    with second:
        second.sign_out()
    with first:
        first.dialog("session.signed_out")
        control = first.driver.find_element(By.CSS_SELECTOR, "main input[name=name]")
        assert control.get_property("value") == "Typed before"
    with second:
        second.open("sign-in")
        second.sign_in("self")
        second.until(lambda: second.driver.get_cookies())
    with first:
        first.no_dialog()
        first.press(t("save"))
        first.sees(t("form.saved"))
    assert site.user().name == "Typed before"


def test_after_a_sign_out_in_another_tab_the_page_can_be_left(tabs):
    first, second = tabs
    with second:
        second.sign_out()
    with first:
        first.dialog("session.signed_out")
        first.press(t("session.signed_out.leave"), "dialog")
        first.at("sign-in")


def test_somebody_else_in_another_tab_is_noticed(tabs, site):
    first, second = tabs
    with second:
        second.sign_out()
        second.open("sign-in")
        second.sign_in("other")
        second.until(lambda: second.driver.get_cookies())
    with first:
        first.dialog("session.other")
        first.press(t("session.other.leave"), "dialog")
        first.sees("other@example.com")


def test_a_sign_in_in_another_tab_is_noticed(reader):
    reader.open("sign-in?to=/ui/account")
    first = Tab(reader.driver, reader.address, reader.here())
    second = reader.new_tab()
    with second:
        second.open("sign-in")
        second.sign_in("self")
        second.until(lambda: second.driver.get_cookies())
    with first:
        first.at("account")


# Mailed links


def test_a_sign_up_is_finished_by_the_link_in_its_mail(reader, site):
    reader.open("sign-up")
    reader.type(name="Ada", email="ada@example.com", password="short")
    reader.press(t("sign_up.submit"))
    reader.sees(t("sign_in.faulty", n=1))
    reader.is_at_work_in("password")
    assert reader.field(t("title.users.name")).get_property("value") == "Ada"
    reader.type(password=NEW)
    reader.press(t("sign_up.submit"))
    reader.sees(t("sign_up.done", email="ada@example.com"))
    link = site.link()
    assert recipients(site.mailbox.received[-1:]) == ["ada@example.com"]
    reader.driver.get(link)
    reader.at("verify")  # without its code
    assert site.sign_in("ada@example.com", NEW) == 401  # opening the link alone does nothing
    reader.press(t("verify.submit"))
    reader.sees(t("verify.done"))
    reader.named("a", t("sign_in.title"), "main").click()
    reader.sign_in("ada@example.com", password=NEW)
    reader.until(lambda: reader.driver.get_cookies())


def test_a_code_is_neither_kept_nor_sent_elsewhere(reader, site):
    reader.open("sign-up")
    reader.type(name="Ada", email="ada@example.com", password=NEW)
    reader.press(t("sign_up.submit"))
    reader.sees(t("sign_up.done", email="ada@example.com"))
    link = site.link()
    code = link.partition("#")[2]
    assert code
    browser.requests(reader.driver)
    reader.driver.get(link)
    reader.at("verify")
    reader.press(t("verify.submit"))
    reader.sees(t("verify.done"))
    kept = "return JSON.stringify([history.state, {...localStorage}, {...sessionStorage}])"
    assert code not in reader.driver.execute_script(kept) + reader.driver.page_source
    assert [url for url in browser.requests(reader.driver) if code in url.partition("#")[0]] == []
    reader.driver.back()
    reader.driver.forward()
    assert code not in reader.driver.current_url


def test_a_password_is_reset_by_the_link_in_a_mail(reader, site):
    reader.open("sign-in")
    reader.named("a", t("forgot.title"), "main").click()
    reader.type(email="self@example.com")
    reader.press(t("forgot.submit"))
    reader.sees(t("forgot.done", email="self@example.com"))
    link = site.link()
    reader.driver.get(link)
    reader.at("reset")  # without its code
    reader.type(password="password1")
    reader.press(t("reset.submit"))
    reader.sees(t("rule.weak"))
    reader.is_at_work_in("password")
    reader.type(password=NEW)
    reader.press(t("reset.submit"))
    reader.sees(t("reset.done"))
    assert site.sign_in("self@example.com", PASSWORD) == 401
    assert site.sign_in("self@example.com", NEW) == 201
    reader.driver.get(link)
    reader.at("reset")
    reader.type(password=f"{NEW} again")
    reader.press(t("reset.submit"))
    reader.sees(t("verify.refused"))
    assert reader.one("main input[name=password]").get_property("value") == f"{NEW} again"


def test_a_reset_ends_the_session_of_this_browser(account, site):
    account.open("forgot")
    account.type(email="self@example.com")
    account.press(t("forgot.submit"))
    account.sees(t("forgot.done", email="self@example.com"))
    account.driver.get(site.link())
    account.type(password=NEW)
    account.press(t("reset.submit"))
    account.sees(t("reset.done"))
    account.named("a", t("sign_in.title"), "main").click()
    account.sign_in("self", password=NEW)
    account.at("")


def test_a_code_can_be_typed(reader, site):
    reader.open("forgot")
    reader.type(email="self@example.com")
    reader.press(t("forgot.submit"))
    reader.sees(t("forgot.done", email="self@example.com"))
    code = site.link().partition("=")[2]
    reader.open("reset")
    reader.type(code="wrong", password=NEW)
    reader.press(t("reset.submit"))
    reader.sees(t("rule.code"))
    reader.is_at_work_in("code")
    reader.type(code=code)
    reader.press(t("reset.submit"))
    reader.sees(t("reset.done"))


def test_the_own_address_is_changed_by_the_link_in_a_mail(account, site):
    section = "section:has(input[name=email])"
    account.type(section, email="new@example.com", current_password="a wrong password")
    account.press(t("account.change_address"))
    account.until(lambda: t("rule.wrong") in account.one(section).text)
    account.is_at_work_in("current_password")
    account.type(section, current_password=PASSWORD)
    account.press(t("account.change_address"))
    account.sees(t("account.mailed", email="new@example.com"))
    account.driver.get(site.link())
    account.press(t("verify.submit"))
    account.sees(t("verify.done"))
    account.named("a", t("account.title"), "main").click()
    account.sees("new@example.com")
    assert site.user().email == "new@example.com"


# The own account


def test_the_own_password_is_changed_with_the_current_one(account, site):
    site.sign_in("self@example.com", PASSWORD)
    section = "section:has(input[name=password])"
    account.type(section, current_password="a wrong password", password=NEW)
    account.press(t("reset.submit"))
    account.until(lambda: t("rule.wrong") in account.one(section).text)
    account.is_at_work_in("current_password")
    account.type(section, current_password=PASSWORD)
    account.press(t("reset.submit"))
    account.sees(t("account.password_set"))
    assert site.count() == 1  # this one
    values = [e.get_property("value") for e in account.all(f"{section} input")]
    assert values == ["", ""]
    assert site.sign_in("self@example.com", NEW) == 201


def test_what_is_typed_is_not_left_without_asking(account):
    account.type(name="Typed before")
    account.menu(t("sign_out.title"))
    account.dialog("form.leave")
    account.press(t("cancel"), "dialog")
    account.at("account")
    account.press(t("save"))
    account.sees(t("form.saved"))
    account.menu(t("sign_out.title"))
    account.sees(t("sign_out.done"))


def rows(reader: Reader, heading: str) -> list[str]:
    """The rows of a list on the page of the own account."""
    for section in reader.all("main section"):
        if section.find_element(By.TAG_NAME, "h2").text == heading:
            found = section.find_elements(By.CSS_SELECTOR, "tbody tr")
            return [row.text for row in found]
    return []


def test_own_sign_ins_are_listed_and_ended(account, site, world):
    for _ in range(2):
        site.sign_in("self@example.com", PASSWORD)
    account.driver.refresh()
    heading = t("account.sign_ins")
    before = site.count()
    account.until(lambda: len(rows(account, heading)) == before)
    assert sum(t("account.this_one") in row for row in rows(account, heading)) == 1
    account.all("main section tbody button")[0].click()
    account.press(t("account.end"), "dialog")
    account.sees(t("account.ended"))
    account.until(lambda: len(rows(account, heading)) == before - 1)
    account.press(t("account.end_others"))
    account.press(t("account.end_others"), "dialog")
    account.sees(t("account.ended_others"))
    account.until(lambda: len(rows(account, heading)) == 1)
    assert t("account.this_one") in rows(account, heading)[0]
    assert site.count() == 1
    assert site.count("other") == 1


def test_a_named_token_is_made_shown_once_and_ended(account, site):
    heading = t("account.tokens")
    account.named("summary", t("account.new_token"), "main").click()
    form = "section details"
    account.press(t("account.make"))
    account.sees(t("rule.required"))
    account.type(form, name="Nightly import")
    past = (datetime.now(UTC) - timedelta(days=3)).date()
    set_day(account, past)
    account.press(t("account.make"))
    account.sees(t("sign_in.faulty", n=1))
    account.is_at_work_in("expiration_time")
    day = (datetime.now(UTC) + timedelta(days=40)).date()
    set_day(account, day)
    account.field(t("account.only"), form).click()
    account.press(t("account.make"))
    account.sees(t("rule.required"))
    account.field("self:read", form).click()
    more = account.field(t("account.more_permissions"), form)
    more.send_keys("invoices:read")
    account.press(t("account.make"))
    account.sees("permissions that you do not have yourself")
    assert more.get_property("value") == "invoices:read"
    more.clear()
    account.press(t("account.make"))
    account.dialog("account.secret")
    secret = account.field(t("account.secret"), "dialog").get_property("value")
    origin = {"origin": account.address, "permissions": CLIPBOARD}
    account.driver.execute_cdp_cmd("Browser.grantPermissions", origin)
    account.press(t("copy"), "dialog")
    account.sees(t("account.copied"))
    pasted = "navigator.clipboard.readText().then(arguments[0], arguments[0])"
    assert account.driver.execute_async_script(pasted) == secret
    account.press(t("close"), "dialog")
    account.no_dialog()
    (row,) = account.until(lambda: rows(account, heading))
    assert "Nightly import" in row
    assert "self:read" in row
    assert secret not in account.driver.page_source
    me = f"/users/{site.world.ids['self']}"
    assert site.send("GET", me, token=secret) == 200
    rename = {"data": site.world.ref("users", "self") | {"attributes": {"name": "No"}}}
    assert site.send("PATCH", me, rename, token=secret) == 403
    account.press(t("account.end_one", name="Nightly import"))
    account.press(t("account.end"), "dialog")
    account.sees(t("account.ended"))
    account.until(lambda: rows(account, heading) == [])
    assert site.send("GET", me, token=secret) == 401


def set_day(reader: Reader, day: Any) -> None:
    control = reader.one("main input[type=date]")
    reader.driver.execute_script("arguments[0].value = arguments[1]", control, day.isoformat())


def test_where_everybody_may_do_all_nobody_is_asked_to_sign_in(reader_of, site_with):
    reader = reader_of(site_with(anonymous_permissions="*"))
    reader.open("")
    reader.at("")
    urls = [f"{API}/users", f"{API}/roles", f"{API}/tokens"]
    assert reader.driver.execute_async_script(GET, urls) == [200, 200, 200]
    assert reader.all("dialog") == []


def test_where_everybody_may_do_all_the_end_of_a_session_asks_nobody(reader_of, site_with):
    site = site_with(anonymous_permissions="*")
    reader = reader_of(site)
    reader.open("sign-in?to=/ui/account")
    reader.sign_in("self")
    reader.at("account")
    site.end_sessions()
    urls = [f"{API}/users", f"{API}/roles"]
    assert reader.driver.execute_async_script(GET, urls) == [200, 200]
    reader.sees(t("session.ended"))
    reader.open("")  # with the cookie, which no script can take away
    assert reader.driver.get_cookies() != []
    assert reader.driver.execute_async_script(GET, urls) == [200, 200]
    assert reader.all("dialog") == []
