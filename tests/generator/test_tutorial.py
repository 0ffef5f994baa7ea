"""The tutorial of described resources: followed to the letter, on a copy of the checkout."""

import json
import re
import sqlite3
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.generator.checkout import copied, run
from tests.server import ROOT, pserve

TUTORIAL = (ROOT / "docs/describing-resources.md").read_text(encoding="utf-8")


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return copied(tmp_path)


def parts() -> dict[str, list[tuple[str, str, str]]]:
    """The blocks of each part by its heading: language, file named before it, and code."""
    found = {}
    for part in TUTORIAL.split("\n## ")[1:]:
        blocks = re.findall(r"^([^\n]*)\n\n```(\w+)\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
        found[part.partition("\n")[0]] = [
            (language, *(re.findall(r"`([^`]+)`:$", before) or [""]), code)
            for before, language, code in blocks
        ]
    return found


def test_no_block_is_left_out():
    assert sum(map(len, parts().values())) == TUTORIAL.count("```") // 2


def follow(tree: Path, part: str) -> str:
    """Do what a part of the tutorial says, and return what its commands print."""
    printed = ""
    for language, file, code in parts()[part]:
        if language == "yaml":
            (tree / "resources/teams.yaml").write_text(code)
        elif language == "diff":
            lines = [(line[:1].strip(), line[1:]) for line in code.splitlines(keepends=True)]
            before = "".join(text or "\n" for sign, text in lines if sign != "+")
            after = "".join(text or "\n" for sign, text in lines if sign != "-")
            source = (tree / file).read_text()
            assert source.count(before) == 1, f"{file} has not what the tutorial shows:\n{source}"
            (tree / file).write_text(source.replace(before, after))
        else:
            for command in code.splitlines():
                printed += run(tree, command)
    return printed


def rows(tree: Path, statement: str) -> list[Any]:
    with sqlite3.connect(tree / "var/development.sqlite3") as connection:
        return connection.execute(statement).fetchall()


VALUES = "SELECT id, name, kind, {}, founded_on, lead_id FROM {} ORDER BY id"
LINKS = "SELECT source_id, target_id FROM {}_members ORDER BY source_id, target_id"


def test_a_resource_is_described_changed_renamed_removed_and_brought_back(tree):
    printed = follow(tree, "Begin")
    assert "safe        Create the table teams" in printed
    assert "passed" in printed
    values = rows(tree, VALUES.format("budget", "teams"))
    links = rows(tree, LINKS.format("teams"))
    assert len(values) == 20
    assert links
    with pserve(tree / "development.ini", {}) as address:
        for path in ("api/v1/teams?include=lead,members", "api/v1/users?include=leads,teams"):
            with urllib.request.urlopen(f"{address}/{path}", timeout=30) as answer:
                assert answer.status == 200
    assert "Everything is as the descriptions say." in run(
        tree, ".venv/bin/users-service resource apply --yes"
    )
    assert run(tree, "git status --porcelain") == ""

    printed = follow(tree, "Change it")
    assert "Rename budget of teams to funds." in printed
    assert "rewrites    Add seats to teams" in printed
    assert "is_older_than" in (tree / "users_service/models/teams.py").read_text()
    assert rows(tree, VALUES.format("funds", "teams")) == values
    assert rows(tree, "SELECT DISTINCT seats FROM teams") == [(5,)]

    with sqlite3.connect(tree / "var/development.sqlite3") as connection:
        role = "name = 'auditor'"
        connection.execute(
            f'UPDATE roles SET permissions = \'["users:read", "teams:read"]\' WHERE {role}'
        )
    printed = follow(tree, "Rename it, remove it, get it back")
    (permissions,) = rows(tree, f"SELECT permissions FROM roles WHERE {role}")
    assert json.loads(permissions[0]) == ["users:read", "squads:read"]
    assert "The role auditor has squads:read." in printed
    assert "removed by migration" in printed
    assert not (tree / "users_service/models/squads.py").exists()
    assert "squads" not in (tree / "users_service/resources.py").read_text()
    (removed,) = rows(tree, "SELECT name FROM sqlite_master WHERE name LIKE 'removed_squads_0%'")
    assert rows(tree, VALUES.format("funds", removed[0])) == values

    for command in ("git add .", "git commit -qm Removed"):
        run(tree, command)
    text = run(tree, "git show HEAD~1:resources/squads.yaml")
    (tree / "resources/squads.yaml").write_text(text)
    run(tree, ".venv/bin/users-service resource apply --yes")
    run(tree, ".venv/bin/users-service migrate development.ini")
    assert rows(tree, VALUES.format("funds", "squads")) == values
    assert rows(tree, LINKS.format("squads")) == links
