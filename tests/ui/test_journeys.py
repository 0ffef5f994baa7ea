"""What people do with the UI, from beginning to end: by mouse, and by the keyboard alone."""

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.auth.world import PASSWORD

pytestmark = pytest.mark.ui


class Hands:
    """How somebody reaches and uses controls."""

    def __init__(self, reader) -> None:
        self.reader = reader

    def check(self) -> None:
        """After each step, something but the body has the keyboard."""
        self.reader.settle()
        self.reader.until(self.reader.focus, "the keyboard is lost")


class Mouse(Hands):
    def press(self, name: str) -> None:
        self.reader.press(name)

    def type(self, label: str, text: str) -> None:
        self.reader.type(label, text)

    def choose(self, name: str, _: str) -> None:
        self.press(name)


class Keyboard(Hands):
    """Nothing but keys: TAB until the control has the keyboard, ENTER or SPACE to use it."""

    def reach(self, name: str, *kinds: str) -> None:
        wanted = {f"{kind} {name}" for kind in kinds}
        self.reader.find(name, ", ".join(kinds))
        met = []
        while (at := self.reader.focus()) not in wanted:
            assert len(met) < 100, f"TAB reaches no {name!r}: {met}"
            met.append(at)
            self.reader.keys(Keys.TAB)

    def press(self, name: str) -> None:
        self.reach(name, "button", "a", "summary")
        self.reader.keys(Keys.ENTER)

    def type(self, label: str, text: str) -> None:
        self.reach(label, "input", "textarea")
        field = self.reader.driver.switch_to.active_element
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)

    def choose(self, name: str, above: str) -> None:
        self.reach(above, "input")  # TAB stops at one radio button, and arrows go on
        self.reader.keys(Keys.ARROW_DOWN)
        assert self.reader.focus() == f"input {name}"


@pytest.fixture(params=[Mouse, Keyboard])
def hands(request, reader):
    return request.param(reader)


def test_a_day_of_an_administrator(reader, site, hands):
    email = f"grace.{type(hands).__name__.lower()}@example.com"
    reader.arrive()
    reader.see_heading("Sign in")
    hands.type("E-mail address", "administrator@example.com")
    hands.type("Password", PASSWORD)
    reader.keys(Keys.ENTER)
    reader.see_heading("Home")
    hands.check()

    # Search.
    hands.press("Users")
    reader.see_heading("Users")
    reader.see("Helpdesk")
    hands.check()
    hands.type("Search Users", "helpd")
    reader.see("1 row on this page.")
    hands.check()

    # Create.
    hands.press("New User")
    reader.see_heading("New User")
    hands.check()
    hands.type("Name", "Grace")
    hands.type("E-mail address", email)
    hands.press("Create")
    reader.see_heading("Grace")
    reader.see("User was created.")
    hands.check()
    id = reader.driver.current_url.rsplit("/", 1)[1]
    assert site.attributes("users", id)["email"] == email

    # Edit.
    hands.type("Name", "Grace H.")
    hands.press("Save")
    reader.see_heading("Grace H.")
    reader.see("Saved.")
    hands.check()
    assert reader.focus() == "button Save"
    assert site.attributes("users", id)["name"] == "Grace H."

    # Somebody else has changed another field meanwhile.
    site.change("users", id, is_active=True)
    hands.type("Name", "Grace Hopper")
    reader.expected.add(412)
    hands.press("Save")
    reader.see_heading("Grace Hopper")
    reader.see("What somebody else has changed meanwhile was kept: Active.")
    hands.check()
    stored = site.attributes("users", id)
    assert (stored["name"], stored["is_active"]) == ("Grace Hopper", True)

    # And now the same one.
    site.change("users", id, name="Somebody else")
    hands.type("Name", "Admiral Hopper")
    hands.press("Save")
    reader.see("Somebody else has changed this too")
    hands.check()
    hands.choose("Keep yours", "Take theirs")
    hands.press("Save what is chosen")
    reader.see_heading("Admiral Hopper")
    hands.check()
    assert site.attributes("users", id)["name"] == "Admiral Hopper"

    # Delete it, and take that back.
    hands.press("Delete")
    reader.see("Delete Admiral Hopper?")
    hands.check()
    hands.press("Delete")
    reader.find("Undo")
    assert reader.focus() == "button Undo"
    hands.check()
    hands.press("Undo")
    reader.see("Nothing was deleted.")
    hands.check()
    assert site.is_there("users", id)


def test_a_deletion_in_a_list_is_undone_without_searching_for_it(reader, site, step):
    id = site.create("groups", name="Undone")
    reader.arrive("groups", "administrator")
    reader.see("Undone")
    reader.press("Choose Undone")
    Select(reader.field("Change")).select_by_visible_text("Delete")
    reader.press("Change rows…")
    reader.see("Delete Undone?")
    step("Delete", then="button Undo")
    reader.keys(Keys.ENTER)
    reader.see("Nothing was deleted.")
    assert reader.focus() == "button Change rows…"
    assert site.is_there("groups", id)


def choose(reader, label: str, option: str) -> None:
    """Choose by arrow keys. The field keeps the keyboard, though others follow from the choice."""
    reader.driver.execute_script("arguments[0].focus()", reader.field(label))
    for _ in range(20):
        assert reader.focus() == f"select {label}"
        active = reader.driver.switch_to.active_element
        if reader.plain(Select(active).first_selected_option.text) == option:
            return
        reader.keys(Keys.ARROW_DOWN)
    raise AssertionError(f"{label} has no {option}")


@pytest.fixture
def step(reader):
    """Press a control, and see which one has the keyboard then."""

    def press(name: str, then: str) -> None:
        reader.press(name)
        reader.settle()
        reader.until(lambda: reader.focus() == then, f"{name!r} leads to {reader.focus()!r}")

    return press


def test_a_list_keeps_the_keyboard_where_it_was(reader, step):
    reader.arrive("users?size=3", "administrator")
    reader.see_heading("Users")
    reader.see("3 rows on this page.")
    step("Count all", then="h1 Users")
    reader.see("in all.")
    step("E-mail address", then="button E-mail address")
    step("Next", then="button Next")
    step("Previous", then="button Next")  # there is no page before

    step("Columns", then="summary Columns")
    step("Role", then="input Role")  # the column goes
    step("Role", then="input Role")  # and is the last one now
    step("Move Role one place earlier", then="button Move Role one place earlier")
    for _ in "again", "and no further":
        step("Move Role one place later", then="button Move Role one place later")
    step("Columns", then="summary Columns")

    step("Filter", then="summary Filter")
    step("Add a condition", then="select Field")
    choose(reader, "Field", "Role")
    choose(reader, "Comparison", "is empty")
    step("Add a condition", then="select Field")
    step("Remove this condition", then="button Remove this condition")
    step("Remove this condition", then="button Add a condition")
    step("Add a condition", then="select Field")
    choose(reader, "Field", "Active")
    step("Apply", then="button Apply")
    reader.see("Filter (1 condition)")
    step("Remove all", then="button Apply")
    step("Filter", then="summary Filter")

    step("Choose all Users on this page", then="input Choose all Users on this page")
    step("Choose none", then="select Change")


def test_saved_views_and_messages_keep_the_keyboard(reader, step):
    reader.arrive("users?sort=email", "administrator")
    reader.see("helpdesk@example.com")
    step("Saved views", then="summary Saved views")
    step("Save this view", then="input Name")
    reader.keys("By address", Keys.ENTER)
    reader.until(lambda: reader.focus() == "button Save this view", "the dialog is open")
    step("Forget By address", then="button Save this view")
    step("Menu", then="summary Menu")
    step("Shortcuts", then="input Use these shortcuts")
    reader.keys(Keys.ESCAPE)
    reader.until(lambda: reader.focus() == "button Shortcuts", "the dialog is open")
    reader.keys(Keys.ESCAPE)
    reader.until(lambda: reader.focus() == "summary Menu", "the menu is open")


def test_related_resources_are_added_and_removed(reader, site, step):
    group = str(site.world.ids["other group"])
    reader.arrive(f"groups/{group}", "administrator")
    reader.see_heading("other group")
    reader.see("Other")
    reader.type("Add to Members", "help")
    reader.until(lambda: reader.names("[role=option]") == ["Helpdesk"], "one is found")
    reader.keys(Keys.ARROW_DOWN, Keys.ENTER)
    reader.see("Helpdesk was added.")
    reader.until(lambda: reader.focus() == "input Add to Members", reader.focus())
    assert "Remove Helpdesk" in reader.names()
    step("Dismiss", then="input Add to Members")
    step("Remove Helpdesk", then="input Add to Members")
    reader.see("Helpdesk was removed.")
    members = site.call("GET", f"groups/{group}/members")["data"]
    assert [each["attributes"]["name"] for each in members] == ["Other"]
