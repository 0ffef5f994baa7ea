"""The guide to a new resource: followed to the letter, on a copy of the service."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import MEDIA_TYPE, user
from tests.server import ROOT, pserve

GUIDE = (ROOT / "docs" / "adding-a-resource.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def blocks() -> Iterator[tuple[str, str, str]]:
    """The guide's code in order: its language, the file named in the line before it, the code."""
    for before, language, code in re.findall(
        r"^([^\n]*)\n\n```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL
    ):
        (file,) = re.findall(r"`([^`]+)`:$", before) or [""]
        yield language, file, code


def follow(tree: Path) -> None:
    """Do what the guide says, in the copy of the checkout."""
    for language, file, code in blocks():
        path = tree / file
        if language == "python":
            assert not path.exists()
            path.write_text(code, encoding="utf-8")
        elif language == "text":
            assert not file  # what a command prints
        elif language == "diff":
            lines = [(line[:1].strip(), line[1:]) for line in code.splitlines(keepends=True)]
            before = "".join(text or "\n" for sign, text in lines if sign != "+")
            after = "".join(text or "\n" for sign, text in lines if sign != "-")
            source = path.read_text(encoding="utf-8")
            assert source.count(before) == 1, (
                f"{file} has no longer what the guide shows:\n{before}"
            )
            path.write_text(source.replace(before, after), encoding="utf-8")
        else:
            for command in code.splitlines():
                run(tree, command)


def run(tree: Path, command: str) -> None:
    done = attempt(tree, command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def attempt(tree: Path, command: str) -> subprocess.CompletedProcess[str]:
    command = command.replace(".venv/bin", str(BIN))
    # The environment of the checkout serves the copy too.
    command = command.replace("make ", f"make --old-file=.venv/installed BIN={BIN} ")
    return subprocess.run(command.split(), cwd=tree, capture_output=True, text=True, timeout=60)


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.py")}


def call(method: str, url: str, document: dict | None = None):
    body = None if document is None else json.dumps(document).encode()
    headers = {"Content-Type": MEDIA_TYPE} if body else {}
    with urllib.request.urlopen(
        urllib.request.Request(url, body, headers, method=method), timeout=30
    ) as response:
        return json.loads(response.read() or "null")


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A copy of the checkout that processes import in place of it."""
    for folder in ("users_service", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=ignored)
    for file in ("development.ini", "pyproject.toml", "conftest.py", "Makefile"):
        shutil.copy(ROOT / file, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # The copy is not what coverage is measured of.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    return tmp_path


def test_a_model_a_schema_one_line_and_a_migration_make_a_resource(tree):
    follow(tree)
    run(tree, ".venv/bin/alembic -c development.ini check")
    with pserve(tree / "development.ini", {}) as address:
        api = f"{address}/api/v1"
        ada, grace = (
            call("POST", f"{api}/users", user(email=f"{name}@example.com", name=name))["data"]["id"]
            for name in ("Ada", "Grace")
        )
        lead = {"data": {"type": "users", "id": ada}}
        engines = {"attributes": {"name": "Engines"}, "relationships": {"lead": lead}}
        compilers = {"attributes": {"name": "Compilers", "is_open": False}}
        for team in (engines, compilers):
            team |= call("POST", f"{api}/teams", {"data": {"type": "teams", **team}})["data"]
        assert engines["attributes"]["is_open"] is True

        assert names(call("GET", f"{api}/teams?sort=name")) == ["Compilers", "Engines"]
        assert names(call("GET", f"{api}/teams?filter[is_open]=false")) == ["Compilers"]
        assert names(call("GET", f"{api}/teams?filter[lead.name]=Ada")) == ["Engines"]

        linkage = compilers["relationships"]["lead"]["links"]["self"]
        call("PATCH", linkage, {"data": {"type": "users", "id": grace}})
        shown = call("GET", f"{api}/teams/{compilers['id']}?include=lead")
        assert shown["data"]["relationships"]["lead"]["data"] == {"type": "users", "id": grace}
        assert names({"data": shown["included"]}) == ["Grace"]

        # The inverse shows it from the other end, and changes it.
        assert names(call("GET", f"{api}/users/{grace}/teams")) == ["Compilers"]
        led = call("GET", f"{api}/users/{ada}?include=teams")
        team = {"type": "teams", "id": engines["id"]}
        assert led["data"]["relationships"]["teams"]["data"] == [team]
        assert names(call("GET", f"{api}/users?filter[teams.name]=Engines")) == ["Ada"]
        linkage = led["data"]["relationships"]["teams"]["links"]["self"]
        call("DELETE", linkage, {"data": [team]})
        shown = call("GET", f"{api}/teams/{engines['id']}?include=lead")
        assert shown["data"]["relationships"]["lead"]["data"] is None

        described = call("GET", f"{api}/openapi.json")
        attributes = described["components"]["schemas"]["TeamsResourceAttributes"]["properties"]
        assert attributes.keys() >= {"name", "is_open", "creation_time"}
        assert attributes["is_open"]["title"] == "Open"
        (display,) = (tag["x-display"] for tag in described["tags"] if tag["name"] == "teams")
        assert (display["one"], display["named_by"]) == ("Team", "name")
        assert display["columns"] == ["name", "is_open", "lead"]
        assert "/api/v1/teams/{id}/relationships/lead" in described["paths"]
        assert "/api/v1/users/{id}/teams" in described["paths"]
        assert "teams.filter.lead.email" in described["components"]["parameters"]
        copy = json.loads((tree / "docs" / "openapi.json").read_text(encoding="utf-8"))
        assert copy["components"] == described["components"]
    run(tree, ".venv/bin/alembic -c development.ini downgrade -1")
    jsonapi = Path("users_service", "jsonapi")
    assert files(tree / jsonapi) == files(ROOT / jsonapi)


def test_it_is_made_up_as_well(tree):
    follow(tree)
    run(tree, ".venv/bin/users-service seed development.ini --users 30 --groups 3 --others 40")
    with pserve(tree / "development.ini", {}) as address:
        api = f"{address}/api/v1"
        shown = call("GET", f"{api}/teams?include=lead&page[size]=100&page[total]=true")
        assert shown["meta"]["total"] == 40
        assert len(set(names(shown))) == 40
        is_open = Counter(team["attributes"]["is_open"] for team in shown["data"])
        assert is_open.keys() == {True, False}
        leads = [team["relationships"]["lead"]["data"] for team in shown["data"]]
        assert 0 < leads.count(None) < 30
        # As if clients had sent it: it is found by what is computed, and can be changed.
        first = shown["data"][0]
        word = first["attributes"]["name"].split()[0].upper()
        found = names(call("GET", f"{api}/teams?filter[name][icontains]={word}"))
        assert first["attributes"]["name"] in found
        change = {"type": "teams", "id": first["id"], "attributes": {"is_open": True}}
        call("PATCH", f"{api}/teams/{first['id']}", {"data": change})
    done = attempt(tree, ".venv/bin/users-service seed development.ini")
    assert (done.returncode, "already has users" in done.stderr) == (1, True)


def names(document: dict) -> list[str]:
    return [resource["attributes"]["name"] for resource in document["data"]]
