"""Changes of the same resources at the same time: each is done whole, and none is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client import API, MEDIA_TYPE, USERS

THREADS = 8
GROUPS = f"{API}/groups"
ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'


def create(client, type: str, **attributes) -> str:
    response = client.post(f"{API}/{type}", {"data": {"type": type, "attributes": attributes}})
    assert response.status_int == 201, response.text
    return response.json["data"]["id"]


@pytest.fixture
def users(client) -> list[str]:
    return [client.create_user(f"user{number}@example.com")["id"] for number in range(4)]


@pytest.fixture
def groups(client) -> list[str]:
    return [create(client, "groups", name=f"group {number}") for number in range(4)]


def identifiers(type: str, ids: list[str]) -> dict:
    return {"data": [{"type": type, "id": id} for id in ids]}


def at_once(*requests) -> list[int]:
    """Send requests from as many threads; return their statuses."""
    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(lambda send: send().status_int, requests))


def ids(client, url: str) -> set[str]:
    data = client.get(url).json["data"]
    assert len({found["id"] for found in data}) == len(data)
    return {found["id"] for found in data}


def assert_mirrored(client, users: list[str], groups: list[str]) -> set[tuple[str, str]]:
    """Both sides tell the same of who is a member of what."""
    of_users = {(u, g) for u in users for g in ids(client, f"{USERS}/{u}/groups")}
    of_groups = {(u, g) for g in groups for u in ids(client, f"{GROUPS}/{g}/members")}
    assert of_users == of_groups
    return of_users


def test_the_same_membership_is_added_from_both_sides(client, users, groups):
    def by_user(user):
        url = f"{USERS}/{user}/relationships/groups"
        return lambda: client.post(url, identifiers("groups", groups))

    def by_group(group):
        url = f"{GROUPS}/{group}/relationships/members"
        return lambda: client.post(url, identifiers("users", users))

    statuses = at_once(*map(by_user, users), *map(by_group, groups))
    assert statuses == [204] * THREADS
    expected = {(user, group) for user in users for group in groups}
    assert assert_mirrored(client, users, groups) == expected


def test_members_are_replaced_from_both_sides(client, users, groups):
    def by_user(user):
        url = f"{USERS}/{user}/relationships/groups"
        return lambda: client.patch(url, identifiers("groups", groups[:2]))

    def by_group(group):
        url = f"{GROUPS}/{group}/relationships/members"
        return lambda: client.patch(url, identifiers("users", users[2:]))

    assert at_once(*map(by_user, users), *map(by_group, groups)) == [204] * THREADS
    assert_mirrored(client, users, groups)


def test_one_of_several_changes_with_the_same_tag_wins(client, users, groups):
    url = f"{USERS}/{users[0]}"
    tag = client.get(url).headers["ETag"]

    def add(group):
        document = identifiers("groups", [group])
        headers = {"If-Match": tag}
        return lambda: client.post(f"{url}/relationships/groups", document, headers=headers)

    statuses = at_once(*map(add, groups))
    assert sorted(statuses) == [204, 412, 412, 412]
    assert len(assert_mirrored(client, users, groups)) == 1


def test_a_membership_ends_with_whoever_is_deleted_meanwhile(client, users, groups):
    def add(group):
        url = f"{GROUPS}/{group}/relationships/members"
        return lambda: client.post(url, identifiers("users", users))

    deletion = [lambda: client.delete(f"{USERS}/{users[0]}")]
    statuses = at_once(*map(add, groups), *deletion)
    assert statuses[-1] == 204
    assert set(statuses[:-1]) <= {204, 404}
    for group in groups:
        assert users[0] not in ids(client, f"{GROUPS}/{group}/members")


def test_a_role_is_given_or_deleted(client, users):
    role = create(client, "roles", name="editor")

    def give(user):
        url = f"{USERS}/{user}/relationships/role"
        return lambda: client.patch(url, {"data": {"type": "roles", "id": role}})

    *given, deleted = at_once(*map(give, users), lambda: client.delete(f"{API}/roles/{role}"))
    if deleted == 204:
        assert set(given) == {404}
    else:
        assert (deleted, set(given)) == (409, {204})
        assert ids(client, f"{API}/roles/{role}/users") == set(users)


def test_batches_that_meet_in_other_orders_are_done_one_after_the_other(client, users):
    """Each batch names the same users by its own number, in its own order."""

    def batch(number):
        order = users if number % 2 else users[::-1]
        operations = [
            {
                "op": "update",
                "data": {"type": "users", "id": id, "attributes": {"name": f"{number}"}},
            }
            for id in order
        ]
        headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
        document = {"atomic:operations": operations}
        return lambda: client.post(f"{API}/operations", document, headers=headers)

    assert at_once(*map(batch, range(THREADS))) == [200] * THREADS
    names = {user["attributes"]["name"] for user in client.get(USERS).json["data"]}
    assert len(names) == 1


def test_one_of_several_batches_that_create_the_same_is_done_whole(client, groups):
    def batch(number):
        operations = [
            {"op": "add", "data": {"type": "groups", "attributes": {"name": f"of {number}"}}},
            {"op": "add", "data": {"type": "roles", "attributes": {"name": "editor"}}},
        ]
        headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
        document = {"atomic:operations": operations}
        return lambda: client.post(f"{API}/operations", document, headers=headers)

    statuses = at_once(*map(batch, range(THREADS)))
    assert sorted(statuses) == [200] + [409] * (THREADS - 1)
    names = {group["attributes"]["name"] for group in client.get(GROUPS).json["data"]}
    assert f"of {statuses.index(200)}" in names
    assert len(names) == len(groups) + 1
    assert len(ids(client, f"{API}/roles")) == 1
