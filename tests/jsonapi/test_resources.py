"""Resources of a host: what a client may send and see, and under which names and URLs."""

from uuid import UUID, uuid4

import pytest
import webtest

from tests.client import sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import article, person
from tests.jsonapi.toy import ARTICLES, PEOPLE

HOST = "http://localhost"


def test_a_resource_is_created_read_changed_and_deleted(client):
    created = client.post(ARTICLES, article(title="Notes", rating=5))
    assert created.status_int == 201
    data = created.json["data"]
    url = created.headers["Location"]
    assert url == data["links"]["self"] == f"{HOST}{ARTICLES}/{data['id']}"
    assert client.get(url).json == created.json

    changed = client.patch(url, article(data["id"], title="Notes by the translator"))
    assert changed.status_int == 200
    assert changed.json["data"]["attributes"] == data["attributes"] | {
        "title": "Notes by the translator"
    }
    assert client.get(url).json == changed.json

    assert client.delete(url).status_int == 204
    assert client.get(url).status_int == 404
    assert client.patch(url, article(data["id"])).status_int == 404
    assert client.delete(url).status_int == 404


@toy_on_one_engine
def test_all_links_have_the_prefix_of_the_host(toy):
    data = toy.article()
    document = toy.client.get(ARTICLES).json
    assert data["links"]["self"].startswith(f"{HOST}{ARTICLES}/")
    assert [item["links"] for item in document["data"]] == [data["links"]]
    links = [link for link in document["links"].values() if link]
    assert all(link.startswith(f"{HOST}{ARTICLES}") for link in links)
    webtest.TestApp(toy.client.app).get("/articles", status=404)


@toy_on_one_engine
def test_links_follow_the_host_and_script_name_of_the_request(client):
    environ = {"SCRIPT_NAME": "/mounted", "HTTP_HOST": "api.example:8080"}
    document = client.get(ARTICLES, environ=environ).json
    assert document["links"]["self"] == f"http://api.example:8080/mounted{ARTICLES}"


@toy_on_one_engine
def test_head_is_get_without_the_body(toy):
    url = toy.article()["links"]["self"]
    for target in (url, ARTICLES):
        got, headed = toy.client.get(target), toy.client.request("HEAD", target)
        assert headed.status_int == 200
        assert headed.headers["Content-Type"] == got.headers["Content-Type"]


def test_every_value_comes_back_as_it_was_sent(toy):
    attributes = {
        "title": "'; DROP TABLE articles; --",
        "subtitle": " blanks stay  ",
        "rating": -(2**31),
        "is_public": True,
        "published": "2026-01-31T23:59:59.123456+00:00",
        "by-line": "Ἀθηνᾶ 😀",
        "price": "12.50",
        "keywords": ["one", "", "ü"],
    }
    data = toy.article(**attributes)
    assert data["attributes"] == attributes | {"revision": 1}
    assert toy.client.get(data["links"]["self"]).json["data"] == data


def test_null_is_stored_where_the_schema_allows_it(toy):
    data = toy.article(subtitle="one", rating=1)
    url = data["links"]["self"]
    changed = toy.client.patch(url, article(data["id"], subtitle=None, rating=None))
    assert changed.json["data"]["attributes"]["subtitle"] is None
    assert changed.json["data"]["attributes"]["rating"] is None
    refused = toy.client.patch(url, article(data["id"], title=None))
    assert refused.status_int == 422
    assert sources(refused) == [("/data/attributes/title", "invalid_value")]


@toy_on_one_engine
def test_an_id_is_refused_where_the_server_chooses_it(toy):
    response = toy.client.post(ARTICLES, article("5", title="Mine"))
    assert response.status_int == 403
    assert sources(response) == [("/data/id", "client_id_refused")]
    assert toy.client.get(f"{ARTICLES}/5").status_int == 404


def test_an_id_is_taken_where_clients_may_choose_it(toy):
    id = uuid4()
    assert toy.person(id, nickname="ada")["id"] == str(id)
    assert toy.client.get(f"{PEOPLE}/{id}").json["data"]["attributes"]["nickname"] == "ada"


def test_the_server_chooses_an_id_where_the_client_has_not(toy):
    assert UUID(toy.person(nickname="ada")["id"])


@toy_on_one_engine
def test_an_id_of_the_wrong_form_is_refused(client):
    response = client.post(PEOPLE, person("me", nickname="ada"))
    assert 400 <= response.status_int < 500
    assert [place for place, _ in sources(response)] == ["/data/id"]


@toy_on_one_engine
@pytest.mark.parametrize("id", ["0", "-1", "abc", "99999999999999999999", "1.5", "%00", "%F0%9F"])
def test_an_id_that_cannot_be_names_nothing(client, id):
    expected = 400 if id == "%F0%9F" else 404
    for method in ("GET", "DELETE"):
        assert client.request(method, f"{ARTICLES}/{id}").status_int == expected


@toy_on_one_engine
def test_an_id_of_another_resource_is_a_conflict(toy):
    mine, other = toy.article(), toy.article()
    response = toy.client.patch(mine["links"]["self"], article(other["id"], title="Mine"))
    assert response.status_int == 409
    assert sources(response) == [("/data/id", "id_conflict")]


@toy_on_one_engine
def test_a_document_of_another_type_is_a_conflict(client):
    response = client.post(ARTICLES, person(nickname="ada"))
    assert response.status_int == 409
    assert sources(response) == [("/data/type", "type_conflict")]


@toy_on_one_engine
def test_a_body_that_is_missing_is_malformed_and_nothing_in_it_is_pointed_at(client):
    response = client.post(ARTICLES)
    assert response.status_int == 400
    assert sources(response) == [("", "malformed_document")]


@toy_on_one_engine
def test_a_field_that_is_only_written_is_never_shown(toy):
    data = toy.article(secret="xyzzy")
    url = data["links"]["self"]
    changed = toy.client.patch(url, article(data["id"], secret="plugh"))
    assert changed.status_int == 200
    for response in (changed, toy.client.get(url), toy.client.get(ARTICLES)):
        assert "secret" not in response.text
        assert "xyzzy" not in response.text
        assert "plugh" not in response.text
    assert "secret" not in data["attributes"]


@toy_on_one_engine
def test_a_field_that_is_only_written_cannot_be_sorted_by(client):
    response = client.get(f"{ARTICLES}?sort=secret")
    assert response.status_int == 400
    assert sources(response) == [("sort", "invalid_parameter")]


@toy_on_one_engine
def test_a_field_that_is_only_shown_cannot_be_written(toy):
    data = toy.article()
    assert data["attributes"]["revision"] == 1
    for response in (
        toy.client.post(ARTICLES, article(title="Notes", revision=9)),
        toy.client.patch(data["links"]["self"], article(data["id"], revision=9)),
    ):
        assert response.status_int == 422
        assert sources(response) == [("/data/attributes/revision", "read_only_field")]
    assert toy.client.get(data["links"]["self"]).json["data"] == data


@toy_on_one_engine
def test_a_field_has_one_name_in_attributes_sort_and_pointers(toy):
    data = toy.article(**{"by-line": "Lovelace"})
    toy.article(**{"by-line": "Babbage"})
    assert data["attributes"]["by-line"] == "Lovelace"

    found = toy.client.get(f"{ARTICLES}?sort=by-line").json["data"]
    assert [item["attributes"]["by-line"] for item in found] == ["Babbage", "Lovelace"]

    too_long = toy.client.post(ARTICLES, article(title="Notes", **{"by-line": "x" * 101}))
    assert too_long.status_int == 422
    assert sources(too_long) == [("/data/attributes/by-line", "invalid_value")]
    assert too_long.json["errors"][0]["meta"]["attribute"] == "by-line"


@toy_on_one_engine
@pytest.mark.parametrize("name", ["byline", "author_name", "written_by"])
def test_the_names_of_fields_attributes_and_columns_stay_inside(client, name):
    refused = client.post(ARTICLES, article(title="Notes", **{name: "Lovelace"}))
    assert refused.status_int == 422
    assert sources(refused) == [(f"/data/attributes/{name}", "unknown_field")]
    assert client.get(f"{ARTICLES}?sort={name}").status_int == 400


@toy_on_one_engine
def test_all_faults_of_a_document_are_told_at_once(client):
    document = article(subtitle=5, rating="many", revision=2, colour="red")
    response = client.post(ARTICLES, document)
    assert response.status_int == 422
    assert sorted(sources(response)) == [
        ("/data/attributes", "missing_field"),
        ("/data/attributes/colour", "unknown_field"),
        ("/data/attributes/rating", "invalid_value"),
        ("/data/attributes/revision", "read_only_field"),
        ("/data/attributes/subtitle", "invalid_value"),
    ]


@toy_on_one_engine
def test_a_fault_within_a_value_is_pointed_at(client):
    response = client.post(ARTICLES, article(title="Notes", keywords=["one", 2]))
    assert response.status_int == 422
    assert sources(response) == [("/data/attributes/keywords/1", "invalid_value")]


@toy_on_one_engine
def test_a_rule_over_several_fields_is_told_in_its_own_words(client):
    response = client.post(ARTICLES, article(title="Notes", subtitle="Notes"))
    assert response.status_int == 422
    (error,) = response.json["errors"]
    assert error["code"] == "invalid_value"
    assert error["detail"] == "The subtitle repeats the title."
    assert error["source"]["pointer"] in ("/data", "/data/attributes")


@toy_on_one_engine
def test_a_rule_that_blames_a_field_that_is_not_there_is_told_in_its_own_words(client):
    response = client.post(ARTICLES, article(title="Notes", is_public=True))
    assert response.status_int == 422
    (error,) = response.json["errors"]
    assert error["detail"] == "A public article has a date."
    assert error["source"] == {"pointer": "/data/attributes"}
    assert error["meta"]["attribute"] == "published"
