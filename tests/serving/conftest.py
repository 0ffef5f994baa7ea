"""Fixtures of the tests of the real server."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.serving.processes import Freezer, Service, prepared


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Iterator[Service]:
    """A service with 1000 users that is not started."""
    with prepared(tmp_path_factory.mktemp("service"), users=1000) as service:
        yield service


@pytest.fixture(scope="module")
def service(database) -> Iterator[Service]:
    """One process for all tests of a module: none of them leaves anything behind."""
    with database.running() as started:
        yield started


@pytest.fixture
def fresh(tmp_path) -> Iterator[Service]:
    """A service with a few users and a database of its own, that is not started."""
    with prepared(tmp_path) as service:
        yield service


@pytest.fixture
def freezer(fresh) -> Iterator[Freezer]:
    """What the service reaches its database through."""
    with ExitStack() as stack:
        made = Freezer(fresh.environ["USERS_SERVICE_DATABASE_URL"])
        stack.callback(made.close)
        fresh.environ["USERS_SERVICE_DATABASE_URL"] = made.url
        yield made
