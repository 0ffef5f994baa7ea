"""The steps of written migrations: stopped anywhere and repeated, refused before anything changes,
and on PostgreSQL beside those who use the tables.
"""

import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import event, text

from tests import engines
from tests.generator.migrating import MOMENT, database, plain, run, schema, stored_id
from tests.server import ROOT
from users_service.database import make_migrating_engine, migrations
from users_service.database.migration_lock import OvertakenError, go_on
from users_service.database.steps import (
    MADE_UP,
    add_column,
    change_column,
    check_column,
    choice,
    create_association,
    create_table,
    day,
    decimal,
    drop_column,
    drop_table,
    email,
    integer,
    key,
    line,
    remove_table,
    rename_column,
    rename_table,
    timestamp,
)
from users_service.settings import load

NAME = line("name", 80)


@pytest.fixture(params=engines.ENGINES)
def engine(request, tmp_path):
    if request.param != "sqlite" and engines.server_url(request.param) is None:
        pytest.skip(f"no {request.param} answers")
    request.node.user_properties.append(("engine", request.param))
    with database(request.param, tmp_path) as made:
        yield made


def store(engine: sa.Engine, table: str, **columns: list[Any]) -> None:
    """Store rows, each with one value of each list."""
    with engine.begin() as connection:
        there = sa.Table(table, sa.MetaData(), autoload_with=connection)
        count = len(next(iter(columns.values())))
        for number in range(count):
            row = {name: values[number] for name, values in columns.items()}
            row |= {"id": stored_id(engine, UUID(int=number + 1)), "version": 1}
            times = dict.fromkeys(("creation_time", "modification_time"), plain(engine, MOMENT))
            connection.execute(there.insert(), row | times)


def column(engine: sa.Engine, table: str, name: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT {name} FROM {table} ORDER BY id")))


def teams(engine: sa.Engine, *names: str, **more: list[Any]) -> None:
    run(engine, lambda: create_table("teams", NAME))
    store(engine, "teams", name=list(names), name_folded=[name.lower() for name in names], **more)


def test_names_that_look_the_same_are_in_the_way_of_uniqueness(engine):
    teams(engine, *(f"Team {n // 2}".upper() if n % 2 else f"team {n // 2}" for n in range(14)))
    before = schema(engine)
    unique = line("name", 80, unique="ignore_case")
    with pytest.raises(CommandError, match="rows of teams are in its way") as stopped:
        run(engine, lambda: change_column("teams", NAME, unique))
    said = str(stopped.value)
    assert "00000000-0000-0000-0000-000000000001 ('team 0')" in said
    assert "000000000005" in said
    assert "000000000006" not in said
    assert "and 9 more" in said
    assert schema(engine) == before


@pytest.mark.parametrize(
    ("was", "now", "value", "fault"),
    [
        (line("a", 80, null=True), line("a", 3, null=True), "four", "the new a does not take"),
        (line("a", 80, null=True), choice("a", "red", null=True), "four", "does not take"),
        (choice("a", "red", "blue", null=True), choice("a", "red", null=True), "blue", "not take"),
        (line("a", 80, null=True), line("a", 80), None, "have no a, which is required"),
        (integer("a", null=True), decimal("a", 5, 2, null=True), 1000, "does not take"),
        (decimal("a", 5, 2, null=True), integer("a", null=True), "1.50", "does not take"),
        (decimal("a", 5, 2, null=True), decimal("a", 4, 2, null=True), "100.00", "not take"),
        (
            timestamp("a", null=True),
            day("a", null=True),
            "2026-07-01T00:00:00.000001+00:00",
            "does not take",
        ),
    ],
)
def test_values_that_a_field_will_not_take_are_named_before_anything_changes(
    engine, was, now, value, fault
):
    run(engine, lambda: create_table("teams", was))
    store(engine, "teams", a=[was.stored(value, engine.dialect.name)])
    before = schema(engine)
    with pytest.raises(CommandError, match=fault):
        run(engine, lambda: check_column("teams", was, now))
    with pytest.raises(CommandError, match=fault):
        run(engine, lambda: change_column("teams", was, now))
    assert schema(engine) == before


def test_a_required_field_needs_a_backfill_where_there_are_rows(engine):
    teams(engine, "Ada")
    with pytest.raises(CommandError, match="its new nick needs a backfill"):
        run(engine, lambda: add_column("teams", line("nick", 80)))
    run(engine, lambda: add_column("teams", line("nick", 80), backfill="Ä"))
    assert column(engine, "teams", "nick_folded") == ["ä"]


def test_a_backfill_may_be_longer_than_the_field_was(engine):
    run(engine, lambda: create_table("teams", choice("a", "red", null=True)))
    store(engine, "teams", a=["red", None])
    longer = choice("a", "red", "ultramarine")
    was = choice("a", "red", null=True)
    run(engine, lambda: change_column("teams", was, longer, backfill="ultramarine"))
    assert column(engine, "teams", "a") == ["red", "ultramarine"]


def test_the_largest_decimals_stay_exact(engine):
    forms = [decimal("a", 18, 4, null=True), decimal("a", 18, 4), decimal("a", 16, 2)]
    run(engine, lambda: create_table("teams", forms[0]))
    largest = forms[0].stored("99999999999999.9900", engine.dialect.name)
    store(engine, "teams", a=[largest])
    for was, now in pairwise(forms):
        run(engine, lambda was=was, now=now: change_column("teams", was, now))
    expected = forms[2].stored("99999999999999.99", engine.dialect.name)
    assert column(engine, "teams", "a") == [expected]


def test_more_rows_than_a_batch_are_filled(engine):
    count = 1001
    teams(engine, *(f"N{n}" for n in range(count)))
    run(engine, lambda: add_column("teams", email("mail", unique="exact"), backfill=MADE_UP))
    found = column(engine, "teams", "mail_key")
    assert len(set(found)) == count
    assert found[0] == "1@removed.invalid"


def test_rows_that_refer_to_a_table_survive_its_changes(engine):
    teams(engine, "Ada", "Bob")
    run(engine, lambda: create_table("tasks", key("team_id", "teams", "CASCADE")))
    store(engine, "tasks", team_id=[stored_id(engine, UUID(int=1))])
    unique = line("name", 90, unique="ignore_case")

    def change() -> None:
        change_column("teams", NAME, unique)
        rename_column("teams", "name", unique.named("title"))
        rename_table("teams", "squads")

    run(engine, change)
    assert len(column(engine, "tasks", "team_id")) == 1
    (found,) = sa.inspect(engine).get_foreign_keys("tasks")
    assert found["referred_table"] == "squads"


def test_a_removed_table_comes_back_with_its_rows(engine):
    def create() -> None:
        create_table("teams", NAME, key("friend_id", "people", "SET NULL"))
        create_association("teams_members", "teams", "people")

    run(engine, lambda: create_table("people", NAME))
    store(engine, "people", name=["a", "b"], name_folded=["a", "b"])
    run(engine, create)
    before = schema(engine)
    ids = [stored_id(engine, UUID(int=n)) for n in (1, 2)]
    store(engine, "teams", name=["x", "y"], name_folded=["x", "y"], friend_id=ids)
    with engine.begin() as connection:
        links = sa.Table("teams_members", sa.MetaData(), autoload_with=connection)
        for id_ in ids:
            connection.execute(links.insert(), {"source_id": ids[0], "target_id": id_})

    with pytest.raises(CommandError, match="because teams_members refer to it"):
        run(engine, lambda: remove_table("teams", "0008"))

    def remove() -> None:
        remove_table("teams_members", "0008")
        remove_table("teams", "0008")

    run(engine, remove)
    run(engine, remove)  # nothing more happens
    with engine.begin() as connection:  # nothing leads from it to those who are there
        people = sa.Table("people", sa.MetaData(), autoload_with=connection)
        connection.execute(people.delete().where(people.c.id == ids[1]))
    with pytest.raises(CommandError, match="differs in extra, extra_folded"):
        run(engine, lambda: create_table("teams", NAME, line("extra", 3)))
    run(engine, create)
    assert schema(engine) == before
    assert column(engine, "teams", "name") == ["x", "y"]
    with engine.connect() as connection:
        friends = connection.scalar(text("SELECT count(friend_id) FROM teams"))
        assert (friends, connection.scalar(text("SELECT count(*) FROM teams_members"))) == (1, 1)
    run(engine, lambda: drop_table("teams_members", "teams"))
    assert "teams" not in sa.inspect(engine).get_table_names()


class Stop(BaseException):
    pass


def up() -> None:
    change_column("teams", NAME, line("name", 60, unique="ignore_case"))
    rename_column("teams", "name", line("title", 60, unique="ignore_case"))
    change_column(
        "teams", day("since", null=True), timestamp("since"), backfill="2026-01-01T00:00Z"
    )
    change_column("teams", key("boss_id", "teams", "SET NULL"), key("boss_id", "teams", "CASCADE"))
    rename_table("teams", "squads")
    rename_table("teams_friends", "squads_friends")
    add_column("squads", email("mail", unique="exact"), backfill=MADE_UP)
    drop_column("squads", integer("gone", null=True))
    remove_table("old", "0009")


def down() -> None:
    create_table("old", NAME)
    add_column("squads", integer("gone", null=True))
    drop_column("squads", email("mail", unique="exact"))
    rename_table("squads_friends", "teams_friends")
    rename_table("squads", "teams")
    change_column("teams", key("boss_id", "teams", "CASCADE"), key("boss_id", "teams", "SET NULL"))
    change_column("teams", timestamp("since"), day("since", null=True))
    rename_column("teams", "title", line("name", 60, unique="ignore_case"))
    change_column("teams", line("name", 60, unique="ignore_case"), NAME)


def prepare() -> None:
    create_table(
        "teams",
        NAME,
        day("since", null=True),
        key("boss_id", "teams", "SET NULL"),
        integer("gone", null=True),
    )
    create_association("teams_friends", "teams", "teams")
    create_table("old", NAME)


def test_every_half_of_each_step_is_taken_on(engine):
    """A try ends before the first statement that no other has come to."""
    run(engine, prepare)
    store(engine, "teams", name=["A", "B"], name_folded=["a", "b"])
    before = schema(engine)
    reached: set[str] = set()

    def stop(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        changes = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
        if statement.split()[0] in changes and statement not in reached:
            reached.add(statement)
            raise Stop

    event.listen(engine, "before_cursor_execute", stop)
    for steps in (up, down):
        repeat(engine, steps)
    assert len(reached) > 30
    assert schema(engine) == before
    assert column(engine, "teams", "name") == ["A", "B"]


def repeat(engine: sa.Engine, steps: Callable[[], None]) -> None:
    while True:
        try:
            run(engine, steps)
        except Stop:
            continue
        return


# Carries the steps out, and kills itself before the statement of a number; 0 lets it live.
PROGRAM = """
import os, signal, sys
from sqlalchemy import Engine, event
from tests.database.test_steps import make_migrating_engine, load, run, up

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

run(make_migrating_engine(load({"users_service.database_url": sys.argv[1]}, {})), up)
"""


def test_steps_that_were_killed_are_repeated(engine):
    run(engine, prepare)
    store(engine, "teams", name=["A", "B"], name_folded=["a", "b"])
    before = schema(engine)
    url = engine.url.render_as_string(hide_password=False)
    said = []
    for number in (60, 140, 260, 0):
        command = [sys.executable, "-c", PROGRAM, url, str(number)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        said.append((done.returncode, done.stderr))
    assert said[0][0] == -signal.SIGKILL
    assert said[-1][0] == 0, said[-1][1]
    assert column(engine, "squads", "title_key") == ["a", "b"]
    run(engine, down)
    assert schema(engine) == before


@pytest.mark.parametrize("pooler", ["none", "transaction"])
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_table_with_rows_is_changed_beside_those_who_use_it(engine, pooler):
    teams(engine, "Ada")
    said: list[str] = []
    url = engine.url.render_as_string(hide_password=False)
    ini = {"users_service.database_url": url, "users_service.database_pooler": pooler}
    engine = make_migrating_engine(load(ini, {}))
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))

    def change() -> None:
        add_column("teams", line("nick", 80), backfill="x")
        change_column("teams", NAME, line("name", 80, unique="ignore_case"))
        add_column("teams", key("boss_id", "teams", "SET NULL"))

    run(engine, change)
    text = "\n".join(said)
    assert "CREATE INDEX CONCURRENTLY ix_teams_nick_id ON teams" in text
    assert "CREATE UNIQUE INDEX CONCURRENTLY ix_teams_name_key ON teams" in text
    assert "UNIQUE USING INDEX uq_teams_name" in text
    assert "CHECK (nick IS NOT NULL) NOT VALID" in text
    assert "VALIDATE CONSTRAINT fk_teams_boss_id" in text
    assert "CREATE INDEX ix_teams" not in text
    assert ("SET lock_timeout = 0" in text) == (pooler == "none")
    engine.dispose()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_index_that_was_half_built_is_built_anew(engine):
    teams(engine, "Ada", "Ada")
    create = "CREATE UNIQUE INDEX CONCURRENTLY uq_teams_name ON teams (name)"
    beside = engine.execution_options(isolation_level="AUTOCOMMIT")
    with beside.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.exec_driver_sql(create)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE teams SET name = 'Bob' WHERE id = :id"), {"id": UUID(int=2)}
        )
    run(engine, lambda: change_column("teams", NAME, line("name", 80, unique="exact")))
    assert "uq_teams_name" in {
        each["name"] for each in sa.inspect(engine).get_unique_constraints("teams")
    }
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT bool_and(indisvalid) FROM pg_index"))


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"], indirect=True)
def test_whoever_was_overtaken_looks_again(engine):
    """Between two parts of a migration the lock is free, and another process may migrate."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    tries: list[int] = []
    overtaken: list[int] = []

    def migrate(connection: sa.Connection) -> None:
        tries.append(1)
        if len(tries) == 1:
            event.listen(connection, "commit", overtake)
            assert go_on(connection)
            raise AssertionError("It goes on as if nothing had happened.")

    def overtake(_connection: sa.Connection) -> None:
        if len(overtaken) == 0:
            overtaken.append(1)
            with engine.begin() as other:
                other.execute(text("UPDATE alembic_version SET version_num = '0002'"))

    migrations.run(engine, migrate, 1)
    assert len(tries) == 2


def test_nothing_is_committed_in_between_where_there_is_no_lock_of_ours(engine):
    with engine.connect() as connection:
        assert not go_on(connection)
    assert issubclass(OvertakenError, Exception)
