"""A described resource with every type of field and kind of relationship has a working UI."""

from types import SimpleNamespace
from urllib.parse import quote

import pytest
from selenium.webdriver.support.ui import Select

from tests.client import user
from tests.generator.checkout import commit, copied, resource, run
from tests.server import pserve
from tests.test_adding_a_resource import call, names
from tests.ui.reader import TYPED, Reader
from tests.ui.site import Site
from tests.ui.test_added_resource import pick
from tests.ui.test_axe import axe, violations  # noqa: F401  # fixtures
from tests.ui.test_field_types import choose
from users_service.generator.schema import TYPES

pytestmark = pytest.mark.ui

DESCRIPTION = """\
resource: teams
title: {one: Team, many: Teams}
named_by: name
owner: lead
fields:
  name: {type: line, max: 80, required: true, unique: ignore_case}
  about: {type: text, max: 500}
  contact: {type: email, unique: ignore_case}
  page: url
  is_open: {type: boolean, default: true}
  size: {type: integer, min: 1, max: 99}
  budget: {type: decimal, digits: 12, scale: 2, min: 0}
  founded_on: date
  seen_at: timestamp
  kind: {type: choice, of: {squad: Squad, guild: Guild}, default: squad}
  tags: {type: list, default: []}
  shape: object
relationships:
  lead: {to: users, inverse: leads, required: true, on_delete: restrict}
  deputy: {to: users, inverse: stands_in}
  members: {to_many: users, inverse: teams}
  parent: {to: teams, inverse: children}
  allies: {to_many: teams, inverse: allied_to}
ui: {columns: [name, kind, budget, is_open, founded_on, lead], search: [name, about]}
"""
TEXTS = {
    "Name": "Engines",
    "About": "of many kinds",
    "Contact": "engines@example.com",
    "Page": "https://example.com/engines",
    "Size": "12",
    "Budget": "1234567890.5",
    "Tags": "steam\noil",
    "Shape": '{"sizes": [1, 2.5]}',
}
PICKED = {"Founded on": "2026-01-31", "Seen at": "2026-01-31T12:00:05"}
STORED = {
    "name": "Engines",
    "about": "of many kinds",
    "contact": "engines@example.com",
    "page": "https://example.com/engines",
    "is_open": False,
    "size": 12,
    "budget": "1234567890.50",
    "founded_on": "2026-01-31",
    "kind": "guild",
    "tags": ["steam", "oil"],
    "shape": {"sizes": [1, 2.5]},
}
# What finds the team that is stored, and what does not.
CONDITIONS = {
    "name~icontains~ENGI": "name~eq~Engine",
    "about~contains~many": "about~startswith~many",
    "contact~eq~Engines@Example.com": "contact~isnull~true",
    "page~endswith~/engines": "page~contains~org",
    "is_open~eq~false": "is_open~eq~true",
    "size~ge~12": "size~gt~12",
    "budget~gt~1234567890.49": "budget~lt~1234567890.5",
    "founded_on~le~2026-01-31": "founded_on~lt~2026-01-31",
    "seen_at~ge~2026-01-30": "seen_at~ge~2026-02-02",
    "kind~eq~guild": "kind~eq~squad",
    "lead~in~{ada}": "lead~in~{grace}",
    "deputy~isnull~true": "deputy~in~{ada}",
    "members~isnull~true": "members~in~{grace}",
    "parent~isnull~true": "parent~isnull~false",
    "allies~isnull~true": "allies~isnull~false",
}
SET = """
arguments[0].value = arguments[1];
arguments[0].dispatchEvent(new Event("input", {bubbles: true}));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A copy of the checkout, served with what a description has added to it."""
    tree = copied(tmp_path_factory.mktemp("described"))
    (tree / "resources").mkdir()
    (tree / "resources" / "teams.yaml").write_text(DESCRIPTION, encoding="utf-8")
    commit(tree)
    resource(tree, "apply --yes")
    (tree / "var").mkdir()
    run(tree, ".venv/bin/users-service migrate development.ini")
    with pserve(tree / "development.ini", {"PYTHONPATH": str(tree)}) as address:
        yield Site(address, SimpleNamespace(tokens={}, ids={}))


@pytest.fixture(scope="module")
def people(site):
    """The ids of two users."""
    return {
        name.lower(): call(
            "POST", f"{site.address}/api/v1/users", user(email=f"{name}@example.com", name=name)
        )["data"]["id"]
        for name in ("Ada", "Grace")
    }


def team(site: Site, lead: str, **attributes) -> str:
    """Create a team past the UI, and return its id."""
    relationships = {"lead": {"data": {"type": "users", "id": lead}}}
    data = {"type": "teams", "attributes": attributes, "relationships": relationships}
    return call("POST", f"{site.address}/api/v1/teams", {"data": data})["data"]["id"]


@pytest.fixture
def engines(site, people):
    """The id of a team with a value in each field, the only one that there is."""
    api = f"{site.address}/api/v1/teams"
    for one in call("GET", api)["data"]:
        call("DELETE", f"{api}/{one['id']}")
    return team(site, people["ada"], seen_at="2026-01-31T12:00:05Z", **STORED)


def related(site: Site, path: str) -> list[str]:
    return sorted(names(call("GET", f"{site.address}/api/v1/{path}")))


def fields_with_faults(reader: Reader) -> set[str]:
    script = "return [...document.querySelectorAll('[aria-invalid=true]')]"
    faulty = reader.driver.execute_script(script)
    return {label for label in reader.names(TYPED) if label and reader.field(label) in faulty}


def test_every_type_is_described():
    assert [kind for kind in TYPES if f"type: {kind}" not in DESCRIPTION] == [
        kind for kind in TYPES if f": {kind}\n" in DESCRIPTION
    ]


def test_the_form_has_a_control_for_each_type(reader, site, people):
    reader.arrive("teams")
    reader.press("New Team")
    reader.see_heading("New Team")
    assert Select(reader.field("Kind")).first_selected_option.text == "Squad"
    assert reader.field("Is open").is_selected()
    for label, text in TEXTS.items():
        reader.type(label, text)
    for label, moment in PICKED.items():
        reader.driver.execute_script(SET, reader.field(label), moment)
    choose(reader, "Kind", "Guild")
    reader.press("Is open")
    pick(reader, "Lead", "Ada")
    reader.press("Create")
    reader.see_heading("Engines")
    id = reader.driver.current_url.rsplit("/", 1)[1]
    url = f"{site.address}/api/v1/teams/{id}"
    made = call("GET", f"{url}?include=lead")
    assert {name: made["data"]["attributes"][name] for name in STORED} == STORED
    assert made["data"]["attributes"]["seen_at"].startswith("2026-01-3")
    assert names({"data": made["included"]}) == ["Ada"]

    reader.settle()
    assert reader.field("Seen at").get_attribute("value") == PICKED["Seen at"]
    reader.type("Budget", "7")
    reader.type("Page", "")
    reader.type("Tags", "")
    reader.press("Save")
    reader.see("Saved.")
    changed = {"budget": "7.00", "page": None, "tags": []}
    shown = call("GET", url)["data"]["attributes"]
    assert {name: shown[name] for name in STORED} == STORED | changed


def test_faults_are_told_at_their_fields(reader, engines):
    reader.arrive("teams/new")
    faulty = {"Contact": "engines", "Page": "engines", "Size": "100", "Budget": "0.125"}
    for label, text in faulty.items():
        reader.type(label, text)
    reader.expected |= {409, 422}
    reader.press("Create")
    reader.see("Must be at most 99.", "Must be a multiple of 0.01.", "Is required.")
    assert fields_with_faults(reader) == {*faulty, "Name", "Lead"}

    for label in faulty:
        reader.type(label, "")
    reader.type("Name", "ENGINES")
    pick(reader, "Lead", "Grace")
    reader.press("Create")
    reader.see("Is taken already.")
    assert fields_with_faults(reader) == {"Name"}


def test_the_list_has_columns_a_search_and_orders(reader, site, engines, people):
    team(site, people["grace"], name="Wings", about="for engines", budget="9.5")
    reader.arrive("teams")
    reader.see("Engines", "Guild", "1234567890.50", "No", "Ada", "Wings", "Squad", "9.50", "Grace")
    columns = "return [...document.querySelectorAll('thead th')].map((each) => each.innerText)"
    titles = [title.strip(" ▲▼") for title in reader.driver.execute_script(columns)]
    assert titles == ["Name", "Kind", "Budget", "Is open", "Founded on", "Lead"]
    rows = "return [...document.querySelectorAll('tbody th')].map((each) => each.innerText)"
    for column, orders in {
        "Budget": (["Wings", "Engines"], ["Engines", "Wings"]),
        "Kind": (["Engines", "Wings"], ["Wings", "Engines"]),
    }.items():
        for order in orders:
            reader.press(column, "button.sort")
            reader.until(
                lambda order=order: reader.driver.execute_script(rows) == order,
                f"not sorted by {column}: {order}",
            )
    reader.type("Search Teams", "for ENG")
    reader.see("1 row on this page.", "Wings")


def test_each_type_has_a_filter(reader, engines, people):
    reader.arrive("teams")
    for found, missed in CONDITIONS.items():
        reader.load(f"teams?where={quote(found.format(**people))}")
        reader.see("1 row on this page.", "Engines")
        reader.see("Filter (1 condition)")
        reader.load(f"teams?where={quote(missed.format(**people))}")
        reader.see("Nothing found.")
        reader.see("Filter (1 condition)")


def test_pickers_link_from_either_end(reader, site, engines, people):
    wings = team(site, people["grace"], name="Wings")
    reader.arrive(f"teams/{engines}")
    reader.see_heading("Engines")
    pick(reader, "Deputy", "Grace")
    pick(reader, "Parent", "Wings")
    reader.press("Save")
    reader.see("Saved.")
    shown = call("GET", f"{site.address}/api/v1/teams/{engines}?include=deputy,parent")
    assert sorted(names({"data": shown["included"]})) == ["Grace", "Wings"]
    pick(reader, "Add to Members", "Grace")
    reader.see("Grace was added.")
    pick(reader, "Add to Allies", "Wings")
    reader.see("Wings was added.")
    assert related(site, f"teams/{engines}/members") == ["Grace"]
    assert related(site, f"teams/{wings}/children") == ["Engines"]
    assert related(site, f"teams/{wings}/allied_to") == ["Engines"]

    reader.load(f"users/{people['grace']}")
    reader.see("Leads", "Stands in", "Teams", "Engines", "Wings")
    pick(reader, "Add to Teams", "Wings")
    reader.see("Wings was added.")
    assert related(site, f"teams/{wings}/members") == ["Grace"]
    reader.press("Delete")
    reader.see("Teams: 1 prevents this.")
    reader.press("Cancel")


@pytest.mark.parametrize("view", ["teams", "teams/new", "teams/{}"])
def test_views_are_accessible(reader, violations, engines, view):  # noqa: F811
    reader.arrive(view.format(engines))
    reader.see("Name")
    assert violations() == []
