"""The pages of field types: complete, and true to the schema of descriptions and to the fields."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError
from marshmallow.validate import Length

from tests.server import ROOT
from users_service.generator.checks import check
from users_service.generator.model import INDEXED, LENGTHS, SEARCHED, Description
from users_service.generator.reading import read
from users_service.generator.schema import COMMON, NEEDED, OF_TYPES, TYPES
from users_service.generator.tables import BECOMES
from users_service.generator.writing import attribute
from users_service.jsonapi.field_rules import broken_rule, with_rules
from users_service.schemas import base

FOLDER = ROOT / "docs" / "field-types"
OVERVIEW = (FOLDER / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in FOLDER.glob("*.md")
    if path.name != "README.md"
}
each_type = pytest.mark.parametrize("name", TYPES)

# What pages say in words: the element or level that is one too many, and the text that is too long.
IN_WORDS: dict[str, Callable[[int], Any]] = {
    "characters": lambda number: "x" * number,
    "elements": lambda number: ["x"] * number,
    "levels": lambda number: json.loads('{"a":' * number + "1" + "}" * number),
}


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose first heading is this."""
    (table,) = re.findall(rf"^\| {first} \|.*\n\| -.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in table.splitlines()]


def keys(text: str) -> dict[str, list[str]]:
    return {key.strip("`"): rest for key, *rest in rows(text, "key")}


def described(name: str, folder: Path) -> Description:
    """What the example of a page describes, if it has no fault."""
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGES[name], re.MULTILINE | re.DOTALL)
    (kind,) = re.findall(r"^resource: (\w+)$", example, re.MULTILINE)
    path = folder / f"{kind}.yaml"
    path.write_text(example, encoding="utf-8")
    made = read(path)
    check({kind: path}, {kind: made}, {})
    return made


def answer(field: Any, sent: Any) -> str:
    """What clients see of a value that they have sent, or the rule that it breaks."""
    try:
        value = field.deserialize(sent)
        assert value is not None  # its JSON is called like a rule
        return json.dumps(field._serialize(value, "", {}), ensure_ascii=False)
    except ValidationError as error:
        found: Any = error.messages
        (message,) = found if isinstance(found, list) else next(iter(found.values()))
        element = sent[0] if isinstance(found, dict) else sent
        return broken_rule(message, element)[0]


def test_there_is_a_page_for_each_type_and_no_other():
    assert PAGES.keys() == OF_TYPES.keys()
    assert [re.findall(r"\[(\w+)\]\((.*)\)", row[0]) for row in rows(OVERVIEW, "type")] == [
        [(name, f"{name}.md")] for name in TYPES
    ]
    for name, page in PAGES.items():
        assert page.startswith(f"# {name}\n")
        assert len(page.splitlines()) <= 45, name


def test_the_keys_of_every_type_are_those_of_the_schema():
    assert keys(OVERVIEW).keys() == COMMON.keys()


@each_type
def test_the_keys_of_a_page_are_those_of_the_schema(name):
    table = keys(PAGES[name])
    assert table.keys() == OF_TYPES[name].keys()
    for key, rule in OF_TYPES[name].items():
        values, without, _ = table[key]
        if "minimum" in rule:
            assert values == f"{rule['minimum']} to {rule['maximum']}"
        elif "enum" in rule:
            assert values == "`true`, `false`, `ignore_case`"
        assert (without == "has to be there") == (key in NEEDED.get(name, ()))
    if "max" in table and name in LENGTHS:
        assert table["max"][1] == str(LENGTHS[name])


@each_type
def test_the_example_of_a_page_has_no_fault(name, tmp_path):
    fields = described(name, tmp_path).fields
    assert {each.type for each in fields} == {name}


@each_type
def test_what_a_page_shows_of_values_is_so(name, tmp_path):
    fields = {each.name: each for each in described(name, tmp_path).fields}
    (of,) = re.findall(r"Of\s`(\w+)`:$", PAGES[name], re.MULTILINE)
    field = eval(attribute(fields[of]), {**vars(base), "Length": Length})
    names = {"id": base.Identifier(), of: field, "Meta": type("Meta", (), {"type_": "examples"})}
    loader = with_rules(type("ExampleSchema", (base.Schema,), names)())
    for sent, seen in rows(PAGES[name], "sent"):
        number, _, unit = sent.partition(" ")
        value = IN_WORDS[unit](int(number)) if unit in IN_WORDS else json.loads(sent.strip("`"))
        assert answer(loader.fields[of], value) == re.match(r"`([^`]*)`", seen)[1], sent


@each_type
def test_a_page_says_what_a_type_may_become(name):
    (text,) = re.findall(r"^\*\*May become\*\* (.*?)[.:]", PAGES[name], re.MULTILINE)
    expected = {"nothing else"} if name not in BECOMES else {f"`{each}`" for each in BECOMES[name]}
    assert set(text.split(", ")) == expected - {f"`{name}`"}


@each_type
def test_a_page_says_what_is_searched_and_sorted_by_an_index(name):
    words = " ".join(PAGES[name].split())
    assert ("and `icontains` without regard to case" in words) == (name in SEARCHED)
    assert ("indexed" in keys(PAGES[name])) == (name in INDEXED)
