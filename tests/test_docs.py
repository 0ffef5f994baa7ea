"""The documents: what they show is run, and what they list is complete."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tests import asvs
from tests.further import further_relationships
from tests.server import ROOT, pserve
from users_service import jsonapi
from users_service.auth.errors import CODES as SIGN_IN_CODES
from users_service.auth.errors import RULES as SIGN_IN_RULES
from users_service.auth.fields import FIELDS
from users_service.database.migrations import upgrade
from users_service.headers import UI_HEADERS
from users_service.jsonapi.errors import CODES, RULES
from users_service.settings import Settings

README_PATH = ROOT / "README.md"
README = README_PATH.read_text()


def shell_blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def json_values(text: str) -> list:
    """Split documents that stand one behind the other."""
    values = []
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        values.append(value)
        text = text[end:].lstrip()
    return values


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> list:
    """What the README's curl commands print, in order, against a server of development.ini."""
    folder = tmp_path_factory.mktemp("readme")
    ini = Path(shutil.copy(ROOT / "development.ini", folder))
    upgrade(str(ini))
    script = "\n".join(block for block in shell_blocks(README) if "curl" in block)
    # The commands and the server use the same database, and no other.
    variables = {"USERS_SERVICE_DATABASE_URL": f"sqlite:///{folder}/var/development.sqlite3"}
    with pserve(ini, variables) as address:
        script = script.replace("http://127.0.0.1:6543", address)
        script = script.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        script = script.replace("development.ini", str(ini)).replace("signed-in", f"{folder}/s")
        done = subprocess.run(
            ["bash", "-eu", "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | variables,
        )
        said = re.sub(r"The user \S+ is made\.", "", done.stdout)
        return json_values(said.replace(address, "http://127.0.0.1:6543"))


def shape(value):
    """A document without what differs from one run to the next."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", json.dumps(value))
    return json.loads(re.sub(r'"\d{4}-[^"]*Z"', '"TIME"', text))


def test_the_first_request_gives_the_answer_that_the_readme_shows(answers):
    (shown,) = re.findall(r"^```json\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    answer = shape(answers[0])
    for name in further_relationships("users"):  # which the README knows nothing of
        del answer["data"]["relationships"][name]
    assert answer == shape(json.loads(shown))


def test_the_five_requests_of_the_readme_work(answers):
    _, tokens, created, listed, read, changed = answers  # and nothing for the deletion
    assert [token["type"] for token in tokens["data"]] == ["tokens"]
    assert created == read
    assert created["data"] in listed["data"]
    assert changed["data"]["attributes"]["name"] == "Ada Lovelace"


def test_the_readme_lists_every_setting_with_its_default():
    section = README.partition("## Settings")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE))
    words = {None: "required", "": "nothing"}
    assert rows == {
        field.name: words.get(field.metadata["default"], field.metadata["default"])
        for field in fields(Settings)
    }


def test_every_error_code_is_documented_with_its_status():
    text = (ROOT / "docs" / "errors.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    assert [(code, int(status)) for code, status in rows] == [
        (code, status) for code, (status, _) in {**CODES, **SIGN_IN_CODES}.items()
    ]


def test_every_rule_of_fields_is_documented():
    text = (ROOT / "docs" / "errors.md").read_text()
    section = text.partition("## Rules of fields")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert rows == [*RULES, *SIGN_IN_RULES]


def test_what_jsonapi_gives_is_listed():
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition("## What jsonapi asks and gives")[2].partition("\n## ")[0]
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", section))))
    directives = set(re.findall(r'add_directive\("(\w+)"', inspect.getsource(jsonapi)))
    assert directives
    assert (set(jsonapi.__all__) - {"includeme"} | directives) - words == set()


@pytest.mark.parametrize(
    "path", [README_PATH, *(ROOT / "docs").rglob("*.md")], ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\((?!http)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_rows_of_asvs_are_those_of_the_page():
    text = (ROOT / "docs" / "security.md").read_text()
    rows = asvs.rows_of(text)
    assert rows.keys() == asvs.ROWS.keys()
    for row, line in rows.items():
        level, asked, otherwise = asvs.ROWS[row]
        shown = line.removesuffix(" |").split(" | ")
        assert shown[1:3] == [str(level), asked]
        expected = asvs.MET if otherwise is None else ": ".join(otherwise)
        assert shown[-1] == expected, row
        for test in re.findall(r"`([^`]*)`", shown[3]):
            file, _, name = test.partition("::")
            found = (path.read_text() for path in (ROOT / "tests").rglob(file))
            assert any(f"def {name}(" in text for text in found), test


def test_the_page_has_the_policy_of_the_browser_ui():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"`{UI_HEADERS['Content-Security-Policy']}`" in text


def test_the_page_says_who_may_write_which_field():
    section = (ROOT / "docs" / "security.md").read_text()
    section = section.partition("<!-- fields -->")[2].partition("<!-- /fields -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `([\w:]+)` \| (.*) \|", section, re.MULTILINE)
    assert rows == [
        (
            kind,
            name,
            writers.permission,
            ", ".join(
                ["the user itself"] * writers.own + ["managers of the group"] * writers.managers
            ),
        )
        for kind, table in FIELDS.items()
        for name, writers in table.items()
    ]
