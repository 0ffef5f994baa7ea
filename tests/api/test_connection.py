"""The contract of a request's connection: what may be read over it before the view."""

from contextlib import contextmanager

import pytest
from pyramid.security import Allowed
from sqlalchemy import select

from tests.client import API, USERS, Client, user
from tests.policies import GrantingPolicy
from tests.service import dispose
from users_service import configure
from users_service.jsonapi import begin_changes, begin_snapshot
from users_service.models import User


class ReadingPolicy(GrantingPolicy):
    """A security policy that looks at the database for each request, as one with tokens does."""

    def permits(self, request, context, permission):
        request.dbconnection.execute(select(User.id).limit(1)).all()
        return Allowed("It has looked.")


@pytest.fixture(scope="module")
def guarded_app(running_service):
    bounds = {"users_service.lock_timeout": "1", "users_service.retry_deadline": "0"}
    config = configure(running_service.ini | bounds)
    config.set_security_policy(ReadingPolicy(frozenset()))
    app = config.make_wsgi_app()
    yield app
    dispose(app)


@pytest.fixture
def guarded(service, guarded_app):
    """A client of the service whose policy reads through the request's connection."""
    return Client(guarded_app)


@contextmanager
def locked_for_writing(service):
    """Hold the lock of SQLite that one writer has at a time; other engines have none."""
    with service.engine.connect() as connection:
        if service.name == "sqlite":
            begin_changes(connection.execution_options(changes={"sqlite_begin": "BEGIN IMMEDIATE"}))
        connection.execute(select(User.id))
        yield


@pytest.mark.parametrize(
    "path",
    [
        "",
        "?include=role,groups",
        "?page[total]=true",
        "?page[number]=1",
        "/{id}",
        "/{id}?include=groups",
        "/{id}/groups",
        "/{id}/relationships/role",
    ],
)
def test_a_policy_may_read_before_a_view_reads(guarded, path):
    id = guarded.create_user()["id"]
    assert guarded.get(USERS + path.format(id=id)).status_int == 200


def test_a_policy_may_read_before_a_view_writes(guarded):
    id = guarded.create_user()["id"]
    assert guarded.patch(f"{USERS}/{id}", user(id, name="Grace")).status_int == 200
    role = guarded.post(f"{API}/roles", {"data": {"type": "roles", "attributes": {"name": "r"}}})
    linkage = {"data": {"type": "roles", "id": role.json["data"]["id"]}}
    assert guarded.patch(f"{USERS}/{id}/relationships/role", linkage).status_int == 204
    assert guarded.get(f"{USERS}/{id}").json["data"]["attributes"]["name"] == "Grace"
    assert guarded.delete(f"{USERS}/{id}").status_int == 204


def test_what_is_refused_before_a_view_has_waited_for_no_lock(guarded, service):
    with locked_for_writing(service):
        assert guarded.post(USERS, user(name="")).status_int == 422
        assert guarded.get(USERS).status_int == 200
        if service.name == "sqlite":
            assert guarded.post(USERS, user(email="a@example.com", name="A")).status_int == 503


@pytest.mark.parametrize("begin", [begin_snapshot, begin_changes])
def test_to_begin_twice_is_to_begin_once(service, begin):
    name = "reading" if begin is begin_snapshot else "writing"
    with service.app.registry[name].connect() as connection:
        connection.execute(select(User.id)).all()
        begin(connection)
        connection.execute(select(User.id)).all()
        transaction = connection.get_transaction()
        begin(connection)
        assert connection.get_transaction() is transaction
