"""What is wrong with descriptions: one message with the place, the exit code 2, nothing written."""

import subprocess
from pathlib import Path

import pytest

from users_service.cli import main

START = "resource: teams\nfields:\n  name: {type: line, max: 80, required: true}\n"


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "resources").mkdir()
    return tmp_path


def fault(root: Path, capsys, *arguments: str) -> str:
    """What a command says before it ends with 2."""
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit) as ended:
        main(["resource", "--root", str(root), *(arguments or ["apply", "--yes"])])
    assert ended.value.code == 2
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.replace(f"{root}/resources/", "")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "1:1", "begins with resource: or extends:"),
        ("- teams\n", "1:1", "begins with resource: or extends:"),
        ("resource: teams\n\tfields: {}\n", "2:1", "'\\t'"),
        ("resource: [teams\n", "2:1", "Expected ',' or ']'"),
        ("resource: teams\nresource: parts\n", "2:1", 'duplicate key "resource"'),
        ("resource: &a teams\ntitle: *a\n", "1:11", "Anchors and aliases are not read"),
        ("resource: !!python/name:os.system teams\n", "1:11", "Tags are not read"),
        ("resource: teams\nfields: " + "[" * 30, "2:16", "nested more than 8 levels"),
        ("fields: {}\n", "1:1", "either resource or extends"),
        ("resource: teams\nextends: users\n", "1:1", "either resource or extends"),
        ("resource: Teams\n", "1:1", "does not match"),
        ("resource: parts\n", "1:1", "Name it parts.yaml"),
        ("resource: teams\nfeilds: {}\n", "2:1", "Did you mean fields?"),
        ("resource: teams\nfields: {a: lin}\n", "2:10", "Did you mean line?"),
        ("resource: teams\nfields: {a: {type: line, mx: 3}}\n", "2:26", "Did you mean max?"),
        ("resource: teams\nfields: {a: {max: 3}}\n", "2:10", "'type' is a required"),
        ("resource: teams\nfields: {a: {type: line, required: no}}\n", "2:26", "true or false"),
        ("resource: teams\nfields: {a: {type: line, max: 0}}\n", "2:26", "minimum"),
        ("resource: teams\nfields: {a: choice}\n", "2:10", "'choice' is not known here"),
        ("resource: teams\nfields: {Name: line}\n", "2:10", "no name"),
        ("resource: teams\nfields: {a b: line}\n", "2:10", "no name"),
        (f"resource: teams\nfields: {{{'a' * 41}: line}}\n", "2:10", "40 characters"),
        ("resource: teams\nrelationships: {lead: {inverse: a}}\n", "2:17", "either to or to_many"),
        ("resource: teams\nrelationships: {lead: {to: uzers}}\n", "2:17", "There are no uzers"),
        ("resource: order\n", "1:1", "reserved word"),
        ("resource: operations\n", "1:1", "reserved word"),
        ("resource: users\n", "1:1", "There are users already"),
        ("extends: teams\n", "1:1", "There are no teams"),
        ("resource: teams\nfields: {id: line}\n", "2:10", "reserved word"),
        ("resource: teams\nfields: {class: line}\n", "2:10", "reserved word"),
        ("resource: teams\nfields: {select: line}\n", "2:10", "reserved word"),
        ("resource: teams\nfields: {version: integer}\n", "2:10", "reserved word"),
        (START + "  name_folded: line\n", "4:3", "teams have a name_folded already"),
        (
            "resource: teams\nfields: {lead: line}\nrelationships: {lead: {to: users}}\n",
            "3:17",
            "a lead",
        ),
        (
            "resource: teams\nrelationships: {lead: {to: users, inverse: email}}\n",
            "2:35",
            "a email",
        ),
        (
            "resource: teams\nrelationships: {lead: {to: users, inverse: type}}\n",
            "2:35",
            "reserved",
        ),
        (
            f"resource: teams\nrelationships: {{{'a' * 38}: {{to: users}}}}\n",
            "2:17",
            "more than 63 bytes",
        ),
        ("resource: teams\nfields: {a: {type: integer, min: 3, default: 2}}\n", "2:37", "own rule"),
        (
            "resource: teams\nfields: {a: {type: integer, min: 3, max: 2}}\n",
            "2:29",
            "more than max",
        ),
        ("resource: teams\nfields: {a: {type: date, default: 2026-02-30}}\n", "2:26", "own rule"),
        (
            "resource: teams\nfields: {a: {type: choice, of: {b: B}, default: c}}\n",
            "2:40",
            "own rule",
        ),
        ("resource: teams\nfields: {a: {type: decimal, digits: 2, scale: 3}}\n", "2:40", "digits"),
        (
            "resource: teams\nrelationships: {parent: {to: teams, required: true}}\n",
            "2:17",
            "would need teams",
        ),
        (START + "named_by: nme\n", "4:1", "nme is no field"),
        (START + "ui: {columns: [name, leed]}\n", "4:6", "leed cannot be here"),
        (START + "owner: name\n", "4:1", "no relationship to one of users"),
    ],
)
def test_a_faulty_description(root, capsys, text, place, words):
    first = text.partition("\n")[0].removeprefix("resource: ")
    name = first if first in ("operations", "order", "users") else "teams"
    (root / f"resources/{name}.yaml").write_text(text)
    found = fault(root, capsys)
    assert any(line.startswith(f"{name}.yaml:{place}:") for line in found.splitlines()), found
    assert words in found


def test_all_faults_of_all_descriptions_are_told_at_once(root, capsys):
    for kind in ("parts", "teams"):
        (root / f"resources/{kind}.yaml").write_text(
            f"resource: {kind}\nfields: {{a: lin, b: txt}}\n"
        )
    assert len(fault(root, capsys).splitlines()) == 4


def test_a_circle_of_required_relationships(root, capsys):
    for kind, other in (("parts", "teams"), ("teams", "parts")):
        (root / f"resources/{kind}.yaml").write_text(
            f"resource: {kind}\nrelationships: {{one: {{to: {other}, required: true}}}}\n"
        )
    assert "One of them cannot be required" in fault(root, capsys)


def test_a_description_that_is_no_text(root, capsys):
    (root / "resources/teams.yaml").write_bytes(b"resource: \xff\n")
    assert "Cannot be read" in fault(root, capsys)


def test_a_description_that_is_too_large(root, capsys):
    (root / "resources/teams.yaml").write_text("#" * 70_000)
    assert "65536 bytes" in fault(root, capsys)


def test_new_fields_that_cannot_be_read(root, capsys):
    assert "name:type" in fault(root, capsys, "new", "teams", "name")
    assert "the types are" in fault(root, capsys, "new", "teams", "name:string")
    assert "is no name" in fault(root, capsys, "new", "Teams", "name:line")
    assert "is no name" in fault(root, capsys, "new", "../teams", "name:line")
    assert list((root / "resources").iterdir()) == []


def test_renaming_what_is_not_there(root, capsys):
    (root / "resources/teams.yaml").write_text(START)
    assert "no resources/parts.yaml" in fault(root, capsys, "rename", "parts", "teams")
    assert "no field or relationship" in fault(root, capsys, "rename", "teams.nme", "title")
    assert "no name" in fault(root, capsys, "rename", "teams.name", "Title")
    assert "no name" in fault(root, capsys, "rename", "teams", "../squads")


def test_changes_that_are_not_committed_are_not_written_over(root, capsys):
    (root / "resources/teams.yaml").write_text(START)
    files = root / "users_service"
    (files / "models").mkdir(parents=True)
    (files / "alembic/versions").mkdir(parents=True)
    (files / "alembic/versions/0006_mail.py").write_text("")
    (files / "models/__init__.py").write_text("__all__ = []\n")
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *command], check=True)
    (files / "models/__init__.py").write_text("__all__ = []  # mine\n")
    with pytest.raises(SystemExit) as ended:
        main(["resource", "--root", str(root), "apply", "--yes"])
    assert ended.value.code == 2
    assert "users_service/models/__init__.py: Has changes" in capsys.readouterr().err
    assert (files / "models/__init__.py").read_text() == "__all__ = []  # mine\n"
