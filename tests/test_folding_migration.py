"""The migration that folds texts: with data, with names that look the same, and killed anywhere."""

import unicodedata
from datetime import UTC, datetime
from uuid import UUID

import pytest
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, column, event, insert, inspect, select, table

from alembic import command
from tests.server import ROOT
from users_service.cli import main as users_service_command
from users_service.database.engine import make_engine
from users_service.database.migrations import SCRIPTS
from users_service.models import Group, Role, User, email_key, memberships
from users_service.settings import load
from users_service.texts import fold, name_key, normalize

NAMES = ["Jose\u0301", "José 2", "ΟΔΥΣ", "STRASSE \u212a", "Ada", "ﬃ\u0301", "Ω" * 80, "a\u200bb"]
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def engine(empty_database):
    engine = make_engine(load({"users_service.database_url": empty_database}, {}))
    yield engine
    engine.dispose()


def migrate(engine: Engine, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def rows(model, names: list[str]) -> list[dict]:
    """Rows as revision 0003 has them."""
    found = []
    for number, name in enumerate(names, 1):
        row = {"id": UUID(int=number), "creation_time": MOMENT, "modification_time": MOMENT}
        row |= {"name": name, "version": number}
        if model is User:
            email = f"{unicodedata.normalize('NFD', 'é')}{number}@example.com"
            row |= {"email": email, "email_key": email_key(email), "is_active": True}
        else:
            row["description"] = f"A\u030a {name}" if number % 2 else None
        found.append(row | ({"permissions": ["*"]} if model is Role else {}))
    return found


# Columns of migrations after this one.
LATER = {"password_hash", "verification_time"}


def store(engine: Engine, table_, values: list[dict]) -> None:
    """Insert rows into a table that has not yet the columns of its model."""
    columns = (column(name, table_.c[name].type) for name in values[0])
    with engine.begin() as connection:
        connection.execute(insert(table(table_.name, *columns)), values)


def stored(engine: Engine, model) -> list[dict]:
    with engine.connect() as connection:
        columns = [each for each in model.__table__.c if each.name not in LATER]
        found = connection.execute(select(*columns).order_by(model.id))
        return [dict(row._mapping) for row in found]


def expected(model, row: dict) -> dict:
    """A row at the new revision."""
    texts = ("email", "name") if model is User else ("name", "description")
    new = row | {name: row[name] and normalize(row[name]) for name in texts}
    version = row["version"] + (new != row)
    new |= {f"{name}_folded": new[name] and fold(new[name]) for name in texts}
    more = {"role_id": None} if model is User else {"name_key": name_key(row["name"])}
    return new | more | {"version": version}


@pytest.fixture
def filled(engine):
    """A database at revision 0003, with rows."""
    migrate(engine, "0003")
    for model in (Role, Group, User):
        store(engine, model.__table__, rows(model, NAMES))
    links = [{"user_id": UUID(int=n), "group_id": UUID(int=n)} for n in range(1, len(NAMES) + 1)]
    store(engine, memberships, links)
    return engine


def hold_the_new_state(engine: Engine) -> None:
    for model in (Role, Group, User):
        found = [
            row | {"creation_time": 0, "modification_time": 0} for row in stored(engine, model)
        ]
        wanted = [expected(model, row) for row in rows(model, NAMES)]
        assert found == [row | {"creation_time": 0, "modification_time": 0} for row in wanted]
    with engine.connect() as connection:
        assert len(connection.execute(select(memberships)).all()) == len(NAMES)
    for name in ("roles", "groups"):
        keys = {index["name"]: index["unique"] for index in inspect(engine).get_indexes(name)}
        assert keys[f"ix_{name}_name_key"]


def test_rows_are_brought_up_to_date_and_back(filled):
    migrate(filled, "0004")
    hold_the_new_state(filled)
    migrate(filled, "0003", down=True)
    assert not {"name_folded", "name_key"} & {
        column["name"] for column in inspect(filled).get_columns("groups")
    }
    migrate(filled, "0004")
    versions = [row["version"] for row in stored(filled, User)]
    assert versions == [n + 1 for n in range(1, len(NAMES) + 1)]  # not raised again


class KilledError(Exception):
    """Ends a migration in front of a statement."""


def test_it_goes_on_wherever_it_was_killed(filled):
    statements, last = 0, 0

    def kill(_connection, _cursor, statement, *_) -> None:
        nonlocal statements
        statements += 1
        if statements == last:
            raise KilledError(statement)

    event.listen(filled, "before_cursor_execute", kill)
    while True:
        statements, last = 0, last + 1
        try:
            migrate(filled, "0004")
        except KilledError:
            continue
        break
    event.remove(filled, "before_cursor_execute", kill)
    assert last > 20
    hold_the_new_state(filled)


def test_names_that_look_the_same_are_told_before_anything_is_changed(engine):
    migrate(engine, "0003")
    store(engine, Group.__table__, rows(Group, ["Staff", "other", "STAFF\u200b", "Jose\u0301"]))
    store(engine, Role.__table__, rows(Role, ["x", "\u2800X"]))
    store(engine, User.__table__, rows(User, ["\ufb2c" * 250]))
    before = inspect(engine).get_columns("groups")
    with pytest.raises(CommandError) as refused:
        migrate(engine, "0004")
    told = str(refused.value)
    assert "Nothing was changed" in told
    assert f"'Staff' ({UUID(int=1)}), 'STAFF\\u200b' ({UUID(int=3)})" in told
    assert f"'x' ({UUID(int=1)}), '\\u2800X' ({UUID(int=2)})" in told
    assert "other" not in told
    assert f"the name of users {UUID(int=1)} is too long in NFC" in told
    assert [c["name"] for c in inspect(engine).get_columns("groups")] == [c["name"] for c in before]
    with engine.connect() as connection:
        names = connection.execute(select(Group.name)).scalars()
        assert "Jose\u0301" in set(names)


@pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)
def test_many_names_that_look_the_same_are_told_in_one_sentence(
    engine, empty_database, monkeypatch
):
    migrate(engine, "0003")
    names = ["\u200b" * copy + str(number) for copy in range(15) for number in range(15)]
    store(engine, Group.__table__, rows(Group, names))
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", empty_database)
    with pytest.raises(SystemExit) as stopped:
        users_service_command(["migrate", str(ROOT / "production.ini")])
    told = str(stopped.value)
    assert told.count("look the same") == 5
    assert "more" in told
    assert "\n" not in told
    assert len(told) < 4000
