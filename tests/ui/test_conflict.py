"""The dialog that asks what to save where two have changed the same, in a browser."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser

STATIC = Path(__file__).parents[2] / "users_service" / "ui" / "static"
LONG = "x" * 300

# A resource with a field of each kind that may be in conflict, and conflicts of them.
OPEN = """
const [members, done] = arguments;
const field = (name, title, kind, isChangeable) =>
  [name, {name, title, kind, isChangeable, choices: []}];
const team = {type: "teams", namedBy: "name", relationships: new Map()};
const resource = {
  fields: new Map([
    field("name", "Full name", "line", true),
    field("active", "Active", "boolean", true),
    field("changed", "Changed", "instant", false),
  ]),
  relationships: new Map([
    ["team", {name: "team", title: "Team", target: "teams"}],
    ["teams", {name: "teams", title: "Teams", target: "teams", isMany: true}],
  ]),
};
const to = (id) => ({type: "teams", id});
const all = {
  name: {kind: "attribute", was: "Ada", theirs: "<b>Eve</b>", yours: "x".repeat(300)},
  active: {kind: "attribute", was: true, theirs: false, yours: null},
  team: {kind: "to-one", was: to("1"), theirs: to("2"), yours: null},
  teams: {kind: "to-many", was: [to("1"), to("2")], theirs: [to("1")], yours: [to("2"), to("3")]},
  unknown: {kind: "to-many", was: undefined, theirs: [to("1")], yours: []},
};
const conflicts = members.map((member) => ({member, ...all[member]}));
const included = new Map([["teams 1", {type: "teams", id: "1", attributes: {name: "Red"}}],
  ["teams 2", {type: "teams", id: "2", attributes: {name: "Blue"}}]]);
const context = {model: {resources: new Map([["teams", team]])}};
(async () => {
  const {use} = await import("/core/i18n.js");
  const {resolve, describeTaken} = await import("/forms/conflict.js");
  await use("", "en");
  document.body.replaceChildren(document.createElement("button"));
  document.body.firstChild.focus();
  window.result = undefined;
  window.taken = [members, ["name", "changed", "team"], ["changed"], []].map((each) =>
    describeTaken(resource, each));
  resolve(context, resource, conflicts, {included}).then((result) => { window.result = result; });
})().then(() => done(null), (error) => done(String(error)));
"""

ALL = ["name", "active", "team", "teams", "unknown"]

pytestmark = pytest.mark.ui


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    class Files(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/":
                super().do_GET()
                return
            page = b"<!doctype html><html lang=en><title>Try</title><body></body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
            trusted = "require-trusted-types-for 'script'; trusted-types 'none'"
            self.send_header("Content-Security-Policy", f"{policy}; {trusted}")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Files, directory=str(STATIC))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[WebDriver]:
    with browser.chromium() as running:
        yield running


@pytest.fixture
def page(chromium: WebDriver, address: str) -> WebDriver:
    chromium.get(address)
    return chromium


def ask(page: WebDriver, *members: str) -> WebElement:
    """Open the dialog for conflicts of these members."""
    assert page.execute_async_script(OPEN, list(members)) is None
    return page.find_element(By.TAG_NAME, "dialog")


def result(page: WebDriver) -> Any:
    WebDriverWait(page, 10).until_not(lambda _: page.find_elements(By.TAG_NAME, "dialog"))
    return page.execute_script("return window.result")


def button(dialog: WebElement, text: str) -> WebElement:
    return dialog.find_element(By.XPATH, f".//button[.='{text}']")


def radio(dialog: WebElement, field: str, label: str) -> WebElement:
    path = f".//fieldset[legend='{field}']//label[normalize-space()='{label}']/input"
    return dialog.find_element(By.XPATH, path)


def shown(dialog: WebElement) -> dict[str, dict[str, str]]:
    """What the dialog shows, by the field and by what the value is."""
    found = {}
    for each in dialog.find_elements(By.TAG_NAME, "fieldset"):
        terms = [term.text for term in each.find_elements(By.TAG_NAME, "dt")]
        values = [" ".join(value.text.split()) for value in each.find_elements(By.TAG_NAME, "dd")]
        found[each.find_element(By.TAG_NAME, "legend").text] = dict(zip(terms, values, strict=True))
    return found


def test_it_shows_what_each_was_and_is(page: WebDriver) -> None:
    none = page.execute_async_script(
        "const done = arguments[0]; import('/core/i18n.js').then(async ({t, use}) => {"
        " await use('', 'en'); done([t('none'), t('yes'), t('no')]); })"
    )
    empty, yes, no = none
    assert shown(ask(page, *ALL)) == {
        "Full name": {"Before": "Ada", "Theirs": "<b>Eve</b>", "Yours": LONG},
        "Active": {"Before": yes, "Theirs": no, "Yours": empty},
        "Team": {"Before": "Red", "Theirs": "Blue", "Yours": empty},
        "Teams": {
            "Before": "Red Blue",
            "Theirs": "Removed: Blue",
            "Yours": "Added: 3 Removed: Red",
        },
        "unknown": {"Before": "not known", "Theirs": "Red", "Yours": empty},
    }


def test_nothing_is_chosen_beforehand_and_saving_waits_for_all(page: WebDriver) -> None:
    dialog = ask(page, "name", "team")
    save = button(dialog, "Save what is chosen")
    status = dialog.find_element(By.CSS_SELECTOR, "[role=status]")
    assert dialog.find_elements(By.CSS_SELECTOR, "input:checked") == []
    assert (save.is_enabled(), status.text) == (False, "2 are still to be chosen.")
    radio(dialog, "Full name", "Keep yours").click()
    assert (save.is_enabled(), status.text) == (False, "1 is still to be chosen.")
    radio(dialog, "Full name", "Take theirs").click()
    assert (save.is_enabled(), status.text) == (False, "1 is still to be chosen.")
    radio(dialog, "Team", "Keep yours").click()
    assert (save.is_enabled(), status.text) == (True, "All are chosen.")
    save.click()
    assert result(page) == {"name": "theirs", "team": "yours"}


@pytest.mark.parametrize(
    ("text", "side"), [("Take theirs for all", "theirs"), ("Keep yours for all", "yours")]
)
def test_one_button_chooses_for_all(page: WebDriver, text: str, side: str) -> None:
    dialog = ask(page, *ALL)
    button(dialog, text).click()
    chosen = dialog.find_elements(By.CSS_SELECTOR, "input:checked")
    assert [each.get_attribute("value") for each in chosen] == [side] * len(ALL)
    button(dialog, "Save what is chosen").click()
    assert result(page) == dict.fromkeys(ALL, side)


def test_a_single_conflict_needs_no_buttons_for_all(page: WebDriver) -> None:
    dialog = ask(page, "name")
    assert dialog.find_elements(By.XPATH, ".//button[contains(., 'for all')]") == []


def test_the_keyboard_is_enough(page: WebDriver) -> None:
    ask(page, "name", "active")
    assert page.switch_to.active_element.tag_name == "p"  # nothing is pressed by mistake
    keys = ActionChains(page).send_keys(Keys.TAB, Keys.TAB)  # past the buttons for all
    keys.send_keys(Keys.TAB, Keys.SPACE, Keys.TAB, Keys.SPACE, Keys.ARROW_DOWN, Keys.ENTER)
    keys.perform()
    assert result(page) == {"name": "theirs", "active": "yours"}
    assert page.switch_to.active_element.tag_name == "button"  # where it was before


def test_escape_saves_nothing(page: WebDriver) -> None:
    dialog = ask(page, "name", "active")
    button(dialog, "Keep yours for all").click()
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert result(page) is None


def test_each_radio_button_is_described_by_its_value(page: WebDriver) -> None:
    dialog = ask(page, "name", "team")
    described = [
        page.find_element(By.ID, each.get_attribute("aria-describedby")).text
        for each in dialog.find_elements(By.CSS_SELECTOR, "input[type=radio]")
    ]
    assert described[0:3] == ["<b>Eve</b>", LONG, "Blue"]
    assert dialog.accessible_name == "Somebody else has changed this too"
    groups = [each.accessible_name for each in dialog.find_elements(By.TAG_NAME, "fieldset")]
    assert groups == ["Full name", "Team"]


def test_what_was_taken_over_is_said_by_its_titles(page: WebDriver) -> None:
    ask(page, "name")
    taken = page.execute_script("return window.taken")
    kept = "Saved. What somebody else has changed meanwhile was kept:"
    assert [text.translate({0x2068: "", 0x2069: ""}) for text in taken] == [
        f"{kept} Full name.",
        f"{kept} Full name and Team.",
        "",
        "",
    ]
