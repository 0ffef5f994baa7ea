"""Query parameters that an endpoint does not have: refused, on every method."""

from urllib.parse import quote

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import article
from tests.jsonapi.toy import ARTICLES, OUTCOMES, Article

pytestmark = toy_on_one_engine

UNKNOWN = ["includes", "fields", "field[articles]", "filters", "page", "page[x]", "pretty"]
UNKNOWN += ["Sort", "sort[]", "é", "a b", "", "\0"]
OF_COLLECTIONS = ["sort", "page[size]", "page[number]", "page[offset]", "page[total]"]
OF_COLLECTIONS += ["filter", "filter[title]", "filter[id][]"]


def assert_refused(response, name: str) -> None:
    assert response.status_int == 400
    if response.request.method != "HEAD":
        assert sources(response) == [(name, "unsupported_parameter")]


@pytest.mark.parametrize("name", UNKNOWN, ids=ascii)
def test_an_unknown_parameter_is_refused_on_every_method(toy, name):
    data = toy.article()
    query = f"?{quote(name)}=x"
    item = data["links"]["self"] + query
    for response in (
        toy.client.get(ARTICLES + query),
        toy.client.request("HEAD", ARTICLES + query),
        toy.client.post(ARTICLES + query, article(title="Notes")),
        toy.client.get(item),
        toy.client.request("HEAD", item),
        toy.client.patch(item, article(data["id"], title="Notes")),
        toy.client.delete(item),
    ):
        assert_refused(response, name)
    assert toy.client.get(ARTICLES).json["data"] == [data]


@pytest.mark.parametrize("name", OF_COLLECTIONS)
def test_a_parameter_of_collections_is_refused_where_there_is_none(toy, name):
    data = toy.article()
    url = data["links"]["self"]
    for response in (
        toy.client.get(f"{url}?{name}=1"),
        toy.client.post(f"{ARTICLES}?{name}=1", article(title="Notes")),
        toy.client.patch(f"{url}?{name}=1", article(data["id"], title="Notes")),
        toy.client.delete(f"{url}?{name}=1"),
    ):
        assert_refused(response, name)
    assert toy.count(Article) == 1


def test_every_unknown_parameter_is_named(client):
    response = client.get(f"{ARTICLES}?a=1&sort=title&b=2")
    assert sources(response) == [("a", "unsupported_parameter"), ("b", "unsupported_parameter")]


def test_parameters_of_hand_written_endpoints_are_their_own(client):
    response = client.get(f"{OUTCOMES}/complain?anything=goes")
    assert response.json["errors"][0]["detail"] == "There is no such colour."
