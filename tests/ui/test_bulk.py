"""Changes of many rows, and deletions with time to undo them, as readers see them in a browser."""

import re
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser import chromium, complaints
from tests.ui.people import Line, add, delete, line_to, rename, rows_of, serving, total_of

pytestmark = pytest.mark.ui

NUMBERS = count(1)
# Seconds for what takes the browser a moment, and for 5,000 rows.
MOMENT, LONG = 20, 180


@pytest.fixture(scope="module")
def driver() -> Iterator[WebDriver]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def connected(tmp_path_factory) -> Iterator[Line]:
    with serving(tmp_path_factory.mktemp("service")) as address, line_to(address) as line:
        yield line


@pytest.fixture
def line(connected) -> Line:
    connected.clear()
    return connected


def plain(text: str) -> str:
    """A text without the marks around what is put into it."""
    return text.replace("\u2068", "").replace("\u2069", "")


class Page:
    """The list of a type in the browser."""

    def __init__(self, driver: WebDriver, address: str, type: str, search: str = "") -> None:
        self.driver = driver
        driver.get(f"{address}/ui/{type}?q={search}&sort=name")
        self.wait_for(lambda: self.all("tbody tr"))

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait_for(self, found: Any, seconds: float = MOMENT) -> Any:
        return WebDriverWait(self.driver, seconds).until(lambda _: found())

    def text(self, selector: str) -> str:
        return plain("\n".join(element.text for element in self.all(selector)))

    def wait_for_text(self, selector: str, text: str, seconds: float = MOMENT) -> None:
        self.wait_for(lambda: text in self.text(selector), seconds)

    def press(self, text: str, within: str = "main") -> None:
        def found() -> list[WebElement]:
            return [b for b in self.all(f"{within} button") if b.text == text and b.is_enabled()]

        self.wait_for(found)[-1].click()

    def choose(self, *numbers: int) -> None:
        boxes = self.all("tbody .choose input")
        for number in numbers:
            boxes[number].click()

    def start(self, change: str, scope: str = "chosen") -> None:
        scopes, changes = (Select(element) for element in self.all(".bulk select"))
        scopes.select_by_value(scope)
        changes.select_by_index([plain(each.text) for each in changes.options].index(change))
        self.press("Change rows…", ".bulk")
        self.wait_for(lambda: self.all("dialog[open]"))


def people(line: Line, number: int) -> tuple[str, list[Any]]:
    """Make users; returns the name that all have at its beginning, and their rows."""
    team = f"Team{next(NUMBERS)}x"
    users = [{"name": f"{team} {n:03}", "email": f"{n}@{team}.example"} for n in range(number)]
    rows = add(line.address, "users", users)
    line.clear()
    return team, rows


def test_of_5000_rows_those_that_others_changed_or_deleted_are_named(driver, tmp_path):
    with serving(tmp_path, users=5000) as address:
        page = Page(driver, address, "users")
        page.start("Active: yes", "all")
        assert "5,000 rows will be changed (Users)." in page.text("dialog")
        rows = rows_of(address, "users", sort="id")
        changed, gone = [rows[i] for i in (1, 500, 999)], [rows[0], rows[700]]
        for number, row in enumerate(changed):
            rename(address, row, f"Somebody else {number}")
        for row in gone:
            delete(address, row)
        page.press("Change", "dialog")
        page.wait_for_text(".bulk-run", "Active: yes: 4,995 done.", LONG)
        page.wait_for_text(".bulk-run", "5 rows were not changed:")
        failures = page.text(".bulk-run .failures").splitlines()
        assert sorted(failures) == sorted(
            [f"{row['attributes']['name']} – changed meanwhile" for row in changed]
            + [f"{row['attributes']['name']} – deleted meanwhile" for row in gone]
        )
        links = {link.get_attribute("href") for link in page.all(".bulk-run .failures a")}
        assert links == {f"{address}/ui/users/{row['id']}" for row in changed}

        page.press("Try again", ".bulk-run")
        page.wait_for(lambda: page.all("dialog[open]"))
        for number, row in enumerate(changed):
            assert f"Name: {row['attributes']['name']} Somebody else {number}" in page.text(
                "dialog"
            )
        page.press("Try again", "dialog")
        page.wait_for_text(".messages", "Active: yes: 3 done.")
        assert total_of(address, "users", **{"filter[is_active]": "true"}) == 4998
    # The browser itself tells of each refusal.
    refused = re.compile("/operations - Failed to load resource: .* (404|412) ")
    assert [text for text in complaints(driver) if not refused.search(text)] == []


def test_chosen_rows_join_a_group_that_the_reader_picks(driver, line):
    team, _ = people(line, 3)
    [group] = add(line.address, "groups", [{"name": f"Group of {team}"}])
    page = Page(driver, line.address, "users", team)
    page.choose(0, 2)
    page.start("Add: Groups")
    assert "2 rows will be changed (Users)." in page.text("dialog")
    [confirm] = [b for b in page.all("dialog button") if b.text == "Change"]
    assert not confirm.is_enabled()
    page.all("dialog input")[0].send_keys(team)
    page.wait_for(lambda: page.all("dialog [aria-selected]"))[0].click()
    page.press("Change", "dialog")
    page.wait_for_text(".messages", "Add: Groups: 2 done.")
    names = [
        row["attributes"]["name"]
        for row in rows_of(line.address, "users", sort="name", **{"filter[groups]": group["id"]})
    ]
    assert names == [f"{team} 000", f"{team} 002"]
    assert complaints(driver) == []


def test_all_rows_of_a_page_are_chosen_and_left_again(driver, line):
    team, _ = people(line, 3)
    page = Page(driver, line.address, "users", team)
    page.all("thead .choose input")[0].click()
    assert "3 chosen rows" in page.text(".bulk select")
    page.press("Choose none", ".bulk")
    page.wait_for_text(".bulk select", "0 chosen rows")
    assert not [box for box in page.all("tbody .choose input") if box.is_selected()]


def test_an_undone_deletion_sends_nothing(driver, line):
    team, _ = people(line, 2)
    page = Page(driver, line.address, "users", team)
    page.choose(0, 1)
    page.start("Delete")
    assert f"{team} 000" in page.text("dialog")
    page.press("Delete", "dialog")
    page.wait_for_text(".messages", "2 rows will be deleted in 8 seconds.")
    page.press("Undo", ".messages")
    page.wait_for_text(".messages", "Nothing was deleted.")
    # That message is shown for eight seconds too.
    page.wait_for(lambda: "Nothing was deleted." not in page.text(".messages"))
    assert line.sizes == []
    assert total_of(line.address, "users", filter=f"startsWith(name,'{team}')") == 2


def test_a_deletion_is_sent_after_eight_seconds(driver, line):
    team, _ = people(line, 2)
    page = Page(driver, line.address, "users", team)
    page.choose(1)
    page.start("Delete")
    assert f"Delete {team} 001?" in page.text("dialog h2")
    meant = time.monotonic()
    page.press("Delete", "dialog")
    page.wait_for_text(".messages", "Delete: 1 done.")
    assert line.sizes == [1]
    assert line.times[0] - meant >= 8
    page.wait_for(lambda: len(page.all("tbody tr")) == 1)


def test_a_deletion_can_be_sent_at_once(driver, line):
    team, _ = people(line, 2)
    page = Page(driver, line.address, "users", team)
    page.choose(0)
    page.start("Delete")
    meant = time.monotonic()
    page.press("Delete", "dialog")
    page.press("Delete now", ".messages")
    page.wait_for_text(".messages", "Delete: 1 done.")
    assert line.sizes == [1]
    assert line.times[0] - meant < 8


def test_a_deletion_says_what_is_in_its_way_and_what_goes_along(driver, line):
    team, _ = people(line, 3)
    [one, other] = add(line.address, "roles", [{"name": f"{team} {n}"} for n in range(2)])
    page = Page(driver, line.address, "users", team)
    page.choose(0, 1)
    page.start("Set: Role")
    page.all("dialog input")[0].send_keys(f"{team} 0")
    page.wait_for(lambda: page.all("dialog [aria-selected]"))[0].click()
    page.press("Change", "dialog")
    page.wait_for_text(".messages", "Set: Role: 2 done.")

    page = Page(driver, line.address, "roles", team)
    page.choose(0, 1)
    page.start("Delete")
    page.wait_for_text("dialog .along", "Users: 2 prevent this.")
    page.press("Delete", "dialog")
    page.wait_for_text(".bulk-run", "Delete: 1 done.")
    assert page.text(".bulk-run .failures").startswith(f"{team} 0 – ")
    left = rows_of(line.address, "roles", filter=f"startsWith(name,'{team}')")
    assert [row["id"] for row in left] == [one["id"]] != [other["id"]]


def test_a_run_is_stopped_in_the_middle_and_goes_on_later(driver, line):
    team, _ = people(line, 250)
    line.fates = ["pass", "refuse"]
    page = Page(driver, line.address, "users", team)
    page.start("Active: yes", "all")
    page.press("Change", "dialog")
    page.wait_for_text(".bulk-run", "The service is busy. Going on in 7 seconds.")
    page.press("Stop", ".bulk-run")
    page.wait_for_text(".bulk-run", "150 rows were not sent.")
    assert line.sizes == [100, 100]
    assert "Active: yes: 100 done." in page.text(".bulk-run")
    active = {"filter": f"and(startsWith(name,'{team}'),equals(is_active,'true'))"}
    assert total_of(line.address, "users", **active) == 100
    page.press("Go on", ".bulk-run")
    page.wait_for_text(".messages", "Active: yes: 150 done.")
    assert total_of(line.address, "users", **active) == 250


def test_a_run_pauses_while_the_service_cannot_be_reached(driver, line):
    team, _ = people(line, 150)
    line.fates = ["lose the answer"]
    page = Page(driver, line.address, "users", team)
    page.start("Active: yes", "all")
    page.press("Change", "dialog")
    page.wait_for_text(".bulk-run", "The service cannot be reached.")
    page.press("Go on", ".bulk-run")
    page.wait_for_text(".messages", "Active: yes: 150 done.")
    assert line.sizes == [100, 50]
