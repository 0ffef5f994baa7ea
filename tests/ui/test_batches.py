"""How bulk changes are sent: by node, to a real service, over a line that can fail."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest

from tests.client import API
from tests.ui.people import Line, add, delete, line_to, rename, rows_of, serving, total_of

pytestmark = pytest.mark.ui

PROGRAM = Path(__file__).with_name("bulk.mjs")
PEOPLE = 250
NUMBERS = numbers(1)


@pytest.fixture(scope="module")
def connected(tmp_path_factory) -> Iterator[Line]:
    with serving(tmp_path_factory.mktemp("service")) as address, line_to(address) as line:
        yield line


@pytest.fixture
def line(connected) -> Line:
    connected.clear()
    return connected


@dataclass(frozen=True, slots=True)
class Team:
    """Inactive users without a role and groups, by the name that all have at its beginning."""

    name: str
    rows: list[Any]

    @property
    def filter(self) -> str:
        return f"startsWith(name,'{self.name} ')"


@pytest.fixture
def team(line) -> Team:
    name = f"Team {next(NUMBERS)}"
    mail = name.replace(" ", "")
    users = [{"name": f"{name} {n}", "email": f"{n}@{mail}.example"} for n in range(PEOPLE)]
    rows = add(line.address, "users", users)
    line.clear()
    return Team(name, rows)


def run(line: Line, change: str, **asked: Any) -> Any:
    node = shutil.which("node")
    assert node, "node is needed"
    given = {"api": f"{line.address}{API}", "type": "users", "change": change, "filter": ""} | asked
    ended = subprocess.run(
        [node, PROGRAM], input=json.dumps(given), capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def count(line: Line, team: Team, *conditions: str) -> int:
    """How many of a team meet all conditions."""
    every = [team.filter, *conditions]
    return total_of(
        line.address, "users", filter=f"and({','.join(every)})" if conditions else every[0]
    )


def others(line: Line, type: str, number: int) -> list[Any]:
    """The identifiers of new resources."""
    names = [{"name": f"{type} {next(NUMBERS)}"} for _ in range(number)]
    rows = add(line.address, type, names)
    line.clear()
    return [{"type": type, "id": row["id"]} for row in rows]


def test_what_may_be_changed_is_offered(line):
    assert run(line, "")["offers"] == [
        *("bulk.yes", "bulk.no", "bulk.set role", "bulk.clear"),
        *("bulk.add groups", "bulk.remove groups", "bulk.delete"),
    ]
    # A user has one role: several roles cannot get the same users.
    assert run(line, "", type="roles")["offers"] == ["bulk.delete"]


def test_all_that_match_are_read_and_sent_in_batches(line, team):
    said = run(line, "bulk.yes", filter=team.filter)
    assert (said["done"], said["failed"], said["left"]) == (PEOPLE, [], 0)
    assert line.sizes == [100, 100, 50]
    assert count(line, team, "equals(is_active,'true')") == PEOPLE


def test_rows_that_others_have_changed_or_deleted_are_named_and_the_others_done(line, team):
    changed, gone = [team.rows[i] for i in (3, 150, 151)], [team.rows[0], team.rows[249]]
    for row in changed:
        rename(line.address, row, f"{team.name} and somebody else")
    for row in gone:
        delete(line.address, row)
    said = run(line, "bulk.yes", rows=team.rows)
    assert said["done"] == PEOPLE - 5
    expected = [[row["id"], "changed", None] for row in changed]
    expected += [[row["id"], "gone", None] for row in gone]
    assert sorted(said["failed"]) == sorted(expected)
    # Three batches; each refusal costs a request, and another one the rows before it.
    assert len(line.sizes) <= 3 + 2 * 5
    assert count(line, team, "equals(is_active,'true')") == PEOPLE - 5


def test_rows_before_a_refusal_are_sent_for_themselves(line, team):
    rows = team.rows[:40]
    for row in rows[1::2]:
        rename(line.address, row, f"{team.name} and somebody else")
    said = run(line, "bulk.yes", rows=rows)
    assert (said["done"], len(said["failed"])) == (20, 20)
    # Each row is performed twice at most.
    assert line.sizes == [size for left in range(40, 0, -2) for size in (left, 1)]


def test_relationships_of_rows_are_set_cleared_added_to_and_removed_from(line, team):
    [role], [one, other] = others(line, "roles", 1), others(line, "groups", 2)
    for change, picked, condition in (
        ("bulk.set role", [role], f"equals(role.id,'{role['id']}')"),
        ("bulk.clear", [], "equals(role,null)"),
        ("bulk.add groups", [one, other], f"has(groups,equals(id,'{one['id']}'))"),
        ("bulk.remove groups", [one], f"not(has(groups,equals(id,'{one['id']}')))"),
    ):
        said = run(line, change, filter=team.filter, picked=picked)
        assert (said["done"], said["failed"]) == (PEOPLE, []), change
        assert count(line, team, condition) == PEOPLE, change
    assert count(line, team, f"has(groups,equals(id,'{other['id']}'))") == PEOPLE


def test_a_busy_service_is_waited_for_as_it_says(line, team):
    line.fates = ["pass", "refuse", "refuse"]
    said = run(line, "bulk.yes", rows=team.rows)
    assert (said["done"], said["failed"]) == (PEOPLE, [])
    assert (said["waits"], said["pauses"]) == ([7, 7], [])


@pytest.mark.parametrize("fate", ["lose", "lose the answer"])
@pytest.mark.parametrize(
    ("change", "targets"),
    [
        ("bulk.yes", None),
        ("bulk.set role", "roles"),
        ("bulk.add groups", "groups"),
        ("bulk.delete", None),
    ],
)
def test_a_batch_without_an_answer_is_sent_again_if_it_was_not_done(
    line, team, change, targets, fate
):
    picked = others(line, targets, 1 if targets == "roles" else 2) if targets else []
    line.fates = ["pass", fate]
    said = run(line, change, rows=team.rows, picked=picked)
    assert (said["done"], said["failed"], said["left"], said["pauses"]) == (PEOPLE, [], 0, [0])
    sent = {"lose": [100, 100, 100, 50], "lose the answer": [100, 100, 50]}
    assert line.sizes == sent[fate]


def test_what_others_did_meanwhile_is_not_taken_for_ours(line, team):
    rows = team.rows[:3]
    rename(line.address, rows[0], f"{team.name} and somebody else")
    delete(line.address, rows[1])
    line.fates = ["lose"]
    said = run(line, "bulk.yes", rows=rows)
    assert said["done"] == 1
    assert said["failed"] == [[rows[0]["id"], "changed", None], [rows[1]["id"], "gone", None]]


def test_a_batch_that_is_done_after_it_was_given_up_is_not_taken_for_others(line, team):
    line.fates = ["delay"]
    said = run(line, "bulk.yes", rows=team.rows[:100])
    assert (said["done"], said["failed"]) == (100, [])


def test_a_run_stops_between_batches(line, team):
    said = run(line, "bulk.delete", rows=team.rows, stopAt=100)
    assert (said["done"], said["failed"], said["left"]) == (200, [], 50)
    assert count(line, team) == 50


@pytest.mark.parametrize(("fate", "done"), [("lose", 0), ("lose the answer", 100)])
def test_a_run_that_stops_without_an_answer_still_says_what_was_done(line, team, fate, done):
    line.fates = [fate]
    said = run(line, "bulk.delete", rows=team.rows, stopAt="pause")
    assert (said["done"], said["failed"], said["left"]) == (done, [], PEOPLE - done)
    assert count(line, team) == PEOPLE - done


def test_refusals_of_single_rows_have_their_reason(line, team):
    roles = others(line, "roles", 3)
    assert run(line, "bulk.set role", rows=team.rows[:1], picked=roles[1:2])["done"] == 1
    rows = rows_of(line.address, "roles", **{"filter[id]": ",".join(role["id"] for role in roles)})
    said = run(line, "bulk.delete", type="roles", rows=rows)
    assert (said["done"], said["failed"]) == (2, [[roles[1]["id"], "refused", "conflict"]])


def test_the_one_row_that_nobody_names_is_found(line, team):
    [role] = add(line.address, "roles", [{"name": "All rights", "permissions": ["*"]}])
    user = {"name": f"{team.name} A", "email": "a@last.example", "is_active": True}
    [last] = add(line.address, "users", [user | {"password": "correct horse battery"}])
    picked = [{"type": "roles", "id": role["id"]}]
    assert run(line, "bulk.set role", rows=[last], picked=picked)["done"] == 1
    said = run(line, "bulk.delete", filter=team.filter)
    assert said["failed"] == [[last["id"], "refused", "last_administrator"]]
    assert (said["done"], count(line, team)) == (PEOPLE, 1)


def test_batches_are_as_large_as_the_service_takes_them(tmp_path):
    limited = {"USERS_SERVICE_MAX_OPERATIONS": "30"}
    with serving(tmp_path, 60, limited) as address, line_to(address) as line:
        assert run(line, "bulk.yes")["done"] == 60
        assert line.sizes == [60, 30, 30]
