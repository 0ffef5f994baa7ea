"""The tutorial's API: create, read, update, delete and list users."""

from tests.client import USERS, user


def test_a_user_is_created_read_changed_and_deleted(client):
    created = client.post(USERS, user(email="Ada@Example.com", name=" Ada "))
    assert created.status_int == 201
    data = created.json["data"]
    assert data["attributes"]["email"] == "Ada@Example.com"
    assert data["attributes"]["name"] == "Ada"
    assert data["attributes"]["is_active"] is False
    url = created.headers["Location"]
    assert url == data["links"]["self"] == f"http://localhost{USERS}/{data['id']}"

    assert client.get(url).json == created.json

    changed = client.patch(url, user(data["id"], name="Lovelace", is_active=True))
    assert changed.status_int == 200
    attributes = changed.json["data"]["attributes"]
    assert attributes["name"] == "Lovelace"
    assert attributes["is_active"] is True
    assert attributes["email"] == "Ada@Example.com"
    assert attributes["creation_time"] == data["attributes"]["creation_time"]
    assert attributes["modification_time"] > data["attributes"]["modification_time"]
    assert client.get(url).json == changed.json

    assert client.delete(url).status_int == 204
    assert client.get(url).status_int == 404
    assert client.delete(url).status_int == 404
    assert client.patch(url, user(data["id"], name="X")).status_int == 404
