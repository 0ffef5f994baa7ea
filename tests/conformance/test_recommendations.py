"""Rows RC of the checklist: the URLs, links and dates that jsonapi.org recommends."""

import re
from urllib.parse import urlsplit

import pytest

from tests.conformance.world import ENTRY, USERS, crawl, make_world
from tests.engines import on_one_engine
from tests.further import further_relationships

pytestmark = on_one_engine

HOST = "http://localhost"
RELATIONSHIPS = {"users": {"role", "groups"}, "groups": {"members", "managers"}, "roles": {"users"}}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture(scope="module")
def documents(running_service) -> dict[str, dict]:
    """Every document that links lead to, by its URL."""
    running_service.empty()
    world = make_world(running_service)
    starts = [ENTRY, f"{USERS}?include=role.users,groups.members"]
    return {url: response.json for url, response in crawl(world.client, *starts) if response.body}


def resources(documents: dict[str, dict]) -> list[dict]:
    """The resource objects of documents: primary data and what is included."""
    found = []
    for document in documents.values():
        data = document.get("data") or []
        found += [*(data if isinstance(data, list) else [data]), *document.get("included", [])]
    return [item for item in found if "links" in item]


@pytest.mark.conformance("RC-01", "RC-02", "RC-03")
def test_urls_are_made_of_types_ids_and_relationships(documents):
    found = resources(documents)
    assert {item["type"] for item in found} == RELATIONSHIPS.keys()
    for item in found:
        url = f"{HOST}{ENTRY}/{item['type']}/{item['id']}"
        assert item["links"]["self"] == url
        further = further_relationships(item["type"])
        assert item["relationships"].keys() == RELATIONSHIPS[item["type"]] | further
        for name, relationship in item["relationships"].items():
            assert relationship["links"] == {
                "self": f"{url}/relationships/{name}",
                "related": f"{url}/{name}",
            }


@pytest.mark.conformance("RC-03")
def test_every_document_has_its_own_link_and_every_page_the_ways_on(documents):
    paged = 0
    for url, document in documents.items():
        own = document["links"]["self"]
        assert urlsplit(own).path == urlsplit(url).path.removesuffix("/")
        if isinstance(document.get("data"), list):
            paged += 1
            assert document["links"].keys() >= {"first", "prev", "next", "last"}
    assert paged > 10


@pytest.mark.conformance("RC-04")
def test_dates_have_a_time_zone(documents):
    dates = [
        value
        for item in resources(documents)
        for name, value in item["attributes"].items()
        if name.endswith("_time") and value is not None
    ]
    assert len(dates) > 20
    assert all(DATE.fullmatch(date) for date in dates)
