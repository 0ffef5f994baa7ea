"""A resource that was added by the guide is in the UI, which nobody has told of it."""

from types import SimpleNamespace

import pytest

from tests.client import user
from tests.server import pserve
from tests.test_adding_a_resource import call, follow, names, tree  # noqa: F401  # a fixture
from tests.ui.reader import Reader
from tests.ui.site import Site

pytestmark = pytest.mark.ui


def test_teams_have_a_list_a_form_and_pickers(chromium, tree):  # noqa: F811
    follow(tree)
    with pserve(tree / "development.ini", {}) as address:
        api = f"{address}/api/v1"
        ada = call("POST", f"{api}/users", user(email="ada@example.com", name="Ada"))["data"]["id"]
        reader = Reader(chromium, Site(address, SimpleNamespace(tokens={})))
        reader.arrive("")
        reader.press("Teams")
        reader.see("Nothing found.")
        reader.press("New Team")
        reader.see_heading("New Team")
        reader.type("Name", "Engines")
        assert reader.field("Open").is_selected()
        pick(reader, "Lead", "Ada")
        reader.press("Create")
        reader.see_heading("Engines")
        assert names(call("GET", f"{api}/users/{ada}/teams")) == ["Engines"]

        reader.press("Teams")
        reader.see_heading("Teams")
        reader.see("Engines", "Yes", "Ada")
        reader.press("Filter")
        reader.press("Add a condition")
        reader.type("Value", "comp")
        reader.press("Apply")
        reader.see("Nothing found.")

        call("POST", f"{api}/teams", {"data": {"type": "teams", "attributes": {"name": "Wings"}}})
        reader.load(f"users/{ada}")
        reader.see("Engines")
        pick(reader, "Add to Teams", "Wings")
        reader.see("Wings was added.")
        assert sorted(names(call("GET", f"{api}/users/{ada}/teams"))) == ["Engines", "Wings"]
        reader.press("Delete")
        reader.see("Teams: 2 prevent this.")
        reader.press("Cancel")
        assert reader.complaints() == []
        assert reader.foreign() == []


def pick(reader: Reader, label: str, name: str) -> None:
    reader.type(label, name)
    reader.until(lambda: reader.names("[role=option]") == [name], f"one {label} is found")
    reader.press(name, "[role=option]")
