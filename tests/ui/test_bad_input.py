"""Names, URLs and answers that nobody wants: each says what is wrong, and loses nothing."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from tests import browser
from tests.client import API
from tests.ui.reader import SECONDS
from tests.ui.site import site as serve

pytestmark = pytest.mark.ui

MARKUP = "<img src=x onerror=alert(1)>&amp;"
LONG = "x" * 250
REVERSED = "\u202egpj.exe"

CUT = None
BUSY = (503, [("Retry-After", "30")], b"")
TOO_MANY = (429, [("Retry-After", "7")], b"")
BROKEN = (502, [("Content-Type", "text/html")], b"<h1>Bad Gateway</h1>")


class Weather:
    """What happens to requests on their way to the service, by their methods.

    :ivar seen: what was sent to the API: methods and paths.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.kinds: dict[str, Callable[[Callable], browser.Answer | None]] = {}

    def __call__(self, method: str, path: str, pass_on: Callable) -> browser.Answer | None:
        if not path.startswith(API):
            return pass_on()
        self.seen.append((method, path.removeprefix(API)))
        return self.kinds.get(method, lambda pass_on: pass_on())(pass_on)

    def sent(self, method: str) -> int:
        return sum(each == method for each, _ in self.seen)


class Gate:
    """Holds answers until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, pass_on: Callable) -> browser.Answer:
        assert self.opened.wait(SECONDS)
        return pass_on()


@pytest.fixture(scope="module")
def weather():
    return Weather()


@pytest.fixture(scope="module")
def site(tmp_path_factory, weather):
    with (
        serve(tmp_path_factory.mktemp("site")) as served,
        browser.proxy(served.address, "", weather=weather) as proxied,
    ):
        yield replace(served, address=proxied)


@pytest.fixture(autouse=True)
def fair_weather(weather):
    weather.clear()
    yield
    weather.clear()


@pytest.fixture
def person(site):
    """Somebody who is edited."""
    count = len(site.call("GET", "users")["data"])
    return site.create("users", name="Ada", email=f"ada{count}@example.com")


def edit(reader, person: str, name: str) -> None:
    reader.arrive(f"users/{person}", "administrator")
    reader.type("Name", name)
    reader.press("Save")


# Names.


@pytest.mark.parametrize("name", [MARKUP, LONG, REVERSED], ids=["markup", "long", "reversed"])
@pytest.mark.parametrize("width", [320, 1280])
def test_names_stay_names(reader, site, name, width):
    id = site.create("groups", name=f"{width}{name}"[:250])
    shown = site.attributes("groups", id)["name"]
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    reader.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        reader.arrive(f"groups?q={width}", "administrator")
        reader.see(shown)
        assert_fits(reader)
        reader.press(shown)
        reader.see_heading(shown)
        reader.settle()
        assert_fits(reader)
        reader.press("Delete")
        reader.see(f"Delete {shown}?")
        assert_fits(reader)
        assert reader.driver.find_elements("css selector", "img") == []
        reader.press("Cancel")
    finally:
        reader.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def assert_fits(reader) -> None:
    """Nothing makes the page wider than the window."""
    sizes = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    wide, window = reader.driver.execute_script(sizes)
    assert wide <= window


def test_a_reversed_name_reverses_nothing_around_it(reader, site):
    id = site.create("groups", name=f"{REVERSED} a")
    reader.arrive(f"groups/{id}", "administrator")
    reader.see("Delete")
    assert reader.driver.title == f"\u2068{REVERSED} a\u2069 – users_service"
    reader.press("Delete")
    reader.see("Delete \u202e")
    ends = reader.driver.execute_script("""
        const [text] = document.querySelector("dialog h2").childNodes;
        const left = (index) => {
          const range = new Range();
          range.setStart(text, index);
          range.setEnd(text, index + 1);
          return range.getBoundingClientRect().left;
        };
        return [left(0), left(text.length - 1)];
    """)
    assert ends[0] < ends[1]  # the question mark stands at the end


# URLs.


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("unicorns", "There is nothing at this address"),
        ("users/1", "There is nothing at this address"),
        ("users/0190163d-8694-739b-aea5-966c26f8ad91", "There is nothing at this address"),
        ("users/%3Cb%3E/x/y", "There is nothing at this address"),
        ("users?where=unicorn~eq~1", "A condition in this address is not known"),
        ("users?where=name~like~1", "A condition in this address is not known"),
        ("users?where=creation_time~ge~today", "The filter or the sort order is not valid."),
        ("users?after=bm8", "That page is not there any more."),
        ("users?sort=unicorn&columns=unicorn&size=0&match=none", "rows on this page."),
    ],
)
def test_urls_that_lead_nowhere(reader, path, said):
    reader.expected |= {400, 404}
    reader.arrive(path, "administrator")
    reader.see(said)


# Answers.


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (TOO_MANY, "Too many tries. Try again in 7 seconds."),
        (BUSY, "The service is busy."),
        (BROKEN, "The service has failed."),
        (CUT, "The service cannot be reached."),
    ],
    ids=["429", "503", "502", "none"],
)
def test_a_change_that_fails_can_be_sent_again(reader, site, weather, person, answer, said):
    reader.expected |= {0, 429, 502, 503}
    weather.kinds["PATCH"] = lambda _: answer
    edit(reader, person, "Countess")
    reader.see(said)
    assert reader.focus().startswith("div")  # what was said, to be read out
    assert reader.field("Name").get_property("value") == "Countess"
    assert weather.sent("PATCH") == 1
    weather.kinds.clear()
    reader.press("Save")
    reader.see("Saved.")
    assert site.attributes("users", person)["name"] == "Countess"


@pytest.mark.parametrize(
    ("answer", "said"), [(BUSY, "The service is busy."), (CUT, "cannot be reached")]
)
def test_a_list_that_fails_can_be_asked_for_again(reader, weather, answer, said):
    reader.expected |= {0, 503}
    reader.arrive("", "administrator")
    reader.see_heading("Home")
    weather.kinds["GET"] = lambda _: answer
    reader.press("Users")
    reader.see(said)
    weather.kinds.clear()
    reader.press("Try again")
    reader.see("Helpdesk")


def test_a_short_wait_is_waited_for(reader, weather):
    reader.expected |= {503}
    reader.arrive("", "administrator")
    reader.see_heading("Home")
    answers = [(503, [("Retry-After", "0")], b"")]
    weather.kinds["GET"] = lambda pass_on: answers.pop() if answers else pass_on()
    reader.press("Users")
    reader.see("Helpdesk")
    assert answers == []


def test_a_start_that_fails_can_be_tried_again(reader, weather):
    reader.expected |= {503}
    weather.kinds["GET"] = lambda _: BUSY
    reader.arrive("users", "administrator")
    reader.see("The service is busy.")
    weather.kinds.clear()
    reader.press("Try again")
    reader.see("Helpdesk")


def test_a_double_click_and_a_slow_answer_send_once(reader, site, weather, person):
    gate = weather.kinds["PATCH"] = Gate()
    reader.arrive(f"users/{person}", "administrator")
    reader.type("Name", "Twice")
    ActionChains(reader.driver).double_click(reader.find("Save")).perform()
    reader.until(lambda: weather.sent("PATCH"), "it is sent")
    reader.press("Save")
    reader.field("Name").send_keys(Keys.ENTER)
    assert reader.find("Save").get_attribute("aria-disabled") == "true"
    gate.opened.set()
    reader.see("Saved.")
    assert weather.sent("PATCH") == 1
    assert site.attributes("users", person)["name"] == "Twice"


def test_a_double_click_creates_once(reader, weather):
    reader.arrive("groups/new", "administrator")
    reader.type("Name", "Only one")
    ActionChains(reader.driver).double_click(reader.find("Create")).perform()
    reader.see_heading("Only one")
    assert weather.sent("POST") == 1


def test_what_was_created_without_an_answer_is_not_created_again(reader, site, weather):
    reader.expected |= {0, 409}

    def lose(pass_on):
        pass_on()

    weather.kinds["POST"] = lose
    reader.arrive("users/new", "administrator")
    reader.type("Name", "Lost")
    reader.type("E-mail address", "lost@example.com")
    reader.press("Create")
    reader.see("The service cannot be reached.")
    weather.kinds.clear()
    reader.type("Name", "Lost and found")
    reader.press("Create")
    reader.see_heading("Lost and found")
    found = site.call("GET", "users?filter[email]=lost@example.com")["data"]
    assert [each["attributes"]["name"] for each in found] == ["Lost and found"]


def test_the_back_button_while_saving(reader, site, weather, person):
    gate = weather.kinds["PATCH"] = Gate()
    reader.arrive("groups", "administrator")
    reader.press("Users")
    reader.see_heading("Users")
    reader.see("Ada")
    reader.driver.execute_script("history.pushState(null, '', arguments[0])", f"/ui/users/{person}")
    reader.driver.execute_script("dispatchEvent(new PopStateEvent('popstate'))")
    reader.see_heading("Ada")
    reader.type("Name", "Half saved")
    reader.press("Save")
    reader.until(lambda: weather.sent("PATCH"), "it is sent")
    reader.driver.back()
    reader.see("Leave without saving?")
    reader.driver.back()  # asks no second time
    reader.press("Leave")
    reader.see_heading("Users")
    gate.opened.set()
    reader.see("Saved.")
    assert weather.sent("PATCH") == 1
    assert site.attributes("users", person)["name"] == "Half saved"
    assert reader.plain(reader.driver.title) == "Users – users_service"
    reader.see_heading("Users")


def test_the_back_button_keeps_what_is_typed(reader, weather, person):
    reader.arrive("users", "administrator")
    reader.press("Ada")
    reader.see_heading("Ada")
    reader.type("Name", "Not saved")
    reader.driver.back()
    reader.press("Cancel")
    reader.see_heading("Ada")
    assert reader.field("Name").get_property("value") == "Not saved"
    reader.type("Name", "Ada")


def test_what_fails_after_the_reader_has_gone_is_said(reader, weather, person):
    reader.expected |= {503}
    opened = threading.Event()
    weather.kinds["PATCH"] = lambda _: opened.wait(SECONDS) and BUSY
    edit(reader, person, "Gone on")
    reader.press("Groups")
    reader.press("Leave")
    reader.see_heading("Groups")
    opened.set()
    reader.see("The service is busy.")


def test_two_tabs(reader, site, person):
    reader.expected |= {412}
    first = reader.driver.current_window_handle
    reader.arrive(f"users/{person}", "administrator")
    reader.type("Name", "First")
    reader.driver.switch_to.new_window("tab")
    try:
        reader.load(f"users/{person}")
        reader.type("Name", "Second")
        reader.press("Save")
        reader.see("Saved.")
    finally:
        reader.driver.close()
        reader.driver.switch_to.window(first)
    reader.press("Save")
    reader.see("Somebody else has changed this too", "First", "Second")
    reader.press("Cancel")
    assert reader.field("Name").get_property("value") == "First"
    assert site.attributes("users", person)["name"] == "Second"
    reader.type("Name", "Second")


def test_without_a_script_the_page_says_what_it_needs(reader):
    disable = "Emulation.setScriptExecutionDisabled"
    reader.driver.execute_cdp_cmd(disable, {"value": True})
    try:
        reader.load("users")
        body = reader.driver.find_element("css selector", "noscript")
        assert "This page needs JavaScript" in body.text
    finally:
        reader.driver.execute_cdp_cmd(disable, {"value": False})
