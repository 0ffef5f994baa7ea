"""What a caller of the toy may not see makes no difference to any answer that it gets."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from sqlalchemy import create_engine, event, func, insert, select

from tests import engines
from tests.interference import Kind, Pair, asked, examples
from tests.jsonapi.conftest import Toy, enforce_foreign_keys
from tests.jsonapi.toy import Article, Base, Comment, Person, Tag, friendships, taggings

BOB, ADA, FAY, DAN = (UUID(int=number) for number in range(1, 5))
HIDDEN_PEOPLE = [UUID(int=number) for number in range(11, 17)]
NOBODY = UUID(int=99)
VISIBLE_ARTICLES, HIDDEN_ARTICLES = [103, 105, 107], list(range(11, 19))
TAGS = [1, 2, 3]
OPEN_COMMENTS, CLOSED_COMMENTS = [101, 102, 103], [104, 105, 106]

TITLES = ["Engines", "engines", "Ada", "Zoo", "secret"]
EMAILS = ["a@example.com", "b@example.com", "c@example.com", "secret@example.com"]
DAYS = ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"]

HIDDEN = "people.e-mail people.shirt articles.rating articles.by-line"
CALLERS = {
    "an author": {"X-Caller": str(BOB), "X-Strangers": "red", "X-Hidden": HIDDEN},
    "who sees no comments": {
        "X-Caller": str(BOB),
        "X-Strangers": "red",
        "X-Hidden": HIDDEN,
        "X-Comments": "none",
    },
}

KINDS = {
    "people": Kind(
        ids=[str(id) for id in (BOB, ADA, FAY, DAN, *HIDDEN_PEOPLE[:3], NOBODY)],
        attributes={
            "nickname": ["bob", "ada", "b", "x1"],
            "e-mail": EMAILS,
            "team": ["red", "blue", "green"],
            "shirt": ["1", "5", "10"],
        },
        texts=frozenset({"nickname", "e-mail", "team"}),
        hidden=frozenset({"e-mail", "shirt"}),
        relationships={
            "manager": "people",
            "reports": "people",
            "articles": "articles",
            "friends": "people",
            "fans": "people",
        },
        many=frozenset({"reports", "articles", "friends", "fans"}),
        written={"phone": ["1", "2"], "shirt": [1001, 1002]},
        created={"nickname": "new"},
    ),
    "articles": Kind(
        ids=[str(id) for id in (*VISIBLE_ARTICLES, *HIDDEN_ARTICLES[:3], 999)],
        attributes={
            "title": TITLES,
            "rating": ["1", "5", "9"],
            "is_public": ["true", "false"],
            "by-line": ["Ada", "Bob"],
            "published": DAYS,
        },
        texts=frozenset({"title", "by-line"}),
        hidden=frozenset({"rating", "by-line"}),
        relationships={"author": "people", "tags": "tags", "comments": "comments"},
        many=frozenset({"tags", "comments"}),
        written={"title": ["Engines", "New"], "rating": [5, None]},
    ),
    "tags": Kind(
        ids=[str(id) for id in (*TAGS, 99)],
        attributes={"label": ["a", "b"]},
        texts=frozenset({"label"}),
        hidden=frozenset(),
        relationships={"articles": "articles"},
        many=frozenset({"articles"}),
        written={"label": ["b", "c"]},
    ),
    "comments": Kind(
        ids=[str(id) for id in (*OPEN_COMMENTS, *CLOSED_COMMENTS, 999)],
        attributes={"body": ["a", "b"]},
        texts=frozenset({"body"}),
        hidden=frozenset(),
        relationships={"article": "articles"},
        many=frozenset(),
        written={"body": ["b", "c"]},
    ),
}


def rows(caller: str, made: Random) -> dict[Any, list[dict[str, Any]]]:
    """The rows of a database.

    :param made: makes what the caller may not see.
    """
    strangers = sorted(made.sample(HIDDEN_PEOPLE, made.randint(2, 5)))
    shirts, emails = made.sample(range(1, 12), 9), made.sample(EMAILS, 4)
    people = [
        {"id": BOB, "nickname": "bob", "email": "bob@example.com", "team": "blue", "shirt": 500},
        {"id": ADA, "nickname": "ada", "email": emails[0], "team": "blue", "shirt": shirts[0]},
        {"id": FAY, "nickname": "fay", "email": emails[1], "team": None, "shirt": shirts[1]},
        {"id": DAN, "nickname": "dan", "email": None, "team": "green", "shirt": shirts[2]},
    ]
    for number, id in enumerate(strangers):
        email = emails[2 + number] if number < 2 else None
        nickname = f"x{made.randrange(1000)}"
        person = {"nickname": nickname, "email": email, "shirt": shirts[3 + number]}
        people.append({"id": id, "team": "red", **person})
    managers = {BOB: made.choice([None, *strangers]), ADA: BOB, FAY: made.choice(strangers)}
    managers |= {id: made.choice([None, ADA, BOB, *strangers]) for id in strangers}
    for person in people:
        person["manager_id"] = managers.get(person["id"])
    friends = {(BOB, ADA), (ADA, BOB), (FAY, FAY), (ADA, FAY)}
    known = [BOB, ADA, FAY, DAN]
    friends |= {(made.choice(known), id) for id in strangers}
    friends |= {(id, made.choice(known)) for id in strangers}
    hidden = sorted(made.sample(HIDDEN_ARTICLES, made.randint(3, 7)))
    articles = [
        article(id, title, BOB, made) for id, title in zip(VISIBLE_ARTICLES, TITLES, strict=False)
    ]
    for id in hidden:
        author = made.choice([None, ADA, FAY, *strangers])
        articles.append(article(id, made.choice(TITLES), author, made))
    links = {(103, 1), (103, 2), (105, 2)}
    links |= {(made.choice(hidden), made.choice(TAGS)) for _ in range(6)}
    comments = dict(zip(OPEN_COMMENTS, [103, 103, 107], strict=True))
    comments |= {id: made.choice(hidden) for id in CLOSED_COMMENTS}
    bodies = dict(zip(comments, "aabbab", strict=True))
    if "comments" in caller:
        comments = {
            id: made.choice(VISIBLE_ARTICLES + hidden) for id in made.sample([*comments], 3)
        }
        bodies = {id: made.choice("ab") for id in comments}
    return {
        Person.__table__: sorted(people, key=lambda person: person["id"]),
        Article.__table__: articles,
        Tag.__table__: [{"id": id, "label": label} for id, label in zip(TAGS, "aba", strict=True)],
        Comment.__table__: [
            {"id": id, "body": bodies[id], "article_id": article}
            for id, article in comments.items()
        ],
        taggings: [{"article_id": article, "tag_id": tag} for article, tag in sorted(links)],
        friendships: [{"person_id": one, "friend_id": other} for one, other in sorted(friends)],
    }


def article(id: int, title: str, author: UUID | None, made: Random) -> dict[str, Any]:
    is_hidden = id not in VISIBLE_ARTICLES
    return {
        "id": id,
        "title": title,
        "title_folded": title.casefold(),
        "author_id": author,
        "is_public": made.choice([True, False]) if is_hidden else id == 103,
        "published": datetime(2026, made.choice([1, 6]) if is_hidden else 6, 1, tzinfo=UTC),
        "rating": made.choice([None, 1, 5, 9]),
        "author_name": made.choice([None, "Ada", "Bob"]),
    }


def fill(toy: Toy, contents: dict[Any, list[dict[str, Any]]]) -> None:
    toy.empty()
    with toy.engine.begin() as connection:
        for table, values in contents.items():
            people = table is Person.__table__
            without_keys = [{**row, "manager_id": None} for row in values] if people else values
            connection.execute(insert(table), without_keys)
        table = Person.__table__
        for row in contents[table]:
            changed = table.update().where(table.c.id == row["id"])
            connection.execute(changed.values(manager_id=row["manager_id"]))
        if toy.engine.name == "postgresql":
            for name in ("articles", "comments", "tags"):
                sequence = func.pg_get_serial_sequence(name, "id")
                connection.execute(select(func.setval(sequence, 1000)))


@pytest.fixture(scope="module")
def other_toy(running_toy, tmp_path_factory) -> Iterator[Toy]:
    """The toy on another database of the same engine."""
    name = running_toy.engine.name.replace("mysql", "mariadb")
    with ExitStack() as stack:
        engine = create_engine(engines.database_url(name, stack, tmp_path_factory))
        stack.callback(engine.dispose)
        if name == "sqlite":
            event.listen(engine, "connect", enforce_foreign_keys)
        Base.metadata.create_all(engine)
        yield Toy(engine)


@pytest.fixture(scope="module", params=CALLERS)
def world(running_toy, other_toy, request) -> tuple[Pair, Any]:
    """Both databases, and the requests of a caller."""
    toys = (running_toy, other_toy)
    contents = [rows(request.param, Random(seed)) for seed in (0, 1)]

    def fill_both() -> None:
        for toy, content in zip(toys, contents, strict=True):
            fill(toy, content)

    clients = running_toy.client, other_toy.client
    pair = Pair(clients, "/toy", fill_both, CALLERS[request.param])
    return pair, asked(KINDS, request.param)


def test_what_is_hidden_makes_no_difference(world):
    pair, requests = world

    @examples
    @given(sent=requests)
    def compare(sent):
        pair.compare(sent)

    compare()
