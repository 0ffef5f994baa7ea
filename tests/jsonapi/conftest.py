"""Fixtures of the toy application: running on one engine after another, with empty tables."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, Table, create_engine, delete, event, insert, select
from sqlalchemy.orm import Session
from webtest import TestResponse

from tests import engines
from tests.client import MEDIA_TYPE, Client
from tests.jsonapi import club as _club  # noqa: F401  # its tables
from tests.jsonapi import world as small_world
from tests.jsonapi.toy import ARTICLES, OPERATIONS, PEOPLE, Base, make_toy
from users_service.jsonapi import Limits

Row = dict[str, Any]


class Toy:
    """The toy application on one engine, a client of it, and a way to its tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.client = Client(make_toy(engine))
        self._others: dict[Limits, Client] = {}

    def client_with(self, limits: Limits) -> Client:
        """A client of another toy on the same tables, with other limits."""
        if limits not in self._others:
            self._others[limits] = Client(make_toy(self.engine, limits))
        return self._others[limits]

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(delete(table))

    def insert(self, model: type[Base] | Table, rows: list[Row]) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(insert(model), rows)

    def delete(self, model: type[Any], ids: list[Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(model).where(model.id.in_(ids)))

    def count(self, model: type[Any]) -> int:
        with self.engine.connect() as connection:
            return len(connection.execute(select(model.id)).all())

    def operate(
        self, *operations: Any, limits: Limits | None = None, headers: dict[str, str] | None = None
    ) -> TestResponse:
        """Send operations in one request."""
        client = self.client if limits is None else self.client_with(limits)
        media = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'
        headers = {"Content-Type": media, "Accept": media} | (headers or {})
        return client.post(OPERATIONS, {"atomic:operations": operations}, headers=headers)

    def article(self, **attributes: Any) -> Row:
        """Create an article over HTTP and return its resource object."""
        response = self.client.post(ARTICLES, article(**{"title": "Engines"} | attributes))
        assert response.status_int == 201, response.text
        return response.json["data"]

    def person(self, id: UUID | None = None, **attributes: Any) -> Row:
        """Create a person over HTTP and return the resource object."""
        response = self.client.post(PEOPLE, person(id, **attributes))
        assert response.status_int == 201, response.text
        return response.json["data"]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect the statements that are sent to the database within the block."""
        found: list[str] = []

        def collect(_connection, _cursor, statement, *_: Any) -> None:
            found.append(statement)

        event.listen(self.engine, "before_cursor_execute", collect)
        try:
            yield found
        finally:
            event.remove(self.engine, "before_cursor_execute", collect)


def article(id: str | None = None, **attributes: Any) -> Row:
    """A document with one article in it."""
    return _document("articles", id, attributes)


def person(id: UUID | str | None = None, **attributes: Any) -> Row:
    """A document with one person in it."""
    return _document("people", id, attributes)


def _document(type: str, id: Any, attributes: Row) -> Row:
    data: Row = {"type": type, "attributes": attributes}
    if id is not None:
        data["id"] = str(id)
    return {"data": data}


def enforce_foreign_keys(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


@pytest.fixture(scope="session", params=engines.ENGINES)
def running_toy(request, tmp_path_factory) -> Iterator[Toy]:
    with ExitStack() as stack:
        engine = create_engine(engines.database_url(request.param, stack, tmp_path_factory))
        stack.callback(engine.dispose)
        if request.param == "sqlite":
            event.listen(engine, "connect", enforce_foreign_keys)
        Base.metadata.create_all(engine)
        yield Toy(engine)


@pytest.fixture
def toy(running_toy, request) -> Toy:
    request.node.user_properties.append(("engine", request.node.callspec.params["running_toy"]))
    running_toy.empty()
    return running_toy


@pytest.fixture
def world(toy) -> Toy:
    """The toy with the related resources of tests/jsonapi/world.py in it."""
    small_world.fill(toy.engine)
    return toy


@pytest.fixture
def client(toy) -> Client:
    return toy.client
