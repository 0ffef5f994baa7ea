"""Thousands of hostile bodies: none is a fault of the service, and each gets a proper answer."""

import pytest

from tests.client import API, USERS, sources, user
from tests.fuzz import GROUP, ROLE, TAKEN, TARGET, hostile_body

CHUNKS = 10
# How many bodies a chunk has; on SQLite they are 4,000 in all.
SIZES = {"sqlite": 400, "postgresql": 200, "mariadb": 200}


def send(client, seed: int):
    """Send the body of a seed; a failure names it."""
    body = hostile_body(seed)
    method, url = (("POST", USERS), ("PATCH", f"{USERS}/{TARGET}"))[seed % 2]
    try:
        response = client.request(method, url, body=body)
        assert response.status_int < 500
    except Exception as error:
        error.add_note(f"{method} of tests.fuzz.hostile_body({seed}): {body[:1000]!r}")
        raise
    return response


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_body_makes_the_service_fail(service, chunk):
    client = service.client
    for id, email in ((TARGET, "target@example.com"), (None, TAKEN)):
        assert client.post(USERS, user(id, email=email, name="Ada")).status_int == 201
    for type, id in (("roles", ROLE), ("groups", GROUP)):
        document = {"data": {"type": type, "id": id, "attributes": {"name": "Analysts"}}}
        assert client.post(f"{API}/{type}", document).status_int == 201
    size = SIZES[service.name]
    responses = [send(client, seed) for seed in range(chunk * size, (chunk + 1) * size)]

    statuses = [response.status_int for response in responses]
    assert statuses.count(200) >= size / 25
    assert statuses.count(201) >= size / 25
    refused = [response for response in responses if response.status_int >= 400]
    codes = {code for response in refused for _, code in sources(response)}
    assert len(codes) >= 6
    # What was answered with 201 is stored, and nothing else is.
    found = client.get(f"{USERS}?page[size]=1000").json["data"]
    created = {response.json["data"]["id"] for response in responses if response.status_int == 201}
    assert len(created) == statuses.count(201)
    assert created < {resource["id"] for resource in found}
    assert len(found) == len(created) + 2


def test_a_seed_makes_the_same_body_again():
    bodies = [hostile_body(seed) for seed in range(200)]
    assert bodies == [hostile_body(seed) for seed in range(200)]
    assert len(set(bodies)) > 150
