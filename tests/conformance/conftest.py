"""The fixtures of the conformance tests."""

from typing import NamedTuple

import pytest
from webtest import TestResponse

from tests.client import Client, user
from tests.conformance.world import (
    ATOMIC,
    CURSORS,
    ENTRY,
    GROUPS,
    NOBODY,
    ROLES,
    USERS,
    World,
    crawl,
    make_world,
)

# Where the crawl begins beside the entry document, which leads to no query but those of pages.
STARTS = [
    ENTRY,
    f"{USERS}?page[size]=5&page[total]=true",
    f"{USERS}?page[number]=2&page[size]=6&sort=-name&fields[users]=name",
    f"{USERS}?page[offset]=3&page[limit]=7&filter[is_active]=true",
    f"{USERS}?include=role,groups.members",
    f"{USERS}?include=groups&fields[users]=name&fields[groups]=",
    f"{USERS}?include=",
    f"{GROUPS}?include=members.role.users&sort=description",
    f"{ROLES}?include=users",
]


class Visit(NamedTuple):
    """A request of the crawl, with what came back."""

    url: str
    response: TestResponse


@pytest.fixture
def world(service) -> World:
    """Roles, groups and users on one engine after another."""
    return make_world(service)


@pytest.fixture(scope="session")
def crawled(running_service) -> tuple[list[Visit], list[Visit]]:
    """Every document of a small world that links lead to; then those of writes and of errors."""
    running_service.empty()
    small = make_world(running_service, size=14)
    deep = [
        f"{USERS}/{small.joiner}/relationships/groups?include=groups.members&page[size]=2",
        f"{USERS}/{small.joiner}/groups?page[size]=1&sort=-name",
        f"{USERS}/{small.loner}?include=role,groups",
    ]
    followed = [Visit(*visit) for visit in crawl(small.client, *STARTS, *deep)]
    return followed, writes(small.client, small) + errors(small.client, small)


def writes(client: Client, world: World) -> list[Visit]:
    """Responses to requests that change something, and to those that name a profile."""
    new = user(email="new@example.com", name="New")
    new["data"]["relationships"] = {
        "role": {"data": {"type": "roles", "id": world.empty_role}},
        "groups": {"data": [{"type": "groups", "id": world.empty_group}]},
    }
    one = {"type": "users", "id": world.loner}
    group = {"type": "groups", "id": world.empty_group}
    linkage = f"{USERS}/{world.loner}/relationships/groups"
    operations = {
        "atomic:operations": [
            {"op": "add", "data": {"type": "groups", "lid": "g", "attributes": {"name": "G"}}},
            {"op": "update", "data": one | {"attributes": {"name": "One"}}},
            {"op": "remove", "ref": one},
        ]
    }
    responses = [
        client.get(f"{USERS}?page[size]=2", headers={"Accept": CURSORS}),
        client.post(f"{USERS}?include=role,groups", new),
        client.patch(f"{USERS}/{world.loner}", {"data": one | {"attributes": {"name": "Two"}}}),
        client.post(linkage, {"data": [group]}),
        client.patch(f"{USERS}/{world.loner}/relationships/role", {"data": None}),
        client.request("DELETE", linkage, {"data": [group]}),
        client.post(
            f"{ENTRY}/operations", operations, headers={"Accept": ATOMIC, "Content-Type": ATOMIC}
        ),
    ]
    assert [r.status_int for r in responses] == [200, 201, 200, 204, 204, 204, 200]
    return [Visit(response.request.url, response) for response in responses]


def errors(client: Client, world: World) -> list[Visit]:
    """Responses to requests that cannot be served."""
    bad_user = user(email="no address", name="", nope=1)
    responses = [
        client.get(f"{ENTRY}/nope"),
        client.get(f"{USERS}/{NOBODY}"),
        client.get(f"{USERS}?foo=1&sort=nope&page[size]=0&include=nope&fields[nope]=x"),
        client.get(f"{USERS}?page[size]=100000"),
        client.get(USERS, headers={"Accept": "text/html"}),
        client.request("PUT", USERS),
        client.post(USERS, bad_user),
        client.post(USERS, []),
        client.post(USERS, body=b"{"),
        client.post(USERS, body=b"{}", headers={"Content-Type": "text/plain"}),
        client.post(USERS, {"data": {"type": "groups"}}),
        client.delete(f"{ROLES}/{world.role_of(world.joiner)}"),
        client.patch(f"{USERS}/{world.joiner}", bad_user, headers={"If-Match": '"stale"'}),
        client.post(f"{ENTRY}/operations", {}, headers={"Accept": ATOMIC, "Content-Type": ATOMIC}),
    ]
    assert all(response.status_int >= 400 for response in responses)
    return [Visit(response.request.url, response) for response in responses]


@pytest.fixture
def visited(crawled, running_service, request) -> list[Visit]:
    """The whole crawl, on one engine after another."""
    request.node.user_properties.append(("engine", running_service.name))
    followed, others = crawled
    return followed + others


@pytest.fixture
def found(visited, crawled) -> dict[str, TestResponse]:
    """What links lead to, by URL."""
    followed, _ = crawled
    return dict(followed)
