"""The crawl: every document that a link leads to, that a write is answered with, or an error."""

import json
import re
from urllib.parse import urlsplit

import pytest

from tests.client import MEDIA_TYPE
from tests.conformance.structure import faults, is_absolute
from tests.conformance.world import (
    DESCRIPTION,
    ENTRY,
    GROUPS,
    ROLES,
    USERS,
    links_in,
    named_links,
)
from tests.further import OWN, further_types

PAGES = {"first", "last", "prev", "next"}
DESCRIBEDBY = f"http://localhost{DESCRIPTION}"


def resources_in(document):
    """The resource objects of a document: primary, included, and results of operations."""
    results = [result.get("data") for result in document.get("atomic:results", [])]
    for part in (document.get("data"), document.get("included"), results):
        for item in part if isinstance(part, list) else [part]:
            if item is not None and "links" in item:
                yield item


def every_resource(visited):
    for _, response in visited:
        if response.body:
            yield from resources_in(response.json)


# Each of these has a document in test_structure.py that is refused for it.
@pytest.mark.conformance("DS-01", "DS-03", "DS-04", "DS-05", "DS-06", "DS-08", "DS-15")
@pytest.mark.conformance("RO-01", "RO-02", "RO-04", "RO-07", "RO-08", "RO-09", "RO-11", "RO-12")
@pytest.mark.conformance("RO-13", "RO-16", "RO-18", "RO-19", "IN-01", "IN-02", "IN-04")
@pytest.mark.conformance("LK-01", "LK-02", "LK-03", "LK-04", "LK-05", "LK-06", "LK-07", "LK-08")
@pytest.mark.conformance("JO-01", "JO-02", "JO-03", "JO-04")
@pytest.mark.conformance("MN-02", "MN-03", "MN-04", "MN-05", "MN-06", "MN-09", "MN-10")
@pytest.mark.conformance("ER-01", "ER-02", "ER-03", "ER-08", "ER-20")
@pytest.mark.conformance("OB-03")
def test_every_document_is_valid(visited):
    for url, response in visited:
        if response.body:
            assert faults(response.json, sparse="fields%5B" in url or "fields[" in url) == [], url


@pytest.mark.conformance("CN-01", "CN-03", "DS-17")
def test_every_document_is_utf_8_labelled_as_json_api_without_other_parameters(visited):
    for _, response in visited:
        if response.body:
            label = response.headers["Content-Type"]
            assert re.fullmatch(rf'{re.escape(MEDIA_TYPE)}(;(ext|profile)="[^"]+")*', label)
            assert json.loads(response.body.decode("utf-8")) == response.json
            assert response.body.startswith(b"{")


@pytest.mark.conformance("CN-31")
def test_every_response_varies_by_accept(visited):
    assert {"Accept" in response.headers["Vary"] for _, response in visited} == {True}


@pytest.mark.conformance("FR-01", "FR-02", "FR-03", "FL-01", "RO-14")
def test_every_link_can_be_followed(found):
    assert {response.status_int for response in found.values()} == {200}
    links = [link for response in found.values() for link in links_in(response.json)]
    assert set(links) - found.keys() == {DESCRIBEDBY}  # which the crawl has followed as well
    assert len(links) > 1000


@pytest.mark.conformance("RO-17", "RO-05", "FR-02")
def test_the_self_link_of_every_resource_returns_the_resource(visited, found):
    count = 0
    for resource in every_resource(visited):
        if (response := found.get(resource["links"]["self"])) is not None:
            own = response.json["data"]
            assert (own["type"], own["id"]) == (resource["type"], resource["id"])
            assert own["links"]["self"] == resource["links"]["self"]
            count += 1
    assert count > 100


@pytest.mark.conformance("RO-05", "RO-06")
def test_a_resource_has_one_self_link_and_a_self_link_one_resource(visited):
    identities, selves = {}, {}
    for resource in every_resource(visited):
        identity, own = (resource["type"], resource["id"]), resource["links"]["self"]
        assert identities.setdefault(identity, own) == own
        assert selves.setdefault(own, identity) == identity
    assert {kind for kind, _ in identities} == {"users", "groups", "roles"}


@pytest.mark.conformance("RC-01", "RC-02", "FR-21", "RO-06", "DS-11")
def test_urls_are_made_of_types_ids_and_relationships(visited):
    paths = {"users": USERS, "groups": GROUPS, "roles": ROLES}
    for resource in every_resource(visited):
        own = f"http://localhost{paths[resource['type']]}/{resource['id']}"
        assert resource["links"] == {"self": own}
        for name, relationship in resource.get("relationships", {}).items():
            related = {"self": f"{own}/relationships/{name}", "related": f"{own}/{name}"}
            assert relationship["links"] == related


@pytest.mark.conformance("RO-17", "FR-01", "DS-09")
def test_the_self_link_of_a_document_leads_to_the_same_document(found):
    for url, response in found.items():
        assert found[response.json["links"]["self"]].json == response.json, url


@pytest.mark.conformance("RC-03", "PG-02")
def test_every_collection_has_the_links_of_pages_and_nothing_else_has_them(visited):
    for _, response in visited:
        document = response.json if response.body else {}
        if isinstance(document.get("data"), list):
            assert document["links"].keys() >= {"self", *PAGES}
        else:
            assert not PAGES & document.get("links", {}).keys()


@pytest.mark.conformance("LK-10")
def test_every_link_is_absolute(visited):
    for _, response in visited:
        if response.body:
            assert all(map(is_absolute, links_in(response.json)))


@pytest.mark.conformance("LK-09")
def test_the_entry_document_leads_to_all_types_and_has_no_links_of_its_own(client, found):
    document = found[ENTRY].json
    assert document["links"].keys() == {"self", "describedby"}
    assert document["meta"].keys() == {
        *("resources", "operations", "caller", "token", "permissions", "authentication")
    }
    assert document["meta"]["operations"] == "http://localhost/api/v1/operations"
    further = further_types(client.app)
    assert document["meta"]["resources"].keys() == {*OWN, *further}
    for name, resources in document["meta"]["resources"].items():
        types = {resource["type"] for resource in found[resources["href"]].json["data"]}
        # Nobody has signed in, and of further types the world has none.
        assert types == (set() if name in ("tokens", *further) else {name})


@pytest.mark.conformance("LK-09", "LK-06")
def test_no_link_says_that_it_is_something_else_than_its_name(visited):
    for _, response in visited:
        if response.body:
            names = {name for name, _ in named_links(response.json)}
            assert names <= PAGES | {"self", "describedby", "related", "type"}
            assert '"rel"' not in response.text


@pytest.mark.conformance("RC-04")
def test_times_are_rfc_3339_in_utc(visited):
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    for resource in every_resource(visited):
        for name, value in resource.get("attributes", {}).items():
            assert not name.endswith("_time") or value is None or re.fullmatch(form, value)


@pytest.mark.conformance("RO-20", "RO-16")
def test_pages_are_linked_where_the_linkage_is_and_not_in_resources(visited, found):
    for resource in every_resource(visited):
        for relationship in resource.get("relationships", {}).values():
            assert relationship["links"].keys() == {"self", "related"}
    linkage = [url for url in found if "/relationships/" in url and "page%5Bafter" in url]
    assert linkage
    for url in linkage:
        links = found[url].json["links"]
        assert {urlsplit(links[name] or url).path for name in PAGES} == {urlsplit(url).path}
