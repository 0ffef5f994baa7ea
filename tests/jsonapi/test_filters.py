"""Filters in brackets and as expressions: both find the rows that Python finds."""

from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.toy import ARTICLES, COMMENTS, PEOPLE, Article
from tests.jsonapi.world import ADA, AUTHORS, BOB, DAN, EVE, FAY, FRIENDS, MANAGERS, RELATED
from users_service.jsonapi import Limits

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TEXTS = ["a", "A", "ab", "Ab", "aB", "a%b", "a_b", "a\\b", "a/b", "100%", "%", "_", "\\", "/"]
TEXTS += ["it's", "'", "''", "é", "É", " a", "a ", "x,y", "ß", "😀a", "null", "true"]


def some_articles() -> list[dict]:
    random = Random(6)
    return [
        {
            "id": number,
            "title": random.choice(TEXTS),
            "subtitle": random.choice([None, *TEXTS]),
            "rating": random.choice([None, -5, -1, 0, 1, 5, 2**31 - 1]),
            "is_public": random.random() < 0.5,
            "published": random.choice([None, *(NOON + timedelta(hours=n) for n in range(3))]),
            "author_name": random.choice([None, *TEXTS]),
            "revision": random.choice([1, 2]),
        }
        for number in random.sample(range(1, 1000), 150)
    ]


ROWS = some_articles()


@pytest.fixture(scope="module")
def articles(running_toy):
    """The toy with ROWS as its articles, for tests that change nothing."""
    running_toy.empty()
    running_toy.insert(Article, ROWS)
    return running_toy


@pytest.fixture(autouse=True)
def engine(request, running_toy) -> None:
    name = request.node.callspec.params["running_toy"]
    request.node.user_properties.append(("engine", name))


def found(toy, url: str, *filters: str) -> list[str]:
    """The ids of what a list has under filters, each `name=value`, with no fields to write."""
    pairs = [text.partition("=") for text in filters]
    query = "&".join(f"{name}={quote(value, safe='')}" for name, _, value in pairs)
    fields = "".join(f"&fields[{type}]=" for type in RELATED)
    response = toy.client.get(f"{url}?page[size]=1000{fields}&{query}")
    assert response.status_int == 200, (filters, response.text)
    return [resource["id"] for resource in response.json["data"]]


def those(holds) -> list[str]:
    """The ids of the rows for which something holds, in order."""
    return [str(row["id"]) for row in sorted(ROWS, key=lambda row: row["id"]) if holds(row)]


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# Each operator as Python has it; what is null is neither equal, less nor greater, nor contains.
OPERATORS = {
    "eq": lambda mine, other: mine == other,
    "ne": lambda mine, other: mine != other,
    "lt": lambda mine, other: mine is not None and mine < other,
    "le": lambda mine, other: mine is not None and mine <= other,
    "gt": lambda mine, other: mine is not None and mine > other,
    "ge": lambda mine, other: mine is not None and mine >= other,
    "contains": lambda mine, other: mine is not None and other in mine,
    "startswith": lambda mine, other: mine is not None and mine.startswith(other),
    "endswith": lambda mine, other: mine is not None and mine.endswith(other),
}
FUNCTIONS = {
    "eq": "equals({0},{1})",
    "ne": "not(equals({0},{1}))",
    "lt": "lessThan({0},{1})",
    "le": "lessOrEqual({0},{1})",
    "gt": "greaterThan({0},{1})",
    "ge": "greaterOrEqual({0},{1})",
    "contains": "contains({0},{1})",
    "startswith": "startsWith({0},{1})",
    "endswith": "endsWith({0},{1})",
}
# The fields by their names in documents, with the model's attribute and values as text and Python.
TYPES = {
    "title": ("title", {text: text for text in TEXTS}),
    "subtitle": ("subtitle", {text: text for text in TEXTS}),
    "by-line": ("author_name", {text: text for text in TEXTS[::6]}),
    "rating": ("rating", {str(n): n for n in (-5, -1, 0, 1, 4, 2**31 - 1)}),
    "id": ("id", {str(n): n for n in (1, 500, ROWS[0]["id"])}),
    "published": (
        "published",
        {
            "2026-01-31T12:00:00Z": NOON,
            "2026-01-31T13:00:00+00:00": NOON + timedelta(hours=1),
            "2026-01-31T15:30:00+02:00": NOON + timedelta(hours=1, minutes=30),
        },
    ),
    "is_public": ("is_public", {"true": True, "false": False}),
}
ORDERING = {"lt", "le", "gt", "ge"}
MATCHES = {"contains", "startswith", "endswith"}
COMPARISONS = [
    (name, operator)
    for name in TYPES
    for operator in OPERATORS
    if not (operator in MATCHES and name not in ("title", "subtitle", "by-line"))
    and not (operator in ORDERING and name == "is_public")
]


@pytest.mark.parametrize(("name", "operator"), COMPARISONS)
def test_both_ways_of_filtering_find_what_python_finds(articles, name, operator):
    attribute, values = TYPES[name]
    for text, value in values.items():
        if "," in text and operator == "eq" and name == "id":
            continue
        expected = those(lambda row, v=value: OPERATORS[operator](row[attribute], v))
        expression = FUNCTIONS[operator].format(name, quoted(text))
        for filters in (f"filter[{name}][{operator}]={text}", f"filter={expression}"):
            assert (filters, found(articles, ARTICLES, filters)) == (filters, expected)
        if operator == "eq":
            assert found(articles, ARTICLES, f"filter[{name}]={text}") == expected


@pytest.mark.parametrize("name", ["title", "rating", "published", "id"])
def test_lists_of_values_find_what_python_finds(articles, name):
    attribute, values = TYPES[name]
    texts = [text for text in values if "," not in text][:4]
    chosen = [values[text] for text in texts]
    inside = those(lambda row: row[attribute] in chosen)
    outside = those(lambda row: row[attribute] not in chosen)
    repeated = [f"filter[{name}][]={text}" for text in texts]
    for filters, expected in (
        ([f"filter[{name}][in]={','.join(texts)}"], inside),
        ([f"filter[{name}][nin]={','.join(texts)}"], outside),
        (repeated, inside),
        ([text.replace("[]", "[nin][]") for text in repeated], outside),
        ([f"filter=any({name},{','.join(map(quoted, texts))})"], inside),
        ([f"filter=not(any({name},{','.join(map(quoted, texts))}))"], outside),
    ):
        assert (filters, found(articles, ARTICLES, *filters)) == (filters, expected)


def test_a_comma_separates_ids_and_is_a_character_of_text(articles):
    two = sorted(row["id"] for row in ROWS)[:2]
    expected = [str(id) for id in two]
    assert found(articles, ARTICLES, f"filter[id]={expected[1]},{expected[0]}") == expected
    text = those(lambda row: row["title"] == "x,y")
    assert text == found(articles, ARTICLES, "filter[title]=x,y") != []


def test_null_is_asked_for_by_name(articles):
    for name, (attribute, _) in TYPES.items():
        null = those(lambda row, a=attribute: row[a] is None)
        other = those(lambda row, a=attribute: row[a] is not None)
        for filters, expected in {
            f"filter[{name}][isnull]=true": null,
            f"filter[{name}][isnull]=false": other,
            f"filter=equals({name},null)": null,
            f"filter=not(equals({name},null))": other,
        }.items():
            assert (filters, found(articles, ARTICLES, filters)) == (filters, expected)


def test_letters_of_ascii_are_found_without_regard_to_case(articles):
    for text in ("a", "AB", "b", "A%B", "a_B", "\\B", "IT'S", "L"):
        expected = those(lambda row, t=text: t.lower() in row["title"].lower())
        for filters in (
            f"filter[title][icontains]={text}",
            f"filter=icontains(title,{quoted(text)})",
        ):
            assert (filters, found(articles, ARTICLES, filters)) == (filters, expected)


def test_conditions_are_combined(articles):
    def positive(row) -> bool:
        return row["rating"] is not None and row["rating"] > 0

    expected = those(lambda row: positive(row) and row["is_public"])
    either = those(lambda row: positive(row) or row["is_public"])
    neither = those(lambda row: not (positive(row) or row["is_public"]))
    one, two = "greaterThan(rating,'0')", "equals(is_public,'true')"
    for filters, rows in (
        (["filter[rating][gt]=0", "filter[is_public]=true"], expected),
        (["filter[rating][gt]=0", f"filter={two}"], expected),
        ([f"filter=and({one},{two})"], expected),
        ([f"filter=or({one},{two})"], either),
        ([f"filter=not(or({one},{two}))"], neither),
        ([f"filter=and(not({one}),not({two}))"], neither),
        ([f"filter=or(and({one},{two}),and({two},{one}),{one})"], those(positive)),
        (["filter[rating][ge]=0", "filter[rating][le]=1"], those(lambda r: r["rating"] in (0, 1))),
    ):
        assert (filters, found(articles, ARTICLES, *filters)) == (filters, rows)


def test_fields_are_compared_with_each_other(articles):
    for function, operator in (("equals", "eq"), ("lessThan", "lt"), ("greaterOrEqual", "ge")):
        for mine, other in (("title", "subtitle"), ("subtitle", "by-line"), ("rating", "revision")):
            attributes = (TYPES.get(mine, (mine,))[0], TYPES.get(other, (other,))[0])

            def holds(row, attributes=attributes, operator=operator) -> bool:
                one, two = (row[attribute] for attribute in attributes)
                return None not in (one, two) and OPERATORS[operator](one, two)

            filters = f"filter={function}({mine},{other})"
            assert (filters, found(articles, ARTICLES, filters)) == (filters, those(holds))


@toy_on_one_engine
@pytest.mark.parametrize(
    "fields", ["title,rating", "id,title", "published,title", "is_public,rating", "is_public,title"]
)
def test_fields_of_different_types_are_not_compared(articles, fields):
    response = articles.client.get(f"{ARTICLES}?filter=equals({fields})")
    assert response.status_int == 400
    assert sources(response) == [("filter", "invalid_parameter")]


def test_filtered_lists_are_sorted_paged_and_counted(articles):
    expected = those(lambda row: row["is_public"])[::-1]
    url = f"{ARTICLES}?filter[is_public]=true&sort=-id&page[size]=7&page[total]=true"
    pages = []
    while url:
        document = articles.client.get(url).json
        assert document["meta"]["total"] == len(expected)
        pages += [resource["id"] for resource in document["data"]]
        url = document["links"]["next"]
    assert pages == expected


PEOPLE_WHO = {
    f"filter[manager]={ADA}": lambda who: MANAGERS[who] == ADA,
    f"filter[manager]={ADA},{DAN}": lambda who: MANAGERS[who] in (ADA, DAN),
    f"filter[manager][ne]={ADA}": lambda who: MANAGERS[who] != ADA,
    f"filter[friends]={ADA}": lambda who: ADA in FRIENDS[who],
    f"filter[friends][in]={ADA},{EVE}": lambda who: {ADA, EVE} & set(FRIENDS[who]),
    f"filter[friends][nin]={ADA},{EVE}": lambda who: not {ADA, EVE} & set(FRIENDS[who]),
    "filter[manager][isnull]=true": lambda who: MANAGERS[who] is None,
    "filter[friends][isnull]=true": lambda who: not FRIENDS[who],
    "filter[friends][isnull]=false": lambda who: FRIENDS[who],
    "filter[manager.nickname]=ada": lambda who: MANAGERS[who] == ADA,
    "filter[manager.nickname][ne]=ada": lambda who: MANAGERS[who] != ADA,
    "filter[manager.manager.nickname]=ada": lambda who: MANAGERS.get(MANAGERS[who]) == ADA,
    "filter[manager.manager.manager.nickname]=ada": lambda who: who == ADA,
    "filter[reports.nickname]=bob": lambda who: MANAGERS[BOB] == who,
    "filter[reports.reports.nickname]=bob": lambda who: MANAGERS[MANAGERS[BOB]] == who,
    "filter[friends.nickname][startswith]=b": lambda who: BOB in FRIENDS[who],
    "filter[friends.friends.nickname]=eve": lambda who: any(
        EVE in FRIENDS[friend] for friend in FRIENDS[who]
    ),
    "filter[fans.nickname]=dan": lambda who: who in FRIENDS[DAN],
    "filter[fans.friends.nickname]=eve": lambda who: any(
        EVE in FRIENDS[fan] for fan in RELATED["people"]["fans"][who]
    ),
    "filter[articles.tags.label]=tag 2": lambda who: who == ADA,
    f"filter=equals(manager,'{ADA}')": lambda who: MANAGERS[who] == ADA,
    "filter=equals(manager,null)": lambda who: MANAGERS[who] is None,
    "filter=equals(manager.nickname,'ada')": lambda who: MANAGERS[who] == ADA,
    "filter=has(friends)": lambda who: FRIENDS[who],
    "filter=not(has(friends))": lambda who: not FRIENDS[who],
    "filter=has(friends,equals(nickname,'ada'))": lambda who: ADA in FRIENDS[who],
    "filter=has(friends.friends,equals(nickname,'ada'))": lambda who: any(
        ADA in FRIENDS[friend] for friend in FRIENDS[who]
    ),
    "filter=has(friends,has(friends,equals(manager.nickname,'eve')))": lambda who: any(
        MANAGERS[other] == EVE for friend in FRIENDS[who] for other in FRIENDS[friend]
    ),
    "filter=has(friends,not(has(friends)))": lambda who: any(
        not FRIENDS[friend] for friend in FRIENDS[who]
    ),
    "filter=not(has(friends,not(equals(nickname,'ada'))))": lambda who: set(FRIENDS[who]) <= {ADA},
    "filter=equals(count(friends),'2')": lambda who: len(FRIENDS[who]) == 2,
    "filter=lessThan(count(friends),'1')": lambda who: not FRIENDS[who],
    "filter=greaterThan(count(reports),'0')": lambda who: who in MANAGERS.values(),
    "filter=equals(count(manager),'1')": lambda who: MANAGERS[who],
    "filter=equals(count(articles),'2')": lambda who: who == ADA,
    "filter=greaterOrEqual(count(manager.reports),'1')": lambda who: MANAGERS[who],
    "filter=equals(count(manager.friends),'2')": lambda who: (
        len(FRIENDS.get(MANAGERS[who], [])) == 2
    ),
    "filter=equals(count(friends.reports),'0')": lambda who: any(
        not RELATED["people"]["reports"][friend] for friend in FRIENDS[who]
    ),
    "filter=has(friends,equals(count(friends),'2'))": lambda who: any(
        len(FRIENDS[friend]) == 2 for friend in FRIENDS[who]
    ),
    "filter=has(reports,equals(count(reports),'1'))": lambda who: any(
        len(RELATED["people"]["reports"][report]) == 1
        for report in RELATED["people"]["reports"][who]
    ),
}


@pytest.mark.parametrize("filters", PEOPLE_WHO, ids=lambda text: text.replace(ADA, "ADA"))
def test_related_resources_are_filtered_by_also_those_of_the_same_type(world, filters):
    expected = [id for id in sorted(MANAGERS) if PEOPLE_WHO[filters](id)]
    assert found(world, PEOPLE, filters) == expected


def test_lists_of_related_resources_are_filtered(world):
    assert found(world, f"{PEOPLE}/{ADA}/friends", "filter[friends]=" + ADA) == [BOB]
    assert found(world, f"{PEOPLE}/{FAY}/friends", "filter[friends]=" + FAY) == [FAY]
    assert found(world, f"{PEOPLE}/{ADA}/reports", "filter[manager]=" + ADA) == [BOB]
    assert found(world, f"{ARTICLES}/4/tags", "filter=has(articles,equals(id,'2'))") == ["2"]
    articles = [id for id, author in AUTHORS.items() if author == ADA]
    assert found(world, ARTICLES, f"filter[author]={ADA}") == articles
    assert found(world, COMMENTS, "filter[article.author.nickname]=bob") == ["3"]


BAD = {
    "filter": (
        "",
        " ",
        "title",
        "equals",
        "equals(",
        "equals()",
        "equals(title)",
        "equals(title,)",
        "equals(title,'a'",
        "equals(title,'a'))",
        "equals(title,'a')x",
        "equals(title,'a'),equals(title,'a')",
        "equals(title,'a)",
        "equals(title,a'b')",
        "equals('title','a')",
        "equals(title,a b)",
        'equals(title,"a")',
        "EQUALS(title,'a')",
        "like(title,'a')",
        "__class__(title,'a')",
        "equals(nope,'a')",
        "equals(author_name,'a')",
        "equals(secret,'a')",
        "contains(secret,'a')",
        "equals(title,secret)",
        "equals(secret,null)",
        "any(secret,'a')",
        "equals(price,'1,00')",
        "equals(price,rating)",
        "equals(keywords,'a')",
        "equals(rating,'five')",
        "equals(rating,'5e1')",
        "equals(rating,'99999999999999999999')",
        "equals(rating,'')",
        "equals(is_public,'1')",
        "equals(published,'yesterday')",
        "lessThan(published,'0001-01-01T00:00:00+14:00')",
        "lessThan(is_public,'true')",
        "lessThan(rating,null)",
        "contains(rating,'5')",
        "contains(title,'')",
        "contains(title,null)",
        "equals(id,'x')",
        "equals(author,'x')",
        "equals(tags,null,null)",
        "lessThan(author,'5')",
        "any(title)",
        "any(title,)",
        "any(title,null)",
        "and(equals(title,'a'))",
        "or()",
        "not()",
        "not(equals(title,'a'),equals(title,'a'))",
        "has(title)",
        "has(nope)",
        "has(author,)",
        "has(author,equals(title,'a'))",
        "has(author..friends)",
        "count(tags)",
        "equals(count(title),'1')",
        "equals(count(tags),'-1')",
        "equals(count(tags),'x')",
        "equals(count(tags),tags)",
        "equals(author.nope,'a')",
        "equals(author.friends.,'a')",
        "equals(title.author,'a')",
        "not(" * 10 + "equals(title,'a')" + ")" * 10,
        "not(" * 500 + "equals(title,'a')" + ")" * 500,
        "(" * 1000,
        "or(" + ",".join(["has(comments)"] * 300) + ")",
        "has(author." + ".".join(["manager"] * 450) + ")",
        "has(author." + ".".join(["friends"] * 60) + ")",
        "any(id," + ",".join(f"'{n}'" for n in range(1, 300)) + ")",
        "equals(title,'a\0')",
    ),
    "filter[title]": ("\0", "a\0"),
    "filter[title][contains]": ("", "\0"),
    "filter[title][ge]": ("\0",),
    "filter[title][in]": (",".join("a" * 201),),
    "filter[title][isnull]": ("", "yes", "1", "TRUE"),
    "filter[title][eq][x]": ("a",),
    "filter[title][nope]": ("a",),
    "filter[title][EQ]": ("a",),
    "filter[title][]x": ("a",),
    "filter[title][contains][]": ("a",),
    "filter[rating][lt][]": ("1",),
    "filter[title": ("a",),
    "filter[]": ("a",),
    "filter[][]": ("a",),
    "filter[.]": ("a",),
    "filter[secret]": ("a",),
    "filter[secret][isnull]": ("true",),
    "filter[secret][in]": ("a",),
    "filter[author_name]": ("a",),
    "filter[nope]": ("a",),
    "filter[price]": ("", "1,00", "1e2", ".5", "1.", "+1", " 1", "NaN", "٣", "9" * 41),
    "filter[price][contains]": ("1",),
    "filter[keywords]": ("a",),
    "filter[rating]": ("", "five", "1,2", "1.5", "0x1", "1e3", "٣", " 1", str(2**31), "9" * 19),
    "filter[rating][contains]": ("1",),
    "filter[is_public]": ("1", "TRUE", ""),
    "filter[is_public][lt]": ("true",),
    "filter[published]": ("", "yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    "filter[published][lt]": ("9999-12-31T23:59:59-14:00",),
    "filter[id]": ("", "x", "1,x", "0", "1,"),
    "filter[id][contains]": ("1",),
    "filter[author]": ("", "x", f"{ADA},x"),
    "filter[author][lt]": (ADA,),
    "filter[author][contains]": (ADA,),
    "filter[author.nope]": ("a",),
    "filter[title.author]": ("a",),
    "filter[author." + ".".join(["manager"] * 900) + ".nickname]": ("ada",),
    "filter[author." + ".".join(["manager"] * 62) + ".nickname]": ("ada",),
}


@toy_on_one_engine
@pytest.mark.parametrize("name", BAD, ids=lambda name: name[:40])
def test_a_filter_that_cannot_be_is_refused_by_its_name(articles, name):
    answers = {}
    for value in BAD[name]:
        url = f"{ARTICLES}?{quote(name)}={quote(value, safe='(),')}"
        response = articles.client.get(url)
        if response.status_int != 400 or sources(response) != [(name, "invalid_parameter")]:
            answers[value[:60]] = response.status
    assert answers == {}


@toy_on_one_engine
def test_the_host_bounds_filters(world):
    client = world.client_with(
        Limits(max_filter_length=40, max_filter_depth=3, max_filter_values=2)
    )
    for query, status in {
        "filter=" + quote("not(not(equals(title,'a')))"): 200,
        "filter=" + quote("not(not(not(equals(id,'1'))))"): 400,
        "filter[title]=" + "a" * 40: 200,
        "filter[title]=" + "a" * 41: 400,
        "filter[id]=1,2": 200,
        "filter[id]=1,2,3": 400,
        "filter[id][]=1&filter[id][]=2": 200,
        "filter[id][]=1&filter[id][]=2&filter[id][]=3": 400,
    }.items():
        assert (query, client.get(f"{ARTICLES}?{query}").status_int) == (query, status)


@toy_on_one_engine
def test_every_bad_filter_is_named(articles):
    query = "filter[nope]=1&filter[rating]=x&filter=(&filter[id][]=x&page[size]=0"
    names = {name for name, _ in sources(articles.client.get(f"{ARTICLES}?{query}"))}
    assert names == {"filter[nope]", "filter[rating]", "filter", "filter[id][]", "page[size]"}


def test_an_id_that_is_nobodys_finds_nothing(articles):
    for filters in ("filter[id]=999999", f"filter[author]={UUID(int=99)}"):
        assert found(articles, ARTICLES, filters) == []
