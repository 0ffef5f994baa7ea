"""Who may read one type alone learns nothing of what it is related to."""

import pytest

from tests.client import API, USERS, Client, sources


@pytest.fixture
def reader(client, app_with) -> Client:
    """A client that may read users and nothing else; one of them has a role."""
    document = {"data": {"type": "roles", "attributes": {"name": "owner", "description": "all"}}}
    role = client.post(f"{API}/roles", document).json["data"]["id"]
    user = client.create_user()["id"]
    linkage = {"data": {"type": "roles", "id": role}}
    assert client.patch(f"{USERS}/{user}/relationships/role", linkage).status_int == 204
    return Client(app_with(anonymous_permissions="users:read"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filter[role.name][startswith]", "o"),
        ("filter[groups.members.role.name]", "x"),
        ("filter", "has(role,equals(name,'owner'))"),
        ("filter", "equals(role.name,'owner')"),
        ("include", "role"),
    ],
)
def test_a_parameter_that_reads_another_type_is_refused(reader, name, value):
    assert reader.get(USERS).status_int == 200
    response = reader.get(f"{USERS}?{name}={value}")
    assert response.status_int in (400, 403)
    if response.status_int == 400:
        assert sources(response) == [(name, "invalid_parameter")]


def test_related_resources_of_another_type_are_refused(reader):
    url = reader.get(USERS).json["data"][0]["relationships"]["role"]["links"]["related"]
    assert reader.get(url).status_int == 403
