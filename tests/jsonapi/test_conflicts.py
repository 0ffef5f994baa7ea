"""Violated constraints: each is a 409 that points at something that the client sent."""

from uuid import uuid4

import pytest

from tests.client import sources
from tests.jsonapi.conftest import person
from tests.jsonapi.toy import PEOPLE, Person


def test_an_id_is_given_once(toy):
    id = uuid4()
    toy.person(id, nickname="ada")
    response = toy.client.post(PEOPLE, person(id, nickname="grace"))
    assert response.status_int == 409
    assert sources(response) == [("/data/id", "already_taken")]
    assert toy.count(Person) == 1


@pytest.mark.parametrize(
    "name",
    [
        "nickname",
        "e-mail",  # an index, and not a constraint; under another name
        "phone",  # a column with another name
    ],
)
def test_a_unique_value_is_taken_once(toy, name):
    toy.person(**{"nickname": "ada", name: "first"})
    other = toy.person(nickname="grace")
    for response in (
        toy.client.post(PEOPLE, person(**{"nickname": "emmy", name: "first"})),
        toy.client.patch(other["links"]["self"], person(other["id"], **{name: "first"})),
    ):
        assert response.status_int == 409
        assert sources(response) == [(f"/data/attributes/{name}", "already_taken")]
        assert response.json["errors"][0]["meta"]["attribute"] == name
    assert toy.client.get(other["links"]["self"]).json["data"] == other
    assert toy.count(Person) == 2


@pytest.mark.parametrize(
    ("sent", "pointed_at"),
    [
        ({"team": "Analysts", "shirt": 7}, {"team", "shirt"}),
        ({"team": "Analysts"}, {"team"}),
        ({"shirt": 7}, {"shirt"}),
    ],
    ids=["both", "first", "second"],
)
def test_a_pair_is_taken_once_whichever_half_of_it_is_changed(toy, sent, pointed_at):
    toy.person(nickname="ada", team="Analysts", shirt=7)
    rest = {"team": "Analysts", "shirt": 7} | dict.fromkeys(sent)
    rest = {name: value for name, value in rest.items() if value is not None}
    other = toy.person(nickname="grace", **rest)
    response = toy.client.patch(other["links"]["self"], person(other["id"], **sent))
    assert response.status_int == 409
    ((pointer, code),) = sources(response)
    assert pointer in {f"/data/attributes/{name}" for name in pointed_at}
    assert code == "already_taken"
    assert toy.client.get(other["links"]["self"]).json["data"] == other


def test_a_pair_is_taken_once_where_a_default_is_half_of_it(toy):
    toy.person(nickname="ada", team="Analysts")
    response = toy.client.post(PEOPLE, person(nickname="grace", team="Analysts"))
    assert response.status_int == 409
    assert sources(response) == [("/data/attributes/team", "already_taken")]


def test_halves_of_a_pair_are_free(toy):
    toy.person(nickname="ada", team="Analysts", shirt=7)
    toy.person(nickname="grace", team="Analysts", shirt=8)
    toy.person(nickname="emmy", team="Algebraists", shirt=7)
    assert toy.count(Person) == 3


def test_the_loser_of_a_clash_can_go_on(toy):
    toy.person(nickname="ada")
    assert toy.client.post(PEOPLE, person(nickname="ada")).status_int == 409
    assert toy.client.post(PEOPLE, person(nickname="grace")).status_int == 201
