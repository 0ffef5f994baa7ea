"""Fixtures of all tests: a service on each engine, with empty tables and real commits."""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from uuid import uuid4

import pytest
from pyramid.router import Router
from sqlalchemy import delete

from tests import engines
from tests.client import Client
from users_service import configure
from users_service.database.engine import make_engine
from users_service.database.migrations import upgrade_database
from users_service.models.base import Base
from users_service.settings import load

_servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("USERS_SERVICE_")]:
        del os.environ[name]
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        _servers.enter_context(engines.servers())


def pytest_unconfigure(config: pytest.Config) -> None:
    _servers.close()


def pytest_terminal_summary(terminalreporter) -> None:
    ran = Counter(
        dict(report.user_properties)["engine"]
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        if report.when == "call" and "engine" in dict(report.user_properties)
    )
    terminalreporter.section("tests on each engine")
    for engine in engines.ENGINES:
        missing = engine in engines.VARIABLES and engines.server_url(engine) is None
        note = "  (no server of it on this machine)" if missing else ""
        terminalreporter.line(f"{engine:>12}: {ran[engine]}{note}")


class Service:
    """A running service, without a socket: its engine, its WSGI application, and a client."""

    def __init__(self, engine: str, url: str) -> None:
        self.name = engine
        self.url = url
        self.ini = {
            "users_service.database_url": url,
            "users_service.anonymous_permissions": "*",
        }
        self.app = self.make_app()
        self.engine = self.app.registry["engines"]["writing"]
        self.client = Client(self.app)

    def make_app(self, include: Callable | None = None, **settings: str) -> Router:
        """The application on this database, with other settings or more of the test's own in it.

        Its engine is its own: the caller disposes of it.
        """
        ini = self.ini | {f"users_service.{name}": value for name, value in settings.items()}
        config = configure(ini)
        if include is not None:
            config.include(include)
        return config.make_wsgi_app()

    def empty(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(delete(table))


def dispose(app: Router) -> None:
    for engine in app.registry["engines"].values():
        engine.dispose()


def database_url(engine: str, stack: ExitStack, tmp_path_factory) -> str:
    """An empty database of an engine, for as long as the stack is open."""
    if engine != "sqlite" and engines.server_url(engine) is None:
        pytest.skip(f"no {engine} answers and no server binary of it was found")
    folder = tmp_path_factory.mktemp(engine)
    return stack.enter_context(engines.database(engine, f"test_{uuid4().hex}", folder))


@pytest.fixture(scope="session", params=engines.ENGINES)
def running_service(request, tmp_path_factory):
    with ExitStack() as stack:
        url = database_url(request.param, stack, tmp_path_factory)
        engine = make_engine(load({"users_service.database_url": url}, {}))
        upgrade_database(engine)
        engine.dispose()
        service = Service(request.param, url)
        stack.callback(dispose, service.app)
        yield service


@pytest.fixture
def service(running_service, request):
    """The service on one engine after another, with empty tables."""
    request.node.user_properties.append(("engine", running_service.name))
    running_service.empty()
    return running_service


@pytest.fixture
def app_with(service):
    """Make further applications on the service's database; their engines end with the test."""
    with ExitStack() as stack:

        def make_app(include: Callable | None = None, **settings: str) -> Router:
            app = service.make_app(include, **settings)
            stack.callback(dispose, app)
            return app

        yield make_app


@pytest.fixture
def client(service) -> Client:
    return service.client


@pytest.fixture(params=engines.ENGINES)
def empty_database(request, tmp_path_factory):
    """The URL of a database without any tables, on one engine after another."""
    request.node.user_properties.append(("engine", request.param))
    with ExitStack() as stack:
        yield database_url(request.param, stack, tmp_path_factory)
