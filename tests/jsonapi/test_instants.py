"""Instants in filters: what RFC 3339 §5.6 has and dates alone, and nothing else."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, Article
from users_service.jsonapi import parse_instant

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
# What each of these is in UTC.
INSTANTS = {
    "2026-01-31T12:00:00Z": NOON,
    "2026-01-31t12:00:00z": NOON,
    "2026-01-31T12:00:00-00:00": NOON,
    "2026-01-31T13:30:00+01:30": NOON,
    "2026-02-01T11:59:00+23:59": NOON,
    "2026-01-30T12:01:00-23:59": NOON,
    "2026-01-31T12:00:00.0000000Z": NOON,
    "2026-01-31T12:00:00.1Z": NOON.replace(microsecond=100_000),
    "2026-01-31T12:00:00.1234569999999999999999Z": NOON.replace(microsecond=123_456),
    "2016-12-31T23:59:60Z": datetime(2017, 1, 1, tzinfo=UTC),
    "2015-07-01T01:59:60.5+02:00": datetime(2015, 7, 1, 0, 0, 0, 500_000, tzinfo=UTC),
    "2024-02-29T00:00:00Z": datetime(2024, 2, 29, tzinfo=UTC),
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.999999Z": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
}
DATES = {
    "2026-01-31": datetime(2026, 1, 31, tzinfo=UTC),
    "0001-01-01": datetime(1, 1, 1, tzinfo=UTC),
}
FORM = "RFC 3339"
OUT_OF_RANGE = "0001 to 9999"
NO_SUCH = "no such date"
REFUSED = {
    "": FORM,
    "yesterday": FORM,
    "2026": FORM,
    "2026-01": FORM,
    "20260131": FORM,
    "2026-W05-6": FORM,
    "2026-031": FORM,
    "20260131T120000Z": FORM,
    "2026-01-31T12:00:00": FORM,
    "2026-01-31T12:00Z": FORM,
    "2026-01-31T12Z": FORM,
    "2026-01-31 12:00:00Z": FORM,
    "2026-01-31T12:00:00+0200": FORM,
    "2026-01-31T12:00:00+02": FORM,
    "2026-01-31T12:00:00+24:00": FORM,
    "2026-01-31T12:00:00+01:60": FORM,
    "2026-01-31T12:00:00+01:00:00": FORM,
    "2026-01-31T12:00:00.Z": FORM,
    "2026-01-31T12:00:00,5Z": FORM,
    "2026-01-31T12:00:00Z ": FORM,
    "2026-01-31T12:00:00Z\n": FORM,
    "2026-01-31\n": FORM,
    "+2026-01-31T12:00:00Z": FORM,
    "٢٠٢٦-01-31T12:00:00Z": FORM,
    "2026-01-31T12:00:00\u221202:00": FORM,
    "1769860800": FORM,
    "2026-01-31T12:00:00Z[Europe/Berlin]": FORM,
    "2026-02-30T12:00:00Z": NO_SUCH,
    "2026-02-30": NO_SUCH,
    "2026-13-01": NO_SUCH,
    "2025-02-29T12:00:00Z": NO_SUCH,
    "0000-01-01T00:00:00Z": NO_SUCH,
    "2026-01-31T24:00:00Z": NO_SUCH,
    "2026-01-31T12:60:00Z": NO_SUCH,
    "2026-01-31T12:00:61Z": NO_SUCH,
    "2026-01-31T12:00:60Z": NO_SUCH,
    "2016-12-31T23:59:60+01:00": NO_SUCH,
    "0001-01-01T00:00:00+00:01": OUT_OF_RANGE,
    "9999-12-31T23:59:00-23:59": OUT_OF_RANGE,
    "9999-12-31T23:59:60Z": OUT_OF_RANGE,
}
OPERATORS = {
    "eq": lambda mine, other: mine == other,
    "ne": lambda mine, other: mine != other,
    "lt": lambda mine, other: mine < other,
    "ge": lambda mine, other: mine >= other,
}


@pytest.fixture(scope="module")
def articles(running_toy):
    """The toy with an article for each instant."""
    running_toy.empty()
    rows = [
        {"id": number, "title": "a", "published": instant}
        for number, instant in enumerate(sorted({*INSTANTS.values()}), 1)
    ]
    running_toy.insert(Article, rows)
    return running_toy, {str(row["id"]): row["published"] for row in rows}


def get(toy, name: str, value: str):
    return toy.client.get(f"{ARTICLES}?{quote(name)}={quote(value)}")


def test_every_instant_finds_what_python_finds(articles):
    toy, instants = articles
    for text, other in (INSTANTS | DATES).items():
        for operator, holds in OPERATORS.items():
            response = get(toy, f"filter[published][{operator}]", text)
            ids = [resource["id"] for resource in response.json["data"]]
            expected = [id for id, mine in instants.items() if holds(mine, other)]
            assert (text, operator, ids) == (text, operator, expected)


@toy_on_one_engine
def test_what_is_no_instant_is_refused_with_an_example(articles):
    toy, _ = articles
    for text, reason in REFUSED.items():
        for name, value in (
            ("filter[published]", text),
            ("filter[published][in]", f"2026-01-31T12:00:00Z,{text}"),
            ("filter[author.articles.published][ge]", text),
            ("filter", f"lessThan(published,'{text}')"),
        ):
            if "," in text and name.endswith("[in]"):
                continue
            response = get(toy, name, value)
            assert (text, sources(response)) == (text, [(name, "invalid_parameter")])
            (error,) = response.json["errors"]
            assert reason in error["detail"], text
            if reason == FORM:
                assert "2026-01-31T12:00:00Z" in error["detail"]
            assert "%2B" not in error["detail"]


@toy_on_one_engine
@pytest.mark.parametrize("offset", ["02:00", "0200"])
def test_a_plus_that_became_a_blank_is_told_how_to_be_written(articles, offset):
    toy, _ = articles
    for query in (
        f"filter[published]=2026-01-01T00:00:00+{offset}",
        f"filter[published][in]=2026-01-01,2026-01-01t00:00:00.5%20{offset}",
        f"filter=equals(published,'2026-01-01T00:00:00+{offset}')",
    ):
        (error,) = toy.client.get(f"{ARTICLES}?{query}").json["errors"]
        assert "write %2B for the plus" in error["detail"]


@toy_on_one_engine
def test_dates_are_for_filters_alone(articles):
    for text, instant in INSTANTS.items():
        assert parse_instant(text) == instant
    for text in [*DATES, *REFUSED]:
        with pytest.raises(ValueError, match=r"\.$"):
            parse_instant(text)
