"""What rules say of rows and of attributes holds in each kind of condition, and in each answer."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import update

from tests.client import Client
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import Toy
from tests.jsonapi.toy import ARTICLES, PEOPLE, Person, make_toy
from tests.jsonapi.world import ADA, BOB, DAN, EVE, FAY
from users_service.jsonapi import And, Compare, Count, Not, Or, Related, Rules

EVERYBODY = [ADA, BOB, EVE, DAN, FAY]


def ids(client: Client, url: str, **headers: str) -> list[str]:
    document = client.get(url, headers=headers).json
    return [item["id"] for item in document["data"]]


def is_one_of(people: Any, *wanted: str) -> Compare:
    return Compare(people, "id", "eq", tuple(UUID(id) for id in wanted))


CONDITIONS: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "all": (lambda people: And(()), EVERYBODY),
    "nobody": (lambda people: Or(()), []),
    "not nobody": (lambda people: Not(Or(())), EVERYBODY),
    "some": (lambda people: is_one_of(people, ADA, DAN), [ADA, DAN]),
    "one": (lambda people: is_one_of(people, ADA), [ADA]),
    "none of them": (lambda people: is_one_of(people), []),
    "not none of them": (lambda people: Not(is_one_of(people)), EVERYBODY),
    "of somebody or none": (lambda people: Or((is_one_of(people), is_one_of(people, EVE))), [EVE]),
    "without a manager": (lambda people: Not(Related(people.relationships["manager"])), [FAY]),
    "related to nobody": (lambda people: Related(people.relationships["friends"], Or(())), []),
    "friends": (
        lambda people: Related(people.relationships["friends"], is_one_of(people, ADA)),
        [BOB, DAN],
    ),
    "with two friends": (
        lambda people: Count(people.relationships["friends"], "eq", 2),
        [ADA, DAN],
    ),
    "with one friend of two": (
        lambda people: Count(people.relationships["friends"], "eq", 1, is_one_of(people, BOB, FAY)),
        [ADA, DAN, FAY],
    ),
    "with articles that are not there": (
        lambda people: Count(
            people.relationships["articles"],
            "ge",
            1,
            Compare(people.resources["articles"], "title", "eq", ("none",)),
        ),
        [],
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_select_what_they_say(world, name):
    condition, expected = CONDITIONS[name]
    rules = Rules(visible=lambda request: condition(request.jsonapi_resources["people"]))
    client = Client(make_toy(world.engine, rules={"people": rules}))
    assert ids(client, PEOPLE) == expected
    assert client.get(f"{PEOPLE}?page[total]=true").json["meta"]["total"] == len(expected)
    included = client.get(f"{PEOPLE}?include=friends").json["included"]
    assert {item["id"] for item in included} <= set(expected)
    status = 200 if ADA in expected else 404
    assert client.get(f"{PEOPLE}/{ADA}").status_int == status
    person = {"data": {"type": "people", "id": ADA, "attributes": {"team": "blue"}}}
    assert client.patch(f"{PEOPLE}/{ADA}", person).status_int == status


def test_a_key_that_the_row_holds_is_compared_alone(world):
    def mine(request: Any) -> Related:
        people = request.jsonapi_resources["people"]
        articles = request.jsonapi_resources["articles"]
        return Related(articles.relationships["author"], is_one_of(people, BOB))

    client = Client(make_toy(world.engine, rules={"articles": Rules(visible=mine)}))
    with world.statements() as statements:
        assert ids(client, ARTICLES) == ["3"]
    assert not any("people" in statement for statement in statements), statements


HIDDEN = {"X-Hidden": "people.e-mail people.shirt articles.title articles.rating"}
AS_ADA = HIDDEN | {"X-Caller": ADA}

# Ways to name an attribute of people, and of articles, with a name that no type has.
NAMES = {
    "people": (["e-mail", "shirt"], "nope"),
    "articles": (["title", "rating"], "nope"),
}
QUERIES = {
    "people": [
        "fields[people]={}",
        "fields[people]=nickname,{}",
        "include=articles&fields[people]={}",
        "sort={}",
        "sort=-nickname,{}",
        "sort={}&page[after]=abc",
        "filter[{}]=a",
        "filter[{}]=",
        "filter[{}]=a,b",
        "filter[{}][]=a&filter[{}][]=b",
        *(f"filter[{{}}][{operator}]=1" for operator in ("ne", "lt", "in", "nin", "ge")),
        *(f"filter[{{}}][{operator}]=x" for operator in ("contains", "icontains", "endswith")),
        "filter[{}][isnull]=true",
        "filter[{}][isnull]=perhaps",
        "filter[{}][like]=1",
        "filter[{}.id]=1",
        "filter[manager.{}]=a",
        "filter[friends.manager.{}][startswith]=a",
        "filter[friends.{}][isnull]=false",
        "filter=equals({},'a')",
        "filter=equals({},null)",
        "filter=not(equals({},null))",
        "filter=equals({},nickname)",
        "filter=lessThan(nickname,{})",
        "filter=equals({},{})",
        "filter=any({},'a','b')",
        "filter=contains({},'a')",
        "filter=icontains(manager.{},'a')",
        "filter=has({})",
        "filter=equals(count({}),'1')",
        "filter=has(friends,greaterThan({},'1'))",
        "filter=or(equals(nickname,'ada'),equals(manager.manager.{},'a'))",
        "include={}",
    ],
    "articles": [
        "fields[articles]={}",
        "sort=-{}",
        "filter[{}][icontains]=a",
        "filter[{}]=1",
        "filter[author.articles.{}][gt]=1",
        "filter=equals({},subtitle)",
        "filter=equals({},revision)",
        "filter=has(tags,has(articles,equals({},'1')))",
    ],
}


@toy_on_one_engine
@pytest.mark.parametrize(
    ("kind", "query"), [(kind, query) for kind, queries in QUERIES.items() for query in queries]
)
def test_a_hidden_attribute_is_answered_as_one_that_is_not_there(world, kind, query):
    url = f"/toy/{kind}"
    hidden_names, unknown = NAMES[kind]
    for name in hidden_names:
        answers = []
        for headers, tried in ((AS_ADA, name), (AS_ADA, unknown)):
            response = world.client.get(
                f"{url}?{quote(query.replace('{}', tried), safe='=&[],')}", headers=headers
            )
            document = response.json
            assert response.status_int == 400, response.text
            for error in document["errors"]:
                error["id"] = ""
                error["detail"] = re.sub(rf"(?<![\w-]){tried}(?![\w-])", "{}", error["detail"])
                if "parameter" in error.get("source", {}):
                    error["source"]["parameter"] = error["source"]["parameter"].replace(tried, "{}")
            answers.append(document["errors"])
        assert answers[0] == answers[1]


def fill_attributes(toy: Toy) -> None:
    with toy.engine.begin() as connection:
        for shirt, id in enumerate((ADA, BOB, EVE), 71):
            values = {"email": f"{id}@example.com", "shirt": shirt, "team": "blue"}
            connection.execute(update(Person).where(Person.id == UUID(id)).values(values))


def attributes(item: dict[str, Any]) -> set[str]:
    return set(item.get("attributes", {}))


PUBLIC = {"nickname", "phone", "team"}
ALL = PUBLIC | {"e-mail", "shirt"}


@pytest.mark.parametrize(
    "url",
    [
        PEOPLE,
        f"{PEOPLE}?sort=-nickname&page[size]=3",
        f"{PEOPLE}?page[number]=1&include=friends,manager",
        f"{PEOPLE}/{ADA}",
        f"{PEOPLE}/{BOB}?include=manager.friends,friends,reports",
        f"{PEOPLE}/{DAN}/friends?include=manager",
        f"{PEOPLE}/{BOB}/manager?include=reports",
        f"{PEOPLE}/{DAN}/relationships/friends?include=friends.manager",
        f"{PEOPLE}/{BOB}/relationships/manager?include=manager",
        f"{ARTICLES}?include=author.friends",
    ],
)
def test_no_document_shows_what_is_hidden_but_of_the_caller_s_own(world, url):
    fill_attributes(world)
    document = world.client.get(url, headers=AS_ADA).json
    data = document["data"] if isinstance(document["data"], list) else [document["data"]]
    shown = [item for item in [*data, *document.get("included", [])] if len(item) > 2]
    people = [item for item in shown if item["type"] == "people"]
    assert people
    for item in people:
        assert attributes(item) == (ALL if item["id"] == ADA else PUBLIC), item
    assert not any({"title", "rating"} & attributes(i) for i in shown if i["type"] == "articles")


def test_answers_to_changes_show_no_more(world):
    fill_attributes(world)
    client = world.client
    for id, expected, shirt in ((ADA, ALL, 8), (BOB, PUBLIC, 9)):
        person = {"type": "people", "id": id, "attributes": {"team": "green", "shirt": shirt}}
        answer = client.patch(f"{PEOPLE}/{id}?include=friends", {"data": person}, headers=AS_ADA)
        assert attributes(answer.json["data"]) == expected
        for item in answer.json["included"]:
            assert attributes(item) == (ALL if item["id"] == ADA else PUBLIC)
        answer = world.operate({"op": "update", "data": person}, headers=AS_ADA)
        assert attributes(answer.json["atomic:results"][0]["data"]) == expected
    new = {"type": "people", "attributes": {"nickname": "new", "e-mail": "new@example.com"}}
    created = client.post(PEOPLE, {"data": new}, headers=AS_ADA)
    assert created.status_int == 201
    assert attributes(created.json["data"]) == PUBLIC
    added = world.operate(
        {"op": "add", "data": new | {"attributes": {"nickname": "newer"}}}, headers=AS_ADA
    )
    assert attributes(added.json["atomic:results"][0]["data"]) == PUBLIC


def test_fields_that_are_left_out_say_nothing_of_what_is_hidden(world):
    fill_attributes(world)
    for query in ("fields[people]=nickname,team", "fields[people]=friends"):
        url = f"{PEOPLE}?{query}"
        assert world.client.get(url, headers=HIDDEN).json == world.client.get(url).json
