"""What a request without a token may do: what the settings grant, and nothing by default."""

import pytest

from tests.client import USERS, Client, sources, user
from tests.engines import on_one_engine

pytestmark = on_one_engine


def requests(client: Client, id: str) -> dict[str, int]:
    """The status that each kind of request gets."""
    url = f"{USERS}/{id}"
    return {
        "list": client.get(USERS).status_int,
        "read": client.get(url).status_int,
        "create": client.post(USERS, user(email="eve@example.com", name="Eve")).status_int,
        "update": client.patch(url, user(id, name="Eve")).status_int,
        "delete": client.delete(url).status_int,
    }


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ("", set()),
        ("groups:*", set()),
        ("users:read", {"list", "read"}),
        ("users:create users:update", {"create"}),
        ("users:read users:create users:update", {"list", "read", "create", "update"}),
        ("users:*", {"list", "read", "create", "update", "delete"}),
        ("*", {"list", "read", "create", "update", "delete"}),
    ],
)
# Whoever may change users, but see none, finds none.
def test_permissions_open_just_what_they_name(client, app_with, granted, allowed):
    id = client.create_user()["id"]
    statuses = requests(Client(app_with(anonymous_permissions=granted)), id)
    assert {name for name, status in statuses.items() if status < 300} == allowed
    assert {status for name, status in statuses.items() if name not in allowed} <= {401, 404}


def test_a_refusal_does_not_tell_whether_the_user_exists(client, app_with):
    id = client.create_user()["id"]
    closed = Client(app_with(anonymous_permissions=""))
    there, missing = closed.get(f"{USERS}/{id}"), closed.get(f"{USERS}/{id[:-4]}0000")
    assert sources(there) == sources(missing) == [("", "unauthorized")]
    assert there.json["errors"][0]["detail"] == missing.json["errors"][0]["detail"]


def test_health_and_the_methods_of_a_url_need_no_permission(app_with):
    closed = Client(app_with(anonymous_permissions=""))
    assert closed.get("/livez").json == {"status": "ok"}
    assert closed.get("/readyz").json == {"status": "ok"}
    assert closed.request("OPTIONS", USERS).status_int == 204


def test_the_endpoints_that_are_no_resources_name_their_methods(client):
    for url in ("/livez", "/readyz"):
        assert client.request("OPTIONS", url).headers["Allow"] == "GET, HEAD, OPTIONS"
        assert client.post(url).headers["Allow"] == "GET, HEAD, OPTIONS"
