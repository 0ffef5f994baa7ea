"""The UI in a language made up for the test, in which no English text is left, and from right to
left."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser
from tests.ui.site import Site
from tests.ui.site import site as serve
from users_service.ui.files import STATIC

pytestmark = pytest.mark.ui

WAIT = 20
ENGLISH = json.loads((STATIC / "lang" / "en.json").read_text(encoding="utf-8"))
PERSIAN = json.loads((STATIC / "lang" / "fa.json").read_text(encoding="utf-8"))
TYPES = ("users", "roles", "groups", "tokens")


def bracketed(text: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(text, str):
        return f"⟦{text}⟧"
    return {form: f"⟦{each}⟧" for form, each in text.items()}


PSEUDO = json.dumps({key: bracketed(text) for key, text in ENGLISH.items()}).encode()

# Data that the tests do not choose: ids, addresses, permissions, and what the browser calls itself.
DATA = "|".join(
    (
        r"[0-9a-f]{8}-[0-9a-f-]{27}",
        r"[\w-]+@example\.com",
        r"[\w*]+:[\w*]+",
        r"Mozilla/5\.0 .*",
        r"ust_\w+",
    )
)

# What is said in no language: letters outside of brackets that are no data. Names of languages are
# each in their own one; times and numbers are those of the browser; keys are on the keyboard.
LEFT = r"""
const [data, names] = arguments;
const tags = document.querySelector("meta[name=languages]").content.split(" ");
const languages = tags.map((tag) => new Intl.DisplayNames([tag], {type: "language"}).of(tag));
const title = document.querySelector("meta[name=application-title]").content;
const known = new Set([...names, ...languages, title]);
const ATTRIBUTES = "alt aria-description aria-label aria-valuetext placeholder title".split(" ");
const isSaid = (text) => {
  let rest = text.replace(/[\u2066-\u2069]/g, "");
  for (let before = ""; before !== rest; ) {
    before = rest;
    rest = rest.replace(/⟦[^⟦⟧]*⟧/g, "");
  }
  rest = rest.replace(new RegExp(data, "g"), "").trim();
  return known.has(rest) || !/\p{L}/u.test(rest);
};
const texts = [document.title.replace(` – ${title}`, "")];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  if (!walker.currentNode.parentElement.closest("code, kbd, noscript, time")) {
    texts.push(walker.currentNode.data);
  }
}
for (const name of ATTRIBUTES) {
  const elements = document.body.querySelectorAll(`[${name}]`);
  texts.push(...[...elements].map((element) => element.getAttribute(name)));
}
return [texts.filter((text) => text.includes("⟦")).length, texts.filter((text) => !isSaid(text))];
"""

# What is wider than the page, or than what it is in and cannot be scrolled there.
WIDE = """
const {clientWidth, scrollWidth} = document.documentElement;
const isScrolled = (element) => {
  for (let each = element.parentElement; each; each = each.parentElement) {
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(each).overflowX)) return true;
  }
  return false;
};
const visible = [...document.body.querySelectorAll("*")].filter((each) => each.checkVisibility());
const wide = visible.filter((element) => {
  const {left, right, width} = element.getBoundingClientRect();
  return width > 1 && (left < -1 || right > clientWidth + 1) && !isScrolled(element);
});
const dialogs = [...document.querySelectorAll("dialog[open]")];
const scrolled = dialogs.filter((dialog) => dialog.scrollWidth > dialog.clientWidth);
return [...wide, ...scrolled].map((each) => each.outerHTML.slice(0, 120))
  .concat(scrollWidth > clientWidth ? [`page: ${scrollWidth}`] : []);
"""


def names_in(site: Site) -> list[str]:
    """All names in the data."""
    found = [row for kind in TYPES for row in site.call("GET", f"{kind}?page[size]=100")["data"]]
    return [row["attributes"]["name"] for row in found if row["attributes"]["name"]]


class Reader:
    """Somebody before the browser."""

    def __init__(self, driver: WebDriver, site: Site, texts: dict[str, Any]) -> None:
        self.driver = driver
        self.site = site
        self.texts = texts

    def open(self, path: str, person: str | None = "administrator", language: str = "en") -> None:
        """Load a page, as somebody who has signed in or as nobody."""
        self.driver.get("about:blank")
        self.driver.delete_all_cookies()
        if person:
            cookie = {"name": "users_service", "value": self.site.world.tokens[person]}
            self.driver.execute_cdp_cmd("Network.setCookie", cookie | {"url": self.site.address})
        self.driver.get(f"{self.site.address}/favicon.ico")
        remember = "localStorage.clear(); localStorage['users_service:language'] = arguments[0]"
        self.driver.execute_script(remember, json.dumps(language))
        self.driver.get(f"{self.site.address}/ui/{path}")
        self.settle()

    def until(self, condition: Callable[[], Any]) -> Any:
        changed = [StaleElementReferenceException]  # the page, while it was looked at
        return WebDriverWait(self.driver, WAIT, 0.05, changed).until(lambda _: condition())

    def all(self, css: str) -> list[WebElement]:
        return [e for e in self.driver.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()]

    def settle(self) -> None:
        """Wait until a view is shown, and its rows."""
        self.until(
            lambda: (
                self.all("main h1")
                and not self.driver.find_elements(By.CSS_SELECTOR, "[aria-busy]")
            )
        )

    def find(self, key: str, css: str = "button, a, summary, label") -> WebElement:
        """Wait for what has a text, in the uppermost dialog if there is one."""
        text = self.texts[key]

        def look() -> WebElement | None:
            within = "dialog[open] " if self.all("dialog[open]") else ""
            selector = ", ".join(within + each for each in css.split(", "))
            found = [
                e for e in self.all(selector) if text in e.text.translate({0x2068: "", 0x2069: ""})
            ]
            return found[-1] if found else None

        return self.until(look)

    def press(self, key: str, css: str = "button, a, summary, label") -> None:
        self.find(key, css).click()

    def click(self, css: str) -> None:
        """Wait for elements, and click on the first of them."""

        def click() -> bool:
            found = self.all(css)
            if found:
                found[0].click()
            return bool(found)

        self.until(click)

    def sees(self, key: str) -> None:
        """Wait for the beginning of a text."""
        text = self.texts[key]
        form = text if isinstance(text, str) else text["other"]
        longest = max(re.split(r"\{\w+\}", form), key=len)
        self.until(lambda: longest in self.driver.find_element(By.TAG_NAME, "body").text)

    def reads_no_english(self, *typed: str) -> None:
        """Find nothing that is in no language, besides what was typed."""
        names = [*names_in(self.site), *typed]
        said, left = self.driver.execute_script(LEFT, DATA, names)
        assert left == []
        assert said > 3

    def has_room(self) -> None:
        assert self.driver.execute_script("return document.documentElement.dir") == "rtl"
        assert self.driver.execute_script(WIDE) == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service behind a proxy that sends the made-up language as English."""
    pages = "http://127.0.0.1/ui/verify#{code}"
    environ = {
        "USERS_SERVICE_SMTP_URL": "smtp://127.0.0.1:1",
        "USERS_SERVICE_MAIL_FROM": "users@example.com",
        **{
            f"USERS_SERVICE_{each}": "true"
            for each in ("SIGN_UP", "PASSWORD_RESET", "EMAIL_CHANGE")
        },
        **{f"USERS_SERVICE_{each}_LINK": pages for each in ("SIGN_UP", "RESET", "EMAIL")},
    }
    with (
        serve(tmp_path_factory.mktemp("languages"), **environ) as served,
        browser.proxy(served.address, "", {"/lang/en.json": PSEUDO}) as address,
    ):
        yield replace(served, address=address)


@pytest.fixture
def reader(chromium: WebDriver, site: Site) -> Reader:
    return Reader(chromium, site, ENGLISH)


@pytest.mark.parametrize("path", ["sign-in", "sign-up", "forgot", "reset", "verify", "nowhere"])
def test_pages_for_nobody_have_no_english_text(reader, path):
    reader.open(path, person=None)
    reader.reads_no_english()
    if forms := reader.all("main form button.primary"):
        forms[0].click()
        reader.until(lambda: reader.all("main .summary, main .fault"))
        reader.reads_no_english()


def test_what_pages_answer_has_no_english_text(reader):
    reader.open("sign-in", person=None)
    fill(reader, email="self@example.com", password="wrong")
    reader.press("sign_in.submit", "main button")
    reader.sees("sign_in.refused")
    reader.reads_no_english()
    reader.open("forgot", person=None)
    fill(reader, email="self@example.com")
    reader.press("forgot.submit", "main button")
    reader.sees("forgot.done")
    reader.reads_no_english()
    reader.open("sign-up", person=None)
    fill(reader, email="new@example.com", name="New", password="password")
    reader.press("sign_up.submit", "main button")
    reader.sees("rule.weak")
    reader.reads_no_english()
    reader.open("verify#0123456789abcdefghijklmnopq", person=None)
    reader.press("verify.submit", "main button")
    reader.until(lambda: reader.all("main .summary, main .fault"))
    reader.reads_no_english()


def fill(reader: Reader, within: str = "main", **values: str) -> None:
    """Type into fields, by the names of what is sent."""
    for name, value in values.items():
        control = reader.until(lambda name=name: reader.all(f"{within} input[name={name}]"))[0]
        control.clear()
        control.send_keys(value)


def test_ones_own_account_has_no_english_text(reader):
    reader.open("account")
    reader.press("account.new_token", "summary")
    reader.reads_no_english()
    fill(reader, "details", name="Import")
    reader.press("account.make", "button")
    reader.sees("account.secret.text")
    reader.reads_no_english("Import")
    reader.press("close")
    reader.press("account.end", "main td button")
    reader.sees("account.end.text")
    reader.reads_no_english()
    reader.press("account.end", "button.primary")
    reader.sees("account.ended")
    reader.reads_no_english()


@pytest.mark.parametrize("path", ["", *TYPES])
def test_lists_have_no_english_text(reader, path):
    reader.open(path)
    reader.driver.execute_script(
        "document.querySelectorAll('details').forEach((d) => { d.open = true })"
    )
    if not path:
        reader.reads_no_english()
        return
    reader.until(lambda: reader.all("tbody tr"))
    reader.press("filter.add", "button")
    for index in range(len(reader.all(".conditions select:first-child option"))):
        option = reader.all(".conditions select:first-child option")[index]
        option.click()
        reader.reads_no_english()
    reader.press("list.count", "button")
    reader.sees("list.total")
    reader.reads_no_english()
    reader.open(f"{path}?q=nobody%20at%20all")
    reader.until(lambda: not reader.all("tbody tr") and reader.all(".status"))
    reader.reads_no_english()


def test_dialogs_of_lists_have_no_english_text(reader):
    reader.open("users")
    reader.driver.find_element(By.TAG_NAME, "body").send_keys("?")
    reader.sees("shortcuts.on")
    reader.reads_no_english()
    reader.press("close")
    reader.press("views", "summary")
    reader.press("views.save", "button")
    reader.sees("views.name")
    reader.reads_no_english()


def choose(reader: Reader, *names: str) -> None:
    """Choose rows of a list by their names."""
    for name in names:
        row = f"//tr[th//text()='{name}']//input"
        reader.until(lambda row=row: reader.driver.find_elements(By.XPATH, row))[0].click()


@pytest.mark.parametrize("index", range(7))
def test_bulk_changes_have_no_english_text(reader, site, index):
    for name in ("Ida", "Jon"):
        if name not in names_in(site):
            site.create("users", name=name, email=f"{name}@example.com")
    reader.open("users")
    choose(reader, "Ida", "Jon")
    offers = reader.all(".bulk select:nth-of-type(2) option")
    assert len(offers) == 7
    offers[index].click()
    reader.press("bulk.start", ".bulk button")
    reader.until(lambda: reader.all("dialog[open]"))
    reader.reads_no_english()
    confirm = reader.all("dialog[open] button.primary")[0]
    if index == 6:  # the deletion, which first looks for what goes along
        reader.until(confirm.is_enabled)
        reader.reads_no_english()
        confirm.click()
        reader.press("deletion.undo", "button")
        reader.sees("deletion.undone")
    elif confirm.is_enabled():
        confirm.click()
        reader.sees("bulk.done")
    reader.reads_no_english()


def test_refused_bulk_changes_have_no_english_text(reader):
    reader.open("roles")
    choose(reader, "reader", "helpdesk")
    reader.all(".bulk select:nth-of-type(2) option")[-1].click()
    reader.press("bulk.start", ".bulk button")
    reader.sees("deletion.restrict")
    reader.reads_no_english()
    reader.press("bulk.delete", "button.primary")
    reader.sees("deletion.waiting")
    reader.sees("bulk.failed")
    reader.reads_no_english()
    reader.press("try_again", ".bulk-run button")
    reader.sees("bulk.now")
    reader.reads_no_english()


@pytest.mark.parametrize("kind", TYPES)
def test_forms_of_new_resources_have_no_english_text(reader, kind):
    reader.open(f"{kind}/new")
    reader.reads_no_english()
    reader.press("form.create", "button")
    reader.until(lambda: reader.all(".fault, .summary") and reader.all("[aria-invalid], .summary"))
    reader.reads_no_english()
    reader.all("main form input, main form textarea")[0].send_keys("typed")
    reader.press("title.groups", "nav a")
    reader.sees("form.leave.text")
    reader.reads_no_english("typed")


@pytest.mark.parametrize("kind", TYPES)
def test_forms_have_no_english_text(reader, site, kind):
    names = {"users": "self", "roles": "role reader", "groups": "group", "tokens": "token self"}
    reader.open(f"{kind}/{site.world.ids[names[kind]]}")
    reader.until(lambda: reader.all("main form"))
    reader.reads_no_english()
    reader.press("save", "main button")
    reader.sees("form.unchanged")
    reader.press("bulk.delete", ".danger button")
    confirm = reader.until(lambda: reader.all("dialog[open] button.primary"))[0]
    reader.until(confirm.is_enabled)
    reader.reads_no_english()


def test_what_is_shown_once_has_no_english_text(reader):
    reader.open("tokens/new")
    picker = reader.all(".picker input")[0]
    picker.send_keys("Self")
    reader.click("[role=option]")
    reader.all("main form input")[0].send_keys("Import")
    type_time = "arguments[0].value = new Date(Date.now() + 864e5).toISOString().slice(0, 19)"
    reader.driver.execute_script(type_time, reader.all("input[type=datetime-local]")[0])
    reader.press("form.create", "main button")
    reader.sees("form.once.text")
    reader.reads_no_english()


def test_linkage_has_no_english_text(reader, site):
    reader.open(f"groups/{site.world.ids['group']}")
    picker = reader.until(lambda: reader.all(".related input"))[0]
    picker.send_keys("reader")
    reader.until(lambda: reader.all("[role=option]"))
    reader.reads_no_english()
    reader.click("[role=option]")
    reader.sees("linkage.added")
    reader.reads_no_english()


def test_conflicts_have_no_english_text(reader, site):
    group = site.create("groups", name="first")
    reader.open(f"groups/{group}")
    name, description = reader.all("main form input, main form textarea")[:2]
    name.send_keys(" mine")
    description.send_keys("mine")
    site.change("groups", group, name="theirs", description="theirs")
    reader.press("save", "main button")
    reader.sees("conflict.theirs")
    reader.reads_no_english("first", "first mine", "mine", "theirs")
    reader.press("conflict.all_yours", "button")
    reader.press("conflict.save", "button")
    reader.sees("form.saved")
    reader.all("main form textarea")[0].send_keys(" again")
    site.change("groups", group, name="taken")
    reader.press("save", "main button")
    reader.sees("conflict.taken")
    reader.reads_no_english()
    reader.all("main form textarea")[0].send_keys(" again")
    site.call("DELETE", f"groups/{group}")
    reader.press("save", "main button")
    reader.sees("form.deleted")
    reader.reads_no_english("taken")


def test_faults_of_codes_have_no_english_text(reader, site):
    reader.open(f"users/{site.world.ids['administrator']}")
    box = reader.until(lambda: reader.all("main form input[type=checkbox]"))[0]
    box.click()
    reader.press("save", "main button")
    reader.sees("fault.last_administrator")
    reader.reads_no_english()
    reader.open(f"roles/{site.world.ids['role reader']}", person="helpdesk")
    reader.until(lambda: reader.all("main form textarea"))[-1].send_keys("\n*")
    reader.press("save", "main button")
    reader.sees("fault.exceeds_permissions")
    reader.reads_no_english()


def test_the_end_of_a_session_has_no_english_text(reader, site):
    site.world.tokens["short"] = site.world.token("self")
    site.world.ids["short"] = site.world.ids["self"]
    reader.open("account", person="short")
    reader.until(lambda: reader.all("main tbody tr"))
    site.call("DELETE", f"tokens/{site.world.ids['token self']}")
    name = reader.all("main input[name=name]")[0]
    name.send_keys(" too")
    reader.press("save", "main button")
    reader.sees("session.expired.text")
    reader.reads_no_english()


def test_an_english_text_would_be_found(reader):
    reader.open("sign-in", person=None)
    for change in (
        "document.querySelector('main').append('Plain')",
        "document.querySelector('main').title = '⟦Known⟧ and plain'",
        "document.title = 'Plain'",
    ):
        reader.driver.execute_script(change)
        _, left = reader.driver.execute_script(LEFT, DATA, [])
        assert left, change
        reader.open("sign-in", person=None)


@pytest.fixture
def narrow(chromium: WebDriver, site: Site) -> Iterator[Reader]:
    """A reader of Persian with a small screen."""
    size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield Reader(chromium, site, PERSIAN)
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_from_right_to_left_a_list_has_room(narrow):
    narrow.open("users", language="fa")
    narrow.until(lambda: narrow.all("tbody tr"))
    narrow.has_room()
    for tool in ("filter", "columns", "views", "menu"):
        narrow.press(tool, "summary")
        if tool == "filter":
            narrow.press("filter.add", "button")
        narrow.has_room()


def test_from_right_to_left_a_placeholder_stands_at_the_right(narrow):
    narrow.open("users/new", language="fa")
    direction = "return getComputedStyle(document.querySelector('.picker > input')).direction"
    assert narrow.driver.execute_script(direction) == "rtl"
    narrow.all(".picker > input")[0].send_keys("reader")
    assert narrow.driver.execute_script(direction) == "ltr"


@pytest.mark.parametrize("path", ["users/new", "roles/new", "account", "sign-in"])
def test_from_right_to_left_a_form_has_room(narrow, path):
    narrow.open(path, person=None if path == "sign-in" else "administrator", language="fa")
    narrow.has_room()


def test_from_right_to_left_a_dialog_has_room(narrow, site):
    group = site.create("groups", name="wide" * 20)
    narrow.open(f"groups/{group}", language="fa")
    narrow.has_room()
    narrow.all("main form input")[0].send_keys("mine" * 30)
    site.change("groups", group, name="theirs" * 30)
    narrow.press("save", "main button")
    narrow.sees("conflict.theirs")
    narrow.has_room()
    narrow.press("cancel", "button")
    narrow.press("bulk.delete", "button")
    narrow.until(lambda: narrow.all("dialog[open]"))
    narrow.has_room()
