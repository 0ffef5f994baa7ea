"""A resource that was added by the guide is in the UI, which nobody has told of it; and a special
page is one module and one line."""

import json
from types import SimpleNamespace

import pytest

from tests.client import user
from tests.server import pserve
from tests.test_adding_a_resource import call, follow, names, run, tree  # noqa: F401  # a fixture
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


PAGE = """/** Says how many resources there are. */

import { h } from "../core/dom.js";

/** @param {import("../app.js").Context} context @returns {import("../app.js").View} */
export function view(context) {
  const n = context.model.resources.size;
  return { title: "An overview", node: h("p", {}, `There are ${n} kinds.`) };
}
"""
LINE = '  page("overview", () => import("./overview.js"), { menu: () => true }),\n'


def test_a_page_is_a_module_and_a_line_and_its_title(chromium, tree):  # noqa: F811
    static = tree / "users_service" / "ui" / "static"
    (static / "pages" / "overview.js").write_text(PAGE, encoding="utf-8")
    index, texts = static / "pages" / "index.js", static / "lang" / "en.json"
    lines = index.read_text(encoding="utf-8")
    start = "export const pages = [\n"
    assert lines.count(start) == 1
    index.write_text(lines.replace(start, start + LINE), encoding="utf-8")
    titles = json.loads(texts.read_text(encoding="utf-8")) | {"overview.title": "Overview"}
    texts.write_text(json.dumps(titles), encoding="utf-8")
    (tree / "var").mkdir()
    run(tree, ".venv/bin/users-service migrate development.ini")
    with pserve(tree / "development.ini", {}) as address:
        reader = Reader(chromium, Site(address, SimpleNamespace(tokens={})))
        reader.arrive("")
        reader.press("Menu")
        reader.press("Overview")
        reader.see_heading("An overview")
        reader.see("There are 4 kinds.")
        assert reader.driver.current_url.endswith("/ui/overview")
        assert reader.complaints() == []


def pick(reader: Reader, label: str, name: str) -> None:
    reader.type(label, name)
    reader.until(lambda: reader.names("[role=option]") == [name], f"one {label} is found")
    reader.press(name, "[role=option]")
