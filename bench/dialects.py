"""How the contestants spell the same requests, and how their answers are read."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Json = Any


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The paths below a contestant's own prefix, the bodies, and three views of an answer.

    :param user: the user of an answer: its id, e-mail address and name.
    :param users: all users of a list.
    :param related: the ids of all roles and groups that came with a list.
    """

    media_type: str
    page: Callable[[int], str]
    by_email: Callable[[str], str]
    by_name: str
    with_related: str
    creation: Callable[[str, str], Json]
    change: Callable[[str, str], Json]
    user: Callable[[Json], dict[str, str]]
    users: Callable[[Json], list[dict[str, str]]]
    related: Callable[[Json], set[str]]


def _resource(found: Json) -> dict[str, str]:
    return _fields({"id": found["id"], **found["attributes"]})


def _fields(found: Json) -> dict[str, str]:
    return {name: found[name] for name in ("id", "email", "name")}


def _document(attributes: Json, **identity: str) -> Json:
    return {"data": {"type": "users", **identity, "attributes": attributes}}


JSON_API = Dialect(
    media_type="application/vnd.api+json",
    page=lambda size: f"/users?page%5Bsize%5D={size}",
    by_email=lambda email: f"/users?filter%5Bemail%5D={quote(email)}",
    by_name="/users?sort=name&page%5Bsize%5D=20",
    with_related="/users?include=role,groups&page%5Bsize%5D=20",
    creation=lambda email, name: _document({"email": email, "name": name}),
    change=lambda key, name: _document({"name": name}, id=key),
    user=lambda document: _resource(document["data"]),
    users=lambda document: [_resource(user) for user in document["data"]],
    related=lambda document: {found["id"] for found in document["included"]},
)

PLAIN = Dialect(
    media_type="application/json",
    page=lambda size: f"/users?limit={size}",
    by_email=lambda email: f"/users?email={quote(email)}",
    by_name="/users?sort=name&limit=20",
    with_related="/users/detailed?limit=20",
    creation=lambda email, name: {"email": email, "name": name},
    change=lambda _key, name: {"name": name},
    user=_fields,
    users=lambda users: [_fields(user) for user in users],
    related=lambda users: {
        related["id"]
        for user in users
        for related in [*user["groups"], *([user["role"]] if user["role"] else [])]
    },
)


def line(path: str, body: Json = None) -> str:
    """A line of the file that wrk's script reads."""
    return path if body is None else f"{path}\t{json.dumps(body)}"
