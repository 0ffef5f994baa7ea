"""Fixtures of all tests: a service on each engine, with empty tables and real commits.

They import the service when they are asked for it, so that the tests of jsonapi run without it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests import engines

if TYPE_CHECKING:
    from pyramid.router import Router

    from tests.client import Client

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


@pytest.fixture(scope="session", params=engines.ENGINES)
def running_service(request, tmp_path_factory):
    from tests.service import start

    with ExitStack() as stack:
        yield start(request.param, stack, tmp_path_factory)


@pytest.fixture
def service(running_service, request):
    """The service on one engine after another, with empty tables."""
    request.node.user_properties.append(("engine", running_service.name))
    running_service.empty()
    return running_service


@pytest.fixture
def app_with(service):
    """Make further applications on the service's database; their engines end with the test."""
    from tests.service import dispose

    with ExitStack() as stack:

        def make_app(include: Callable | None = None, **settings: str) -> Router:
            app = service.make_app(include, **settings)
            stack.callback(dispose, app)
            return app

        yield make_app


@pytest.fixture
def client(service) -> Client:
    return service.client


@pytest.fixture
def permitted(service) -> Callable[[str], Client]:
    """Make clients that have signed in, and may do just what the permissions say."""
    from tests.auth.world import as_holder, permitted_token

    return lambda permissions: as_holder(permitted_token(service, permissions), service.guarded_app)


@pytest.fixture(params=engines.ENGINES)
def empty_database(request, tmp_path_factory):
    """The URL of a database without any tables, on one engine after another."""
    request.node.user_properties.append(("engine", request.param))
    with ExitStack() as stack:
        yield engines.database_url(request.param, stack, tmp_path_factory)
