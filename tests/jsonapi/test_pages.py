"""Pages by number, totals, and the limits that a host sets."""

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, Article
from users_service.jsonapi import Limits


def titles(document: dict) -> list[str]:
    return [item["attributes"]["title"] for item in document["data"]]


@pytest.fixture
def seventeen(toy) -> list[str]:
    """The titles of 17 articles, in order."""
    names = [f"{n:02}" for n in range(1, 18)]
    toy.insert(Article, [{"title": name} for name in names])
    return names


def test_pages_are_numbered_from_one(client, seventeen):
    url = f"{ARTICLES}?sort=-title&page[size]=7&page[number]="
    found = [client.get(f"{url}{number}").json for number in (1, 2, 3)]
    assert [title for page in found for title in titles(page)] == seventeen[::-1]
    assert [len(document["data"]) for document in found] == [7, 7, 3]
    assert [document["meta"]["page"]["total"] for document in found] == [17, 17, 17]


def test_links_lead_from_page_to_page(client, seventeen):
    url = f"{ARTICLES}?sort=title&page[size]=7&page[number]=2"
    links = client.get(url).json["links"]
    assert titles(client.get(links["self"]).json) == seventeen[7:14]
    assert titles(client.get(links["first"]).json) == seventeen[:7]
    assert titles(client.get(links["prev"]).json) == seventeen[:7]
    assert titles(client.get(links["next"]).json) == seventeen[14:]
    assert titles(client.get(links["last"]).json) == seventeen[14:]
    assert client.get(links["prev"]).json["links"]["prev"] is None
    assert client.get(links["next"]).json["links"]["next"] is None


def test_a_page_beyond_the_end_is_empty_and_leads_back(client, seventeen):
    response = client.get(f"{ARTICLES}?sort=title&page[size]=7&page[number]=99")
    assert response.status_int == 200
    assert response.json["data"] == []
    assert response.json["meta"]["page"]["total"] == 17
    assert response.json["links"]["next"] is None
    assert titles(client.get(response.json["links"]["prev"]).json) == seventeen[14:]


def test_the_last_page_can_be_full(client, seventeen):
    links = client.get(f"{ARTICLES}?page[size]=17&page[number]=1").json["links"]
    assert links["next"] is None
    assert links["last"] == links["first"] == links["self"]


@toy_on_one_engine
def test_an_empty_collection_has_a_first_page(client):
    document = client.get(f"{ARTICLES}?page[number]=1").json
    assert document["data"] == []
    assert document["meta"]["page"]["total"] == 0
    assert document["links"]["prev"] is document["links"]["next"] is None
    assert document["links"]["first"] == document["links"]["last"] == document["links"]["self"]


def test_the_total_is_told_to_those_who_ask(client, seventeen):
    assert "meta" not in client.get(ARTICLES).json
    assert "meta" not in client.get(f"{ARTICLES}?page[total]=false").json
    document = client.get(f"{ARTICLES}?page[size]=3&page[total]=true").json
    assert document["meta"]["page"]["total"] == 17
    assert len(document["data"]) == 3
    behind = client.get(document["links"]["next"]).json
    assert behind["meta"]["page"]["total"] == 17


@toy_on_one_engine
@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("page[size]=0", ["page[size]"]),
        ("page[size]=-1", ["page[size]"]),
        ("page[size]=", ["page[size]"]),
        ("page[size]=ten", ["page[size]"]),
        ("page[size]=%2B5", ["page[size]"]),
        ("page[size]=1e2", ["page[size]"]),
        ("page[size]=%D9%A3", ["page[size]"]),
        ("page[size]=5%0A", ["page[size]"]),
        ("page[number]=0", ["page[number]"]),
        ("page[number]=%00", ["page[number]"]),
        (f"page[number]={10**20}", ["page[number]"]),
        ("page[total]=1", ["page[total]"]),
        ("page[number]=1&page[total]=1", ["page[total]"]),
        ("page[offset]=0&page[total]=1", ["page[total]"]),
        ("page[offset]=-1", ["page[offset]"]),
        ("page[offset]=", ["page[offset]"]),
        (f"page[offset]={10**20}", ["page[offset]"]),
        ("page[limit]=0", ["page[limit]"]),
        ("page[limit]=x&page[offset]=y", ["page[limit]", "page[offset]"]),
        ("page[number]=1&page[offset]=0", ["page[offset]"]),
        ("page[number]=1&page[limit]=5", ["page[limit]"]),
        ("page[offset]=0&page[size]=5", ["page[size]"]),
        ("page[number]=x&page[size]=y", ["page[number]", "page[size]"]),
        ("page[size]=0&sort=colour,rating,-rating", ["page[size]", "sort", "sort"]),
        ("sort=", ["sort"]),
        ("sort=title,,rating", ["sort"]),
        ("sort=--title", ["sort"]),
        ("sort=%2Btitle", ["sort"]),
        ("sort=title&sort=rating", ["sort"]),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(client, query, faults):
    response = client.get(f"{ARTICLES}?{query}")
    assert response.status_int == 400
    assert sorted(name for name, _ in sources(response)) == faults
    assert {code for _, code in sources(response)} == {"invalid_parameter"}


@toy_on_one_engine
@pytest.mark.parametrize("size", ["page[size]=1001", f"page[size]={10**20}", "page[limit]=1001"])
def test_a_page_that_is_too_large_is_refused_with_the_largest_size(client, size):
    response = client.get(f"{ARTICLES}?{size}")
    assert response.status_int == 400
    assert sources(response) == [(size.partition("=")[0], "page_too_large")]
    assert response.json["errors"][0]["meta"] == {"page": {"maxSize": 1000}}


@toy_on_one_engine
def test_a_position_is_given_in_one_way(client, seventeen):
    links = client.get(f"{ARTICLES}?page[size]=7").json["links"]
    for name in ("page[number]", "page[offset]"):
        for link in (links["next"], links["last"]):
            response = client.get(f"{link.replace('page%5Bsize%5D=7&', '')}&{name}=2")
            assert response.status_int == 400
            assert sources(response) == [(name, "invalid_parameter")]


def test_two_cursors_are_a_range(client, seventeen):
    url = f"{ARTICLES}?sort=title"
    after = client.get(f"{url}&page[size]=3").json["links"]["next"].split("&")[-1]
    before = client.get(f"{url}&page[size]=4").json["links"]["last"]
    before = client.get(before).json["links"]["prev"].split("&")[-1]
    document = client.get(f"{url}&{after}&{before}").json
    assert titles(document) == seventeen[3:13]
    assert "meta" not in document
    document = client.get(f"{url}&{after}&{before}&page[size]=4").json
    assert titles(document) == seventeen[3:7]
    assert document["meta"]["page"]["rangeTruncated"] is True


def test_pages_lie_where_an_offset_puts_them(client, seventeen):
    url = f"{ARTICLES}?sort=title&page[limit]=7&page[offset]="
    document = client.get(f"{url}5").json
    assert titles(document) == seventeen[5:12]
    assert document["meta"] == {"page": {"total": 17}, "total": 17}
    found = {
        name: link and titles(client.get(link).json) for name, link in document["links"].items()
    }
    assert found == {
        "self": seventeen[5:12],
        "first": seventeen[:7],
        "prev": seventeen[:7],
        "next": seventeen[12:],
        "last": seventeen[12:],
    }
    assert titles(client.get(f"{ARTICLES}?sort=title&page[offset]=15").json) == seventeen[15:]
    assert client.get(f"{url}17").json["data"] == []


@toy_on_one_engine
def test_the_host_sets_the_sizes_of_pages(toy, seventeen):
    client = toy.client_with(Limits(page_size=2, max_page_size=5))
    assert titles(client.get(f"{ARTICLES}?sort=title").json) == seventeen[:2]
    assert titles(client.get(f"{ARTICLES}?sort=title&page[size]=5").json) == seventeen[:5]
    for query in ("page[size]=6", "page[size]=6&page[number]=1"):
        response = client.get(f"{ARTICLES}?{query}")
        assert response.status_int == 400
        assert sources(response) == [("page[size]", "page_too_large")]


@toy_on_one_engine
def test_no_page_is_larger_than_the_largest(toy, seventeen):
    client = toy.client_with(Limits(max_page_size=5))
    assert len(client.get(ARTICLES).json["data"]) <= 5


@toy_on_one_engine
def test_the_host_sets_the_sizes_of_requests(toy):
    client = toy.client_with(Limits(max_body_size=100, max_url_length=60, max_json_depth=3))
    assert client.post(ARTICLES, body=b"x" * 101).status_int == 413
    assert client.get(f"{ARTICLES}?sort={'x' * 60}").status_int == 414
    assert client.post(ARTICLES, {"data": {"attributes": {"a": 1}}}).status_int == 400
    assert "3 levels" in client.post(ARTICLES, body=b'{"a":{"a":{"a":{}}}}').text
