"""Searching without regard to case: where the host has declared a column with folded texts."""

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, PEOPLE, Article


def titles(toy, query: str) -> list[str]:
    response = toy.client.get(f"{ARTICLES}?{query}&sort=title")
    assert response.status_int == 200, response.text
    return [resource["attributes"]["title"] for resource in response.json["data"]]


def test_the_folded_texts_are_searched(toy):
    toy.insert(Article, [{"title": title} for title in ("CAFÉ", "Straße", "STRASSE", "straße")])
    assert titles(toy, "filter[title][icontains]=%C3%A9") == ["CAFÉ"]
    assert titles(toy, "filter[title][icontains]=sSE") == ["STRASSE", "Straße", "straße"]
    assert titles(toy, "filter[title][contains]=%C3%9F") == ["Straße", "straße"]
    assert titles(toy, "filter[title][endswith]=SSE") == ["STRASSE"]
    assert titles(toy, "filter=not(icontains(title,'SS'))") == ["CAFÉ"]


def test_they_follow_a_change(toy):
    created = toy.article(title="Engines")
    document = {"data": {"type": "articles", "id": created["id"], "attributes": {"title": "ΟΔΥΣ"}}}
    assert toy.client.patch(created["links"]["self"], document).status_int == 200
    assert titles(toy, "filter[title][icontains]=%CE%BF%CE%B4%CF%85%CF%82") == ["ΟΔΥΣ"]
    assert titles(toy, "filter[title][icontains]=engines") == []


@toy_on_one_engine
@pytest.mark.parametrize(
    ("url", "name", "value"),
    [
        (ARTICLES, "filter[subtitle][icontains]", "a"),
        (ARTICLES, "filter[author.nickname][icontains]", "a"),
        (ARTICLES, "filter", "icontains(by-line,'a')"),
        (PEOPLE, "filter", "has(articles,icontains(subtitle,'a'))"),
    ],
)
def test_without_them_there_is_no_such_search(toy, url, name, value):
    response = toy.client.get(f"{url}?{name}={value}")
    assert (response.status_int, sources(response)) == (400, [(name, "invalid_parameter")])
    assert "icontains cannot be used on" in response.json["errors"][0]["detail"]
    for operator in ("contains", "startswith", "endswith"):
        other = name.replace("icontains", operator)
        assert name == other or toy.client.get(f"{url}?{other}={value}").status_int == 200
