"""The commands of described resources, where people and descriptions meet."""

import json
import re
import shutil
import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.generator.checkout import commit, copied, resource, run

TEAMS = """# Who works together.
resource: teams
fields:
  name: {type: line, max: 80, required: true}  # what it is called
  motto: text
relationships:
  lead: {to: users, inverse: leads}
"""
MODEL = "users_service/models/teams.py"


@pytest.fixture(scope="module")
def applied(tmp_path_factory) -> Path:
    tree = copied(tmp_path_factory.mktemp("applied"))
    (tree / "resources").mkdir()
    (tree / "resources/teams.yaml").write_text(TEAMS)
    resource(tree, "apply --yes")
    commit(tree)
    return tree


@pytest.fixture
def tree(applied, tmp_path) -> Path:
    """A checkout in which teams were applied."""
    return Path(shutil.copytree(applied, tmp_path / "tree", symlinks=True))


def edit(tree: Path, path: str, before: str, after: str) -> None:
    text = (tree / path).read_text()
    assert text.count(before) == 1
    (tree / path).write_text(text.replace(before, after))


def edited(tree: Path, path: str, before: str, after: str) -> None:
    edit(tree, path, before, after)
    commit(tree)


def refused(tree: Path, arguments: str) -> str:
    """What a command says that ends with 2, and writes nothing."""
    said = resource(tree, arguments, 2)
    changed = run(tree, "git status --porcelain").splitlines()
    assert [line for line in changed if "resources/teams.yaml" not in line] == []
    return said


def test_what_both_sides_changed_is_a_conflict_and_nothing_is_written(tree):
    edited(tree, MODEL, "text_column(80)", "text_column(80, index=True)")
    edit(tree, "resources/teams.yaml", "max: 80", "max: 90")
    said = refused(tree, "apply --yes")
    assert f"Conflict in {MODEL}, class Team > name." in said
    assert "text_column(80, index=True)" in said
    assert "text_column(90)" in said


def test_a_statement_that_people_changed_stays(tree):
    edited(tree, MODEL, "text_column(80)", "text_column(80, index=True)")
    edit(tree, "resources/teams.yaml", "  motto: text\n", "  motto: text\n  size: integer\n")
    printed = resource(tree, "diff")
    assert "+    size: Mapped[int | None] = mapped_column(BigInteger)" in printed
    assert "safe        Add size to teams." in printed
    assert run(tree, "git diff --stat -- users_service tests") == ""


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (MODEL, None, "No module named 'users_service.models.teams'. Mend it, or git checkout"),
        (MODEL, "class Team(:\n", "teams.py:1: invalid syntax"),
        ("tests/api/test_teams.py", None, "test_teams.py is not there. Get it back"),
        ("tests/api/test_teams.py", "def a(:\n", "test_teams.py:1:"),
        ("resources/.applied/teams.yaml", "files: {}\n", "Is damaged. Get it back"),
        ("resources/teams.yaml", None, "resources/teams.yaml is not there. Get it back"),
    ],
)
def test_a_file_that_people_deleted_or_broke(tree, path, text, words):
    if text is None:
        (tree / path).unlink()
    else:
        (tree / path).write_text(text)
    commit(tree)
    assert words in refused(tree, "apply --yes")


def test_loss_has_to_be_accepted(tree):
    edit(tree, "resources/teams.yaml", "  motto: text\n", "")
    said = refused(tree, "apply --yes")
    assert "loses data  Drop motto of teams with its values." in said
    assert "--accept-loss" in said


def test_nothing_is_written_without_being_asked_for(tree):
    edit(tree, "resources/teams.yaml", "max: 80", "max: 90")
    assert "--yes writes without asking" in refused(tree, "apply")


def test_a_new_required_field_says_what_rows_have(tree):
    edit(
        tree, "resources/teams.yaml", "  motto: text\n", "  size: {type: integer, required: true}\n"
    )
    assert "needs a default, or a backfill" in refused(tree, "apply --yes --accept-loss")


def test_a_type_that_cannot_be_converted_takes_two_migrations(tree):
    edit(tree, "resources/teams.yaml", "  motto: text\n", "  motto: boolean\n")
    assert "two migrations" in refused(tree, "apply --yes")


def test_comments_of_a_description_stay_when_a_name_is_changed(tree):
    resource(tree, "rename teams.name title")
    text = (tree / "resources/teams.yaml").read_text()
    assert text.startswith("# Who works together.\n")
    assert "title: {type: line, max: 80, required: true, was: name} # what it is called" in text
    assert "Rename name of teams to title." in resource(tree, "diff")


def test_a_name_that_changes_again_is_a_rename_again(tree):
    resource(tree, "rename teams.name label")
    resource(tree, "rename teams.label title")
    assert "Rename name of teams to title." in resource(tree, "diff")
    resource(tree, "rename teams squads")
    resource(tree, "apply --yes")
    commit(tree)
    resource(tree, "rename squads.title heading")
    resource(tree, "rename squads crews")
    printed = resource(tree, "diff")
    assert "Rename title of squads to heading." in printed
    assert "Rename the table squads to crews." in printed
    assert "loses data" not in printed


def test_removing_names_the_roles_and_what_people_wrote(tree):
    run(tree, ".venv/bin/users-service migrate development.ini")
    with sqlite3.connect(tree / "var/development.sqlite3") as connection:
        now = "2026-01-01 00:00:00"
        columns = "id, name, name_key, name_folded, permissions, creation_time, modification_time"
        connection.execute(
            f"INSERT INTO roles ({columns}) VALUES (?, 'leads', 'leads', 'leads', ?, ?, ?)",
            (uuid4().hex, '["teams:read", "users:read"]', now, now),
        )
    edited(tree, MODEL, "    lead_id:", "    colour = 'red'\n\n    lead_id:")
    said = refused(tree, "remove teams --yes")
    assert "The role leads has teams:read." in said
    assert f"Written by hand in {MODEL}: class Team > colour" in said


def test_new_resources_are_made_behind_those_that_they_refer_to(tree):
    (tree / "resources/boats.yaml").write_text(
        "resource: boats\nrelationships:\n  yard: {to: yards, inverse: boats}\n"
        "  crew: {to_many: yards, inverse: crewed}\n"
    )
    (tree / "resources/yards.yaml").write_text("resource: yards\nfields: {name: line}\n")
    steps = re.findall("(Create the table [a-z_]+)", resource(tree, "diff"))
    tables = [f"Create the table {name}" for name in ("yards", "boats", "boats_crew")]
    assert steps[-3:] == tables
    with (tree / "resources/yards.yaml").open("a") as file:
        file.write("relationships: {flag: {to: boats, inverse: yards}}\n")
    assert "boats → yards" in resource(tree, "diff", 2).replace(
        "yards → boats → yards", "boats → yards"
    )


def test_what_was_removed_is_dropped(tree):
    resource(tree, "remove teams --yes")
    commit(tree)
    said = refused(tree, "remove teams --drop --yes")
    assert "loses data  Drop what is kept of the removed table teams" in said
    resource(tree, "remove teams --drop --yes --accept-loss")
    assert resource(tree, "list") == ""
    run(tree, ".venv/bin/users-service migrate development.ini")
    assert "There is no resource teams" in resource(tree, "remove teams --yes", 2)


def test_descriptions_are_listed_and_their_schema_is_valid(tree):
    assert resource(tree, "list").split() == ["teams", "applied"]
    edit(tree, "resources/teams.yaml", "max: 80", "max: 90")
    assert resource(tree, "list").split() == ["teams", "changed"]
    schema = json.loads(resource(tree, "schema"))
    Draft202012Validator.check_schema(schema)
    valid = Draft202012Validator(schema).is_valid
    assert valid(YAML(typ="safe").load(TEAMS))
    assert not valid(YAML(typ="safe").load(TEAMS + "colour: red\n"))
