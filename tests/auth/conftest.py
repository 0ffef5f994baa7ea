"""Fixtures of the tests of sign-in, tokens and permissions."""

import pytest

from tests.auth.world import World


@pytest.fixture
def world(service) -> World:
    return World(service)
