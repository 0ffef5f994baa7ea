"""Fixtures of the toy application: running on one engine after another, with empty tables."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, delete, insert, select
from sqlalchemy.orm import Session

from tests import engines
from tests.client import Client
from tests.conftest import database_url
from tests.jsonapi.toy import ARTICLES, PEOPLE, Base, make_toy
from users_service.jsonapi import Limits

Row = dict[str, Any]


class Toy:
    """The toy application on one engine, a client of it, and a way to its tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.client = Client(make_toy(engine))

    def client_with(self, limits: Limits) -> Client:
        """A client of another toy on the same tables, with other limits."""
        return Client(make_toy(self.engine, limits))

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in Base.metadata.tables.values():
                connection.execute(delete(table))

    def insert(self, model: type[Base], rows: list[Row]) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(insert(model), rows)

    def delete(self, model: type[Any], ids: list[Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(model).where(model.id.in_(ids)))

    def count(self, model: type[Any]) -> int:
        with self.engine.connect() as connection:
            return len(connection.execute(select(model.id)).all())

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


@pytest.fixture(scope="session", params=engines.ENGINES)
def running_toy(request, tmp_path_factory) -> Iterator[Toy]:
    with ExitStack() as stack:
        engine = create_engine(database_url(request.param, stack, tmp_path_factory))
        stack.callback(engine.dispose)
        Base.metadata.create_all(engine)
        yield Toy(engine)


@pytest.fixture
def toy(running_toy, request) -> Toy:
    request.node.user_properties.append(("engine", request.node.callspec.params["running_toy"]))
    running_toy.empty()
    return running_toy


@pytest.fixture
def client(toy) -> Client:
    return toy.client
