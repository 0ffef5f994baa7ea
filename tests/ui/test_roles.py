"""Whoever looks at the UI: no control is shown that the service refuses when it is used."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.ui

# Who looks at which lists and forms: together, at all that depends on permissions.
LOOKS = {
    "administrator": (["groups"], [("groups", "group")]),
    "helpdesk": (["users", "roles"], [("users", "administrator"), ("roles", "role reader")]),
    "reader": (["users", "tokens"], [("users", "self"), ("groups", "group")]),
    "self": (["users"], [("users", "self"), ("tokens", "token self")]),
    "manager": (["groups"], [("groups", "group")]),
}


class Guest:
    """Uses what is there."""

    def __init__(self, reader) -> None:
        self.reader = reader
        reader.expected.add(404)

    def all(self, selector: str):
        return self.reader.driver.find_elements(By.CSS_SELECTOR, selector)

    def visit_list(self, path: str) -> None:
        self.reader.load(path)
        self.reader.until(lambda: self.all("main table"), f"the list {path}")
        for name in [each.text.strip(" ▲▼") for each in self.all(".sort")]:
            self.reader.press(name)
        self.reader.press("Count all")
        self.reader.see("in all.")
        self.show_all_columns()
        self.look_at_bulk()
        self.filter_by_all()
        if search := self.all("[type=search]"):
            search[0].send_keys("example")
            self.reader.until(lambda: "q=example" in self.reader.driver.current_url, "a search")
        self.reader.settle()

    def show_all_columns(self) -> None:
        self.reader.press("Columns")
        for number in range(len(self.all("[data-tool=columns] input"))):
            box = self.all("[data-tool=columns] input")[number]
            if not box.is_selected():
                box.click()
        self.reader.settle()

    def filter_by_all(self) -> None:
        """One condition on each field and relationship that is offered."""
        self.reader.press("Filter")
        self.reader.press("Add a condition")
        for number in range(len(Select(self.reader.field("Field")).options)):
            if number:
                self.reader.press("Add a condition")
            for place, choose in enumerate(
                (
                    lambda select, number=number: select.select_by_index(number),
                    lambda select: select.select_by_visible_text("is empty"),
                )
            ):
                row = f".conditions li:nth-child({number + 1}) select"
                choose(Select(self.all(row)[place]))
        self.reader.press("Apply")
        self.reader.until(lambda: "where=" in self.reader.driver.current_url, "a filter")
        self.reader.settle()

    def look_at_bulk(self) -> None:
        if not self.all(".bulk:not([hidden])") or not self.all("tbody input"):
            return
        self.all("tbody input")[0].click()
        what = Select(self.all(".bulk select")[1])
        for option in what.options:
            option.click()
            self.reader.press("Change rows…")
            self.reader.until(lambda: self.all("dialog[open]"), "a dialog")
            self.open_pickers()
            self.reader.press("Cancel")

    def open_pickers(self) -> None:
        for box in [each for each in self.all("[role=combobox]") if each.is_displayed()]:
            box.click()
            said = box.find_element(By.XPATH, "../*[@role='status']")
            self.reader.until(lambda said=said: said.get_property("textContent"), "choices")
            if box.get_attribute("aria-expanded") == "true":
                box.send_keys(Keys.ESCAPE)

    def visit_form(self, path: str) -> None:
        self.reader.load(path)
        self.reader.until(lambda: self.all("main h1"), f"the view {path}")
        self.reader.settle()
        self.open_pickers()
        if "Delete" in self.reader.names():
            self.reader.press("Delete")
            self.reader.press("Delete", "dialog .primary")
            self.reader.press("Undo")
        if "Save" in self.reader.names():
            self.all("form .field > input[type=text]:not([role])")[0].send_keys("x")
            self.reader.press("Save")
            self.reader.see("Saved.")


@pytest.mark.parametrize("person", LOOKS)
def test_nothing_is_shown_that_is_refused(reader, site, person):
    guest = Guest(reader)
    lists, forms = LOOKS[person]
    reader.arrive("", person)
    reader.see_heading("Home")
    assert [each.text for each in guest.all("nav a")] == ["Users", "Roles", "Groups", "Tokens"]
    for path in lists:
        guest.visit_list(path)
        if guest.all("[data-shortcut=new]"):
            guest.visit_form(f"{path}/new")
    for kind, name in forms:
        guest.visit_form(f"{kind}/{site.world.ids[name]}")
    assert [each for each in reader.traffic() if each[2] in (400, 401, 403)] == []


def test_nobody_is_led_to_the_page_that_signs_in(reader):
    reader.expected.add(401)
    reader.arrive("")
    reader.see_heading("Sign in")
    assert "Users" not in reader.names()
    reader.load("users")
    reader.see("You have to sign in to do this.")


@pytest.fixture
def narrow(site):
    """A token that may read users, and nothing else."""
    site.world.tokens["narrow"] = site.world.token("administrator", ["users:read"])
    return "narrow"


def test_what_may_not_be_read_is_not_asked_for(reader, site, narrow):
    guest = Guest(reader)
    reader.arrive("users", narrow)
    reader.see("Helpdesk")
    assert [each.text for each in guest.all("nav a")] == ["Users"]
    assert guest.all("[role=combobox]") == []
    guest.visit_form(f"users/{site.world.ids['other']}")
    reader.see_heading("Other")
    assert "Role" not in reader.text()
    assert [each for each in reader.traffic() if each[2] in (401, 403)] == []
