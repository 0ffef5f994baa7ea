"""Made-up resources beside users, roles and groups, of every type of field, on every engine."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pprint import pformat
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from marshmallow.validate import Length
from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, Table, delete, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from tests.further import own_tables
from users_service.cli import rows as row_store
from users_service.cli.rows import SeedError, identities, row_of
from users_service.cli.seeding import seed
from users_service.cli.seeding_others import others_of, store_people
from users_service.jsonapi import Resource
from users_service.models import Base, Group, Role, User
from users_service.models.base import (
    JSON_TYPE,
    NAMING_CONVENTION,
    UUID_TYPE,
    Exact,
    Identified,
    Timestamped,
    UTCDateTime,
    Versioned,
)
from users_service.models.text_columns import folded_column, name_key_column, text_column
from users_service.schemas import GroupSchema, RoleSchema, UserSchema, base
from users_service.texts import fold, name_key

Options = dict[str, Any]
# SQLite cannot drop a constraint first; the tables are empty when they are dropped.
pytestmark = pytest.mark.filterwarnings("ignore:Can't sort tables for DROP")

OPTIONS: Options = Base.__table_args__


class Others(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    __table_args__ = OPTIONS


def key(target: Any, **options: Any) -> Any:
    return mapped_column(ForeignKey(target), **options)


# Its name comes before that of what it needs.
class Act(Identified, Timestamped, Versioned, Others):
    __tablename__ = "acts"
    title: Mapped[str] = text_column(80)
    play_id: Mapped[UUID] = key("plays.id")
    author_id: Mapped[UUID] = key(User.id)
    play: Mapped["Play"] = relationship(foreign_keys=[play_id], viewonly=True)
    author: Mapped[User] = relationship(User, foreign_keys=[author_id], viewonly=True)


players = Table(
    "players",
    Others.metadata,
    Column("source_id", UUID_TYPE, ForeignKey("plays.id"), primary_key=True),
    Column("target_id", UUID_TYPE, ForeignKey(User.id), primary_key=True),
    **OPTIONS,
)


class Play(Identified, Timestamped, Versioned, Others):
    __tablename__ = "plays"
    name: Mapped[str] = text_column(80, unique=True)
    name_key: Mapped[str] = name_key_column("name")
    name_folded: Mapped[str] = folded_column("name")
    price: Mapped[Decimal | None] = mapped_column(Exact(12, 2))
    seats: Mapped[int] = mapped_column(BigInteger)
    opened_on: Mapped[date]
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    kind: Mapped[str] = text_column(10)
    tags: Mapped[list[str]] = mapped_column(JSON_TYPE)
    more: Mapped[dict[str, Any] | None] = mapped_column(JSON_TYPE)
    is_open: Mapped[bool]
    first_id: Mapped[UUID | None] = key("acts.id")  # a circle of which one way is optional
    after_id: Mapped[UUID | None] = key("plays.id")
    first: Mapped[Act | None] = relationship(foreign_keys=[first_id], viewonly=True)
    after: Mapped["Play | None"] = relationship(
        foreign_keys=[after_id], remote_side="Play.id", viewonly=True
    )
    players: Mapped[list[User]] = relationship(User, secondary=players, viewonly=True)


class ActSchema(base.Schema):
    class Meta:
        type_ = "acts"

    id = base.Identifier()
    title = base.Line(required=True, max_length=80)
    play = base.Relationship(type_="plays")
    author = base.Relationship(type_="users")


class PlaySchema(base.Schema):
    class Meta:
        type_ = "plays"

    id = base.Identifier()
    name = base.Line(required=True, max_length=80)
    price = base.Decimal(digits=12, scale=2, allow_none=True)
    seats = base.Integer(required=True, minimum=10, maximum=500)
    opened_on = base.Date()
    seen_at = base.Timestamp(allow_none=True)
    kind = base.Choice({"comedy": "Comedy", "tragedy": "Tragedy"})
    tags = base.List(base.Line(max_length=20), validate=Length(max=4))
    more = base.Object(allow_none=True)
    is_open = base.Boolean()
    first = base.Relationship(type_="acts")
    after = base.Relationship(type_="plays")
    players = base.Relationship(type_="users", many=True)


def resources() -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for model, schema in (
        (User, UserSchema),
        (Role, RoleSchema),
        (Group, GroupSchema),
        (Act, ActSchema),
        (Play, PlaySchema),
    ):
        made = Resource(model=model, schema=schema(), resources=found)
        found[made.type] = made
    return found


@pytest.fixture
def stage(service) -> Iterator[SimpleNamespace]:
    """The service's database with two more tables, filled on demand."""
    Others.metadata.create_all(service.engine)

    def fill(**more: Any) -> dict[str, int]:
        numbers: Options = {"users": 20, "groups": 3, "seed": 7} | more
        return seed(service.engine, **{"resources": resources(), "others": 50} | numbers)

    def look(*columns: Any) -> list[Any]:
        with service.engine.connect() as connection:
            return list(connection.execute(select(*columns).order_by(columns[0])))

    def clear() -> None:
        with service.engine.begin() as connection:
            connection.execute(update(Play).values(first_id=None, after_id=None))
            for table in (players, Act.__table__, Play.__table__):
                connection.execute(delete(table))

    def everything() -> list[Any]:
        tables = [*own_tables(service.app), *Others.metadata.tables.values()]
        return [
            (table.name, sorted(pformat(tuple(row)) for row in look(*table.c))) for table in tables
        ]

    try:
        yield SimpleNamespace(fill=fill, look=look, everything=everything, clear=clear)
    finally:
        clear()
        Others.metadata.drop_all(service.engine)


def test_each_type_has_its_number_and_its_links(stage):
    assert stage.fill() == {"plays": 50, "acts": 50}
    ((number,),) = stage.look(func.count(Act.id))
    assert number == 50
    found = stage.look(Play.id, Play.first_id, Play.after_id)
    for ids in zip(*found, strict=True):
        assert len(set(ids)) > 10
    assert 0 < sum(first is None for _, first, _ in found) < 25
    assert 0 < sum(after is None for _, _, after in found) < 25
    assert len(set(stage.look(Act.play_id))) > 20
    played = Counter(play for play, _ in stage.look(players.c.source_id, players.c.target_id))
    assert {*played.values()} == {1, 2, 3}


def test_times_and_versions_are_those_of_new_resources(stage):
    stage.fill()
    for came, changed, version in stage.look(
        Play.creation_time, Play.modification_time, Play.version
    ):
        assert came == changed
        assert came.year < 2026
        assert version == 1


def test_values_are_what_the_schema_takes_and_computed_columns_are_filled(stage):
    stage.fill()
    columns = (Play.name, Play.name_key, Play.name_folded, Play.price, Play.seats, Play.kind)
    rows = stage.look(*columns, Play.tags, Play.more, Play.opened_on, Play.seen_at)
    assert len({name for name, *_ in rows}) == 50
    for name, name_key_, folded, price, seats, kind, tags, more, opened_on, seen_at in rows:
        assert (name_key_, folded) == (name_key(name), fold(name))
        assert price is None or price == price.quantize(Decimal("0.01"))
        assert 10 <= seats <= 500
        assert kind in ("comedy", "tragedy")
        assert isinstance(tags, list)
        assert more is None or more.keys() == {"colour", "size"}
        assert (type(opened_on), type(seen_at)) in ((date, datetime), (date, type(None)))
    assert {type(more) for *_, more, _, _ in rows} == {dict, type(None)}


# Of 20 users, 3 groups, 50 of each other and the seed 7: it changes with what is made up.
DIGEST = "b286bc6dd5568d5c752d8ad865aa360eed1e75999da0c43886542203781c17fc"


def digest(found: list[Any]) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_the_same_numbers_give_the_same_on_every_engine(stage):
    stage.fill()
    assert digest(stage.everything()) == DIGEST


def test_another_seed_gives_others(stage, service):
    names = []
    for number in (7, 8):
        stage.fill(seed=number)
        names.append(set(stage.look(Play.name)))
        stage.clear()
        service.empty()
    assert len(names[0] & names[1]) < 5


def test_people_are_the_same_with_and_without_others(stage, service):
    columns = User.__table__.c
    seed(service.engine, 20, 3, 7)
    before = stage.look(*columns)
    service.empty()
    stage.fill()
    assert stage.look(*columns) == before


def test_a_table_with_rows_is_refused_and_left_alone(stage, service):
    stage.fill(others=1)
    service_rows = stage.everything()
    with pytest.raises(SeedError, match="already has"):
        stage.fill()
    assert stage.everything() == service_rows


def test_what_needs_users_is_not_made_up_without_them(stage):
    assert stage.fill(users=0) == {"plays": 50, "acts": 0}


def test_many_are_stored_in_chunks(stage, monkeypatch):
    monkeypatch.setattr(row_store, "CHUNK", 7)
    assert stage.fill() == {"plays": 50, "acts": 50}


def test_fields_that_are_added_to_people_are_made_up_and_what_is_there_stays(stage, service):
    made = zip("abc", identities("plays", 3, 1), strict=True)
    people = [row_of(one, name=name, name_key=name, name_folded=name) for name, one in made]
    with service.engine.begin() as connection:
        store_people(connection, Play, resources()["plays"], people, 1)
    found = stage.look(Play.name, Play.seats, Play.tags, Play.kind)
    assert [name for name, *_ in found] == ["a", "b", "c"]
    assert {type(tags) for *_, tags, _ in found} == {list}


def test_what_needs_each_other_cannot_be_made_up():
    found = resources()
    act, play = found["acts"], found["plays"]
    # As if the first act of a play were required.
    vars(play)["needed"] = [play.relationships["first"]]
    with pytest.raises(SeedError, match=r"made up for (acts and plays|plays and acts): each"):
        others_of({"acts": act, "plays": play})
