"""A browser and a service for each module of tests of the UI, and a reader for each test."""

import pytest

from tests import browser
from tests.ui.reader import Reader
from tests.ui.site import site as serve


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture
def reader(chromium, site):
    """Somebody whose browser has nothing to complain about, and asks nobody else for anything."""
    chromium.get("about:blank")
    reading = Reader(chromium, site)
    reading.complaints()  # those of the test before
    reading.traffic()
    reading.urls.clear()
    yield reading
    assert reading.complaints() == []
    assert reading.foreign() == []
