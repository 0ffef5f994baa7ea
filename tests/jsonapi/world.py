"""A small world of related resources in the toy, and the same as Python sees it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, insert, select, update

from tests.jsonapi.toy import Article, Comment, Person, Tag, friendships, taggings

Identity = tuple[str, str]

ADA, BOB, EVE, DAN, FAY = (str(UUID(int=number)) for number in range(1, 6))
NAMES = {"ada": ADA, "bob": BOB, "eve": EVE, "dan": DAN, "fay": FAY}

# Managers in a circle, and one who manages himself.
MANAGERS = {ADA: EVE, BOB: ADA, EVE: BOB, DAN: DAN, FAY: None}
FRIENDS = {ADA: [BOB, EVE], BOB: [ADA], EVE: [], DAN: [ADA, BOB], FAY: [FAY]}
AUTHORS = {"1": ADA, "2": ADA, "3": BOB, "4": None}
TAGS = {"1": ["1", "2"], "2": ["2"], "3": [], "4": ["1", "2", "3"]}
COMMENTED = {"1": "1", "2": "1", "3": "3"}


def _inverse(pairs: dict[str, Any], targets: Any) -> dict[str, list[str]]:
    """Who leads to each of the targets."""
    return {
        target: [source for source, found in pairs.items() if found and target in found]
        for target in targets
    }


RELATED: dict[str, dict[str, dict[str, Any]]] = {
    "people": {
        "manager": MANAGERS,
        "reports": _inverse(MANAGERS, MANAGERS),
        "articles": _inverse(AUTHORS, MANAGERS),
        "friends": FRIENDS,
        "fans": _inverse(FRIENDS, FRIENDS),
    },
    "articles": {"author": AUTHORS, "tags": TAGS, "comments": _inverse(COMMENTED, AUTHORS)},
    "tags": {"articles": _inverse(TAGS, ["1", "2", "3"])},
    "comments": {"article": COMMENTED},
}
"""The ids that each relationship of a type leads to, by the id of the source."""

TARGETS = {
    "manager": "people",
    "reports": "people",
    "friends": "people",
    "fans": "people",
    "author": "people",
    "articles": "articles",
    "article": "articles",
    "tags": "tags",
    "comments": "comments",
}


def fill(engine: Engine) -> None:
    people = Person.__table__
    rows: dict[Any, list[dict[str, Any]]] = {
        people: [{"id": UUID(id), "nickname": name} for name, id in NAMES.items()],
        Article.__table__: [
            {"id": int(id), "title": f"article {id}", "author_id": author and UUID(author)}
            for id, author in AUTHORS.items()
        ],
        Tag.__table__: [{"id": number, "label": f"tag {number}"} for number in (1, 2, 3)],
        Comment.__table__: [
            {"id": int(id), "body": f"comment {id}", "article_id": int(article)}
            for id, article in COMMENTED.items()
        ],
        taggings: [
            {"article_id": int(id), "tag_id": int(tag)} for id, tags in TAGS.items() for tag in tags
        ],
        friendships: [
            {"person_id": UUID(id), "friend_id": UUID(friend)}
            for id, friends in FRIENDS.items()
            for friend in friends
        ],
    }
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)
        for id, manager in MANAGERS.items():
            change = update(people).where(people.c.id == UUID(id))
            connection.execute(change.values(manager_id=manager and UUID(manager)))
        if engine.name == "postgresql":  # whose sequences know nothing of ids that are given
            for name in ("articles", "comments", "tags"):
                sequence = func.pg_get_serial_sequence(name, "id")
                connection.execute(select(func.setval(sequence, 1000)))


def identifier(type: str, id: Any) -> dict[str, str]:
    return {"type": type, "id": str(id)}


def linkage(type: str, ids: Any) -> dict[str, Any]:
    """A document of identifiers, of one, or of none."""
    if isinstance(ids, list | tuple | set):
        return {"data": [identifier(type, id) for id in ids]}
    return {"data": None if ids is None else identifier(type, ids)}
