"""What is used of other packages beyond their documentation, as docs/architecture.md lists it: each
test fails on an upgrade that takes it away. Those of waitress are in tests/serving/.
"""

from types import SimpleNamespace

import psycopg
import pytest
from cornice.errors import Errors
from cornice.pyramidhook import register_service_views
from cornice.service import Service
from cornice.util import ContentTypePredicate, current_service
from marshmallow import fields
from psycopg.types.string import TextLoader
from pyramid.config import Configurator
from pyramid.interfaces import IRequestExtensions
from sqlalchemy import create_engine, event, inspect, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests import engines
from users_service.database.psycopg_cursors import UNKNOWN, BinaryCursor, BinaryTextLoader
from users_service.models import Group, User, memberships


def test_a_field_of_marshmallow_serializes_by_the_function_of_its_class():
    class Own(fields.String):
        pass

    assert Own._serialize is fields.String._serialize
    assert "_serialize" in vars(fields.String)
    assert fields.Boolean()._serialize(True, None, None) is True


def test_a_mapper_of_sqlalchemy_knows_its_listeners_and_makes_entities():
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)

        def __init__(self) -> None:
            raise AssertionError("is for new ones")

    mapper = inspect(Book)
    assert not mapper.dispatch.before_insert
    event.listen(Book, "before_insert", lambda *_: None)
    assert mapper.dispatch.before_insert
    assert isinstance(mapper.class_manager.new_instance(), Book)
    assert mapper.class_manager.original_init is not mapper.registry.constructor
    assert inspect(User).class_manager.original_init is inspect(User).registry.constructor


def test_a_relationship_of_sqlalchemy_knows_the_columns_that_hold_it():
    mapped = inspect(Group).relationships["members"]
    assert mapped.synchronize_pairs == [(Group.__table__.c.id, memberships.c.group_id)]
    assert mapped.secondary_synchronize_pairs == [(User.__table__.c.id, memberships.c.user_id)]


def test_pyramid_keeps_what_add_request_method_adds():
    config = Configurator()
    config.add_request_method(lambda request: 1, "reified", reify=True)
    config.add_request_method(lambda request: 2, "method")
    config.commit()
    extensions = config.registry.getUtility(IRequestExtensions)
    assert extensions.descriptors.keys() == {"reified"}
    assert extensions.methods.keys() == {"method"}


@pytest.fixture
def connection():
    url = make_url(engines.server_url("postgresql")).set(drivername="postgresql")
    plain = url.render_as_string(hide_password=False)
    with psycopg.connect(plain, cursor_factory=BinaryCursor) as connection:
        yield connection


def test_a_cursor_of_psycopg_has_its_result_and_loads_unknown_types_by_oid_0(connection):
    connection.execute("CREATE TYPE pg_temp.mood AS ENUM ('fine')")
    connection.adapters.register_loader(UNKNOWN, BinaryTextLoader)
    cursor = connection.execute("SELECT 'fine'::pg_temp.mood AS mood, 7 AS number")
    assert cursor.pgresult.nfields == 2
    assert [column[0] for column in cursor.description] == ["mood", "number"]
    assert cursor.fetchone() == ("fine", 7)
    assert issubclass(BinaryTextLoader, TextLoader)


def test_cornice_serves_without_its_includeme():
    config = Configurator()
    config.registry.cornice_services = {}
    config.add_view_predicate("content_type", ContentTypePredicate)
    service = Service(name="one", path="/one")
    service.add_view("GET", lambda request: {})
    register_service_views(config, service)
    config.commit()
    assert config.registry.cornice_services == {"/one": service}
    request = SimpleNamespace(
        registry=config.registry, matched_route=SimpleNamespace(pattern="/one", name="one")
    )
    assert current_service(request) is service
    assert Errors().status == 400


def test_a_connection_of_pymysql_has_its_socket():
    if (url := engines.server_url("mariadb")) is None:
        pytest.skip("no MariaDB answers")
    engine = create_engine(url)
    connection = engine.raw_connection()
    driver = connection.driver_connection
    assert driver._sock.fileno() >= 0
    driver.close()
    assert driver._sock is None
    connection.invalidate()
    engine.dispose()
