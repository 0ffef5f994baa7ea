"""What models say of their entities is heeded."""

from types import SimpleNamespace

import pytest
from marshmallow_jsonapi import Schema, fields
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    mapped_column,
    validates,
)
from sqlalchemy.orm.exc import StaleDataError

from users_service.jsonapi.reading import Prover, Scopes
from users_service.jsonapi.resource import Resource
from users_service.jsonapi.writing import entities


@pytest.fixture
def book():
    """A model with a constructor, a validator and defaults of its own."""

    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        version: Mapped[int] = mapped_column(server_default="1")
        title: Mapped[str]
        key: Mapped[str] = mapped_column("title_key")
        shelf: Mapped[str] = mapped_column(default="new")
        changes: Mapped[int] = mapped_column(default=0, onupdate=lambda: 7)
        note: Mapped[str | None]

        __mapper_args__ = {"version_id_col": version}

        def __init__(self, **values):
            super().__init__(**{"note": "made"} | values)

        @validates("title")
        def _compute_key(self, _name, title):
            self.key = f"{title.lower()} of {self.shelf}"
            return title.strip()

    return Book


@pytest.fixture
def resource(book):
    class BookSchema(Schema):
        class Meta:
            type_ = "books"

        id = fields.Integer()
        title = fields.String()

    return Resource(model=book, schema=BookSchema(), resources={})


@pytest.fixture
def connection(book):
    engine = create_engine("sqlite://")
    book.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def scopes(connection):
    request = SimpleNamespace(dbconnection=connection)
    request.jsonapi_prover = Prover(request, None)
    return Scopes(request)


def stored(scopes, resource, **values):
    entity = resource.model(**values)
    entities.store_new(scopes, resource, entity)
    return entity


def row(connection, book) -> dict:
    return dict(connection.execute(select(*book.__table__.c)).one()._mapping)


def test_a_new_entity_is_stored_as_its_model_says(scopes, connection, resource, book):
    entity = stored(scopes, resource, title=" Iliad")
    expected = {"id": 1, "version": 1, "title": "Iliad", "shelf": "new", "changes": 0}
    assert row(connection, book) == expected | {"title_key": " iliad of None", "note": "made"}
    assert (entity.id, entity.version, entity.shelf) == (1, 1, "new")


def test_a_change_is_stored_as_its_model_says(scopes, connection, resource, book):
    stored(scopes, resource, title="Iliad", shelf="epics")
    entity = entities.lock(scopes.of(resource), 1)
    before = entities.values_of(resource, entity)
    entity.title = "Odyssey"
    entities.store_changes(scopes, resource, entity, before)
    assert row(connection, book) == {
        "id": 1,
        "version": 2,
        "title": "Odyssey",
        "title_key": "odyssey of epics",
        "shelf": "epics",
        "changes": 7,
        "note": "made",
    }
    assert (entity.version, entity.changes) == (2, 7)


def test_what_does_not_change_is_not_written(scopes, connection, resource, book):
    stored(scopes, resource, shelf="epics", title="Iliad")
    entity = entities.lock(scopes.of(resource), 1)
    before = entities.values_of(resource, entity)
    entity.title = "Iliad"
    statements = []
    event.listen(connection.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    entities.store_changes(scopes, resource, entity, before)
    assert statements == []
    assert row(connection, book)["version"] == 1


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_what_somebody_else_has_changed_in_spite_of_the_lock_is_no_change(
    scopes, connection, resource, book, how
):
    stored(scopes, resource, title="Iliad")
    entity = entities.lock(scopes.of(resource), 1)
    before = entities.values_of(resource, entity)
    table = book.__table__
    connection.execute(table.update().values(version=2) if how == "changed" else table.delete())
    entity.title = "Odyssey"
    with pytest.raises(StaleDataError):
        entities.store_changes(scopes, resource, entity, before)
    with pytest.raises(StaleDataError):
        entities.remove(scopes, resource, entity)


def test_there_is_nothing_to_lock_where_there_is_nothing(scopes, connection, resource):
    assert entities.lock(scopes.of(resource), 1) is None
