"""Fixtures of the tests of sign-in, tokens and permissions."""

from contextlib import ExitStack

import pytest

from tests.auth.world import World
from tests.server import ROOT, Remote, pserve


@pytest.fixture
def world(service) -> World:
    return World(service)


@pytest.fixture
def process_with(service):
    """Run processes on the service's database, for as long as the test runs."""
    with ExitStack() as stack:

        def run(**settings: str) -> Remote:
            settings["database_url"] = service.url
            environ = {f"USERS_SERVICE_{name.upper()}": value for name, value in settings.items()}
            address = stack.enter_context(pserve(ROOT / "production.ini", environ))
            return Remote(address, service.app.registry)

        yield run


@pytest.fixture(params=["app_with", "process_with"], ids=["applications", "processes"])
def start_with(request):
    """Make applications of this process, or processes, on the service's database."""
    return request.getfixturevalue(request.param)
