"""Somebody who uses the UI in a browser: every step waits for what it needs to be visible."""

import re
from collections.abc import Callable
from typing import Any

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser
from tests.client import API
from tests.ui.site import Site

SECONDS = 20  # a loaded machine is slow
PRESSED = "button, summary, a[href], [role=option], input[type=checkbox], input[type=radio]"
TYPED = "input, select, textarea"
FAILED = re.compile(r"(\S+) - Failed to load resource: (?:.* status of (\d+)|net::ERR_)")

# What is visible, enabled, and has an accessible name, in the uppermost dialog if there is one.
NAMED = """
const plain = (text) => text.replace(/[\\u2066-\\u2069]/g, "").replace(/\\s+/g, " ").trim();
const labelOf = (element) => [...(element.labels ?? [])].map((each) => each.textContent).join(" ");
const nameOf = (element) =>
  plain(element.ariaLabel || labelOf(element) || (element.options ? "" : element.textContent))
    .replace(/ [▲▼]$/, "").replace(/ \\(required\\)$/, "");
const named = (selector) => {
  const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
  return [...top.querySelectorAll(selector)].filter((each) =>
    each.checkVisibility({visibilityProperty: true}) && !each.matches(":disabled"));
};
"""
FIND = f"{NAMED} return named(arguments[0]).find((each) => nameOf(each) === arguments[1]);"
NAMES = f"{NAMED} return named(arguments[0]).map(nameOf);"
TEXT = """
const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
return top.innerText.replace(/[\\u2066-\\u2069]/g, "");
"""
FOCUS = f"""{NAMED}
const {{activeElement}} = document;
if (activeElement === document.body) return "";
return `${{activeElement.localName}} ${{nameOf(activeElement)}}`;
"""


class Reader:
    """One who looks, clicks and types.

    :ivar expected: the status codes of requests that are meant to fail; 0 for no answer.
    """

    def __init__(self, driver: WebDriver, site: Site) -> None:
        self.driver = driver
        self.site = site
        self.expected: set[int] = set()
        self.urls: list[str] = []

    def arrive(self, path: str = "", person: str | None = None) -> None:
        """Load a page of the UI, as somebody who has signed in or as nobody."""
        self.driver.delete_all_cookies()
        self.driver.execute_cdp_cmd(
            "Storage.clearDataForOrigin",
            {"origin": self.site.address, "storageTypes": "local_storage,cookies"},
        )
        if person:
            self.sign_in_as(person)
        self.load(path)

    def sign_in_as(self, person: str) -> None:
        cookie = {"name": "users_service", "value": self.site.world.tokens[person]}
        self.driver.execute_cdp_cmd("Network.setCookie", cookie | {"url": self.site.address})

    def load(self, path: str) -> None:
        self.driver.get(f"{self.site.address}/ui/{path}")

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """Wait until something is found, and return it."""

        def look(_: WebDriver) -> Any:
            try:
                return found()
            except (StaleElementReferenceException, JavascriptException):
                return None  # the page has changed meanwhile

        try:
            return WebDriverWait(self.driver, SECONDS, poll_frequency=0.05).until(look)
        except TimeoutException:
            raise AssertionError(f"{what}; there is: {self.text()}") from None

    def find(self, name: str, selector: str = PRESSED) -> WebElement:
        """The visible control with a name, which is its text or its label."""
        script = self.driver.execute_script
        return self.until(
            lambda: script(FIND, selector, name),
            f"no control is called {name!r}",
        )

    def names(self, selector: str = PRESSED) -> list[str]:
        """The names of all visible controls."""
        return self.driver.execute_script(NAMES, selector)

    def press(self, name: str, selector: str = PRESSED) -> None:
        """Click on a control."""

        def click() -> bool:
            try:
                self.find(name, selector).click()
            except (ElementClickInterceptedException, ElementNotInteractableException):
                return False  # something is still in front of it
            return True

        self.until(click, f"{name!r} cannot be clicked on")

    def field(self, label: str) -> WebElement:
        return self.find(label, TYPED)

    def type(self, label: str, text: str) -> None:
        """Type a text in place of the one that a field has."""
        field = self.field(label)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text or Keys.DELETE)

    def text(self) -> str:
        """All that is visible: in the uppermost dialog, or in the page."""
        return self.driver.execute_script(TEXT)

    def see(self, *texts: str) -> None:
        for text in texts:
            self.until(lambda text=text: text in self.text(), f"{text!r} is not to be seen")

    def see_heading(self, text: str) -> None:
        """Wait for a view."""
        find = self.driver.find_element
        self.until(
            lambda: self.plain(find(By.CSS_SELECTOR, "main[aria-busy], main h1").text) == text,
            f"no view is called {text!r}",
        )

    def settle(self) -> None:
        """Wait until nothing is being fetched for the view."""
        script = (
            "return document.querySelector('dialog[open]') ||"
            "document.querySelector('main') && !document.querySelector('[aria-busy]')"
        )
        self.until(lambda: self.driver.execute_script(script), "the view is not finished")

    def plain(self, text: str) -> str:
        return re.sub("[\u2066-\u2069]", "", text)

    def focus(self) -> str:
        """The element that has the keyboard, and its name; empty if it is none but the body."""
        return self.driver.execute_script(FOCUS)

    def keys(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def complaints(self) -> list[str]:
        """What the console has said since the last call, but for failures that are expected."""

        def is_expected(message: str) -> bool:
            found = FAILED.match(message)
            return bool(found) and API in found[1] and int(found[2] or 0) in self.expected

        return [each for each in browser.complaints(self.driver) if not is_expected(each)]

    def traffic(self) -> list[tuple[str, str, int]]:
        """The method, URL and status of what has been answered since the last call."""
        told = browser.events(self.driver)
        self.urls += browser.requested(told)
        return browser.answered(told)

    def foreign(self) -> list[str]:
        """The URLs of other hosts that were asked for."""
        self.traffic()
        known = (f"{self.site.address}/", "about:")
        return [url for url in self.urls if not url.startswith(known)]
