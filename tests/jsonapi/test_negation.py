"""Filters that negate others find exactly the rows that those do not find, on every path."""

from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import update

from tests.jsonapi.toy import ARTICLES, PEOPLE, Article, Person
from tests.jsonapi.world import ADA, BOB, DAN, FAY

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

# Paths from people and from articles, each with two values.
PATHS = {
    PEOPLE: {
        "nickname": ("ada", "bob"),
        "team": ("blue", "red"),
        "shirt": ("1", "7"),
        "id": (ADA, BOB),
        "manager": (ADA, DAN),
        "friends": (ADA, FAY),
        "manager.nickname": ("ada", "nobody"),
        "manager.team": ("blue", "red"),
        "friends.team": ("blue", "red"),
        "friends.id": (ADA, BOB),
        "manager.friends": (ADA, BOB),
        "friends.manager.team": ("red", "green"),
        "articles.published": ("2026-01-31T12:00:00Z", "2026-02-01"),
        "articles.tags.label": ("tag 2", "tag 3"),
        "fans.articles.is_public": ("true", "false"),
    },
    ARTICLES: {
        "subtitle": ("a", "b"),
        "rating": ("1", "2"),
        "author": (ADA, BOB),
        "author.team": ("blue", "red"),
        "author.manager.nickname": ("ada", "eve"),
        "tags.label": ("tag 1", "tag 3"),
        "comments.body": ("comment 1", "comment 9"),
    },
}
CALLERS = {"everybody": {}, "restricted": {"X-Strangers": "red", "X-Caller": ADA}}


@pytest.fixture(scope="module")
def people(running_toy):
    """The world, with teams, shirts, ratings and days that some have and some have not."""
    from tests.jsonapi import world

    running_toy.empty()
    world.fill(running_toy.engine)
    values = {
        Person: {
            UUID(ADA): {"team": "blue", "shirt": 7},
            UUID(BOB): {"team": "red"},
            UUID(DAN): {"team": "red", "shirt": 7},
        },
        Article: {
            1: {"subtitle": "a", "rating": 1, "published": NOON, "is_public": True},
            3: {"subtitle": "b", "published": NOON},
            4: {"rating": 2},
        },
    }
    with running_toy.engine.begin() as connection:
        for model, rows in values.items():
            for id, changed in rows.items():
                connection.execute(update(model).where(model.id == id).values(changed))
    return running_toy


def found(toy, url: str, name: str, value: str, headers: dict[str, str]) -> set[str]:
    query = f"{quote(name)}={quote(value)}" if name else ""
    response = toy.client.get(f"{url}?page[size]=1000&{query}", headers=headers)
    assert response.status_int == 200, response.text
    return {resource["id"] for resource in response.json["data"]}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("url", "path"), [(url, path) for url in PATHS for path in PATHS[url]])
def test_a_negation_finds_all_that_the_other_does_not(people, url, path, caller):
    one, two = PATHS[url][path]
    headers = CALLERS[caller]
    everything = found(people, url, "", "", headers)
    for positive, negative in (
        ((f"filter[{path}]", one), (f"filter[{path}][ne]", one)),
        ((f"filter[{path}][in]", f"{one},{two}"), (f"filter[{path}][nin]", f"{one},{two}")),
        ((f"filter[{path}][]", two), (f"filter[{path}][ne][]", two)),
        ((f"filter[{path}][isnull]", "false"), (f"filter[{path}][isnull]", "true")),
        (("filter", f"equals({path},'{one}')"), ("filter", f"not(equals({path},'{one}'))")),
        (("filter", f"equals({path},null)"), ("filter", f"not(equals({path},null))")),
        (("filter", f"equals({path},null)"), (f"filter[{path}][isnull]", "false")),
        (("filter", f"any({path},'{one}','{two}')"), (f"filter[{path}][nin]", f"{two},{one}")),
    ):
        rows = found(people, url, *positive, headers)
        others = found(people, url, *negative, headers)
        assert (positive, others) == (positive, everything - rows)


def test_there_is_no_value_where_a_path_leads_to_nothing(people):
    none = found(people, PEOPLE, "filter[manager.team][isnull]", "true", {})
    # Fay has no manager; Ada's, Eve, has no team.
    assert none == {ADA, FAY}
    assert found(people, ARTICLES, "filter[author.manager][isnull]", "true", {}) == {"4"}
