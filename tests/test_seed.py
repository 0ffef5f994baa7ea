"""Made-up people: the same on every engine, and such as the API itself would have taken."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from tests.client import API, USERS
from tests.engines import on_one_engine
from tests.further import further_types, own_tables
from tests.server import ROOT
from users_service.cli import main
from users_service.cli import rows as row_store
from users_service.cli.seeding import seed
from users_service.models import Group, Role, User
from users_service.models.groups import memberships
from users_service.schemas.users import UserSchema
from users_service.texts import email_key, fold, name_key

# Of 300 users, 120 groups and the seed 7: it changes with whatever changes what is made up.
DIGEST = "9ce83a41c5019ca7f970d6b653f5cc2ac0a6aee4c121d439b59e6517d7533752"


def rows(service, *columns, order=()):
    with service.engine.connect() as connection:
        return connection.execute(select(*columns).order_by(*order)).all()


def everything(service) -> dict[str, list]:
    """The rows of the service's own tables."""
    return {
        table.name: [tuple(row) for row in rows(service, *table.c, order=table.primary_key)]
        for table in own_tables(service.app)
    }


def digest(tables: dict[str, list]) -> str:
    return hashlib.sha256(repr(sorted(tables.items())).encode()).hexdigest()


@pytest.fixture
def seeded(service):
    seed(service.engine, 300, 120, 7)
    return service


def test_the_same_numbers_give_the_same_people_on_every_engine(seeded):
    assert digest(everything(seeded)) == DIGEST


def test_another_seed_gives_other_people(seeded):
    before = everything(seeded)
    seeded.empty()
    seed(seeded.engine, 300, 120, 8)
    after = everything(seeded)
    for table in ("users", "memberships"):
        assert set(before[table]).isdisjoint(after[table]), table


def test_people_are_such_as_a_client_could_have_sent(seeded):
    schema = UserSchema()
    columns = [User.email, User.email_key, User.email_folded, User.name, User.name_folded]
    for email, key, email_folded, name, name_folded, active in rows(
        seeded, *columns, User.is_active
    ):
        assert key == email_key(email) == email == email_folded
        assert name_folded == fold(name)
        assert email.isascii()
        assert email.islower()
        attributes = {"email": email, "name": name, "is_active": active}
        assert schema.load({"data": {"type": "users", "attributes": attributes}}) == attributes


def test_names_of_groups_and_roles_have_their_keys(seeded):
    for model in (Group, Role):
        for name, key, folded in rows(seeded, model.name, model.name_key, model.name_folded):
            assert (key, folded) == (name_key(name), fold(name))


def test_nobody_has_the_addresses(seeded):
    domains = {email.partition("@")[2] for (email,) in rows(seeded, User.email)}
    assert len(domains) > 1
    reserved = ("example.com", "example.net", "example.org")
    assert all(domain in reserved or domain.endswith(".example") for domain in domains)


def test_names_are_of_several_scripts(seeded):
    text = "".join(name for (name,) in rows(seeded, User.name))
    for first, last in ("az", "αω", "ая", "ءي", "את", "अह", "一龥", "가힣"):
        assert any(first <= character <= last for character in text), first


def test_ids_are_of_version_7_and_grow_with_the_years(seeded):
    found = rows(seeded, User.id, User.creation_time, order=[User.creation_time])
    assert [id for id, _ in found] == sorted(id for id, _ in found)
    assert Counter(id.version for id, _ in found) == {7: 300}
    for id, moment in found:
        since = timedelta(milliseconds=id.int >> 80)
        assert timedelta() <= moment - (datetime(1970, 1, 1, tzinfo=UTC) + since)
        assert moment - (datetime(1970, 1, 1, tzinfo=UTC) + since) < timedelta(milliseconds=1)
    years = Counter(moment.year for _, moment in found)
    assert len(years) == 8
    assert min(years.values()) > 20


def test_some_were_changed_since_they_came(seeded):
    found = rows(seeded, User.creation_time, User.modification_time, User.version)
    changed = [changed > came for came, changed, _ in found]
    assert 0 < sum(changed) < 300
    assert changed == [version > 1 for _, _, version in found]
    assert max(changed for _, changed, _ in found) < datetime.now(UTC)


def test_there_are_users_of_every_sort(seeded):
    roles = Counter(role for (role,) in rows(seeded, User.role_id))
    assert len(roles) == 21
    assert 20 < roles[None] < 150
    assert 20 < sum(not active for (active,) in rows(seeded, User.is_active)) < 150
    ((number,),) = rows(seeded, func.count(Role.id))
    assert number == 20
    found = Counter(user for (user,) in rows(seeded, memberships.c.user_id))
    assert {*found.values()} == {1, 2, 3, 4, 5}
    assert 20 < 300 - len(found) < 150
    ((names,),) = rows(seeded, func.count(Group.name.distinct()))
    assert names == 120


def test_the_service_serves_them(seeded):
    document = seeded.client.get(f"{USERS}?page[total]=true&include=role,groups").json
    assert document["meta"]["total"] == 300
    assert {resource["type"] for resource in document["included"]} == {"roles", "groups"}
    user = document["data"][0]
    assert user["attributes"]["creation_time"].startswith("2018-01")
    seeded.client.create_user("ada@example.com")
    email = user["attributes"]["email"]
    assert len(seeded.client.get(f"{USERS}?filter[email]={email.upper()}").json["data"]) == 1
    for kind in ("roles", "groups"):
        assert len(seeded.client.get(f"{API}/{kind}").json["data"]) == 20


@pytest.mark.parametrize(("users", "groups"), [(0, 0), (3, 0), (0, 3), (1, 1)])
def test_few_are_as_good_as_many(service, users, groups):
    seed(service.engine, users, groups, 1)
    found = everything(service)
    assert (len(found["users"]), len(found["groups"])) == (users, groups)


@pytest.fixture
def command(service, monkeypatch):
    """Run `users-service seed` on the service's database."""
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", service.url)
    return lambda *words: main(["seed", str(ROOT / "production.ini"), *words])


def test_the_command_says_what_it_has_done_and_draws_nothing_into_files(service, command, capsys):
    command("--users", "300", "--groups", "120", "--seed", "7")
    said = capsys.readouterr()
    further = further_types(service.app)
    named = re.findall(r", and 200 (\S+?)(?=, and |\.\n$)", said.out)
    assert sorted(named) == sorted(further)
    others = "".join(f", and 200 {name}" for name in named)
    assert said.out.endswith(f"has 300 users in 120 groups{others}.\n")
    assert said.err == ""
    assert digest(everything(service)) == DIGEST


def test_a_database_that_is_in_use_is_refused_and_left_alone(service, client, command, capsys):
    client.create_user()
    with pytest.raises(
        SystemExit, match=r"^The database already has users; nothing was changed\.$"
    ):
        command()
    assert client.emails() == ["ada@example.com"]
    assert client.get(f"{API}/roles").json["data"] == []


@pytest.mark.parametrize("kind", ["groups", "roles"])
def test_groups_and_roles_are_use_as_well(client, command, kind):
    client.post(f"{API}/{kind}", {"data": {"type": kind, "attributes": {"name": "ours"}}})
    with pytest.raises(SystemExit, match=f"already has {kind}"):
        command()
    assert client.emails() == []


@on_one_engine
@pytest.mark.parametrize("value", ["-1", "1e3", "", "1000000000"])
def test_a_number_that_cannot_be_is_refused(command, capsys, value):
    with pytest.raises(SystemExit):
        command(f"--users={value}")
    assert "--users: must be a whole number" in capsys.readouterr().err


def test_a_database_that_was_not_migrated_is_refused(empty_database, monkeypatch):
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", empty_database)
    with pytest.raises(SystemExit, match="The database is at revision none"):
        main(["seed", str(ROOT / "production.ini")])


def test_all_are_stored_or_none(service, monkeypatch):
    monkeypatch.setattr(row_store, "CHUNK", 10)

    def stop(label: str, numbers: range):
        for number in numbers:
            if (label, number) == ("memberships", 45):
                raise KeyboardInterrupt
            yield number

    with pytest.raises(KeyboardInterrupt):
        seed(service.engine, 50, 5, 1, stop)
    assert {*map(len, everything(service).values())} == {0}
    seed(service.engine, 50, 5, 1)


@pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
def test_no_more_is_in_memory_than_one_statement_takes(service, monkeypatch):
    monkeypatch.setattr(row_store, "CHUNK", 100)
    made, ahead = [], []

    def count(_label: str, numbers: range):
        for number in numbers:
            made.append(number)
            yield number

    def look(_connection, _cursor, statement, parameters, *_) -> None:
        if statement.startswith("INSERT INTO users"):
            stored = 100 * len(ahead)
            ahead.append(len(made) - stored)

    event.listen(service.engine, "before_cursor_execute", look)
    try:
        seed(service.engine, 450, 5, 1, count)
    finally:
        event.remove(service.engine, "before_cursor_execute", look)
    assert len(ahead) == 5
    assert max(ahead) <= 101


def test_a_terminal_shows_how_far_it_is(tmp_path):
    ini = Path(shutil.copy(ROOT / "development.ini", tmp_path))
    main(["migrate", str(ini)])
    outer, inner = os.openpty()
    script = Path(sys.executable).parent / "users-service"
    with subprocess.Popen([script, "seed", ini], stdout=subprocess.PIPE, stderr=inner) as process:
        os.close(inner)
        shown = "".join(written(outer))
    os.close(outer)
    assert process.returncode == 0, shown
    for label in ("users", "memberships"):
        assert f"{label} [{'#' * 20}{'.' * 20}]  50%" in shown
        assert f"{label} [{'#' * 40}] 100%" in shown


def written(terminal: int) -> Iterator[str]:
    """What is written to a terminal until its other end is closed."""
    while True:
        try:
            yield os.read(terminal, 4096).decode()
        except OSError:  # how Linux says that it is
            return
