"""The description of another host: the toy has kinds of fields that the users service has not."""

import json

import openapi_spec_validator
import pytest
from pyramid.config import Configurator

from tests.client import Client, sources
from tests.description import (
    ID,
    Operation,
    check_response,
    described,
    faults,
    member,
    operations,
    served,
    value,
    variants,
)
from tests.jsonapi.toy import ARTICLES, COMMENTS, PEOPLE, make_toy
from tests.jsonapi.world import ADA
from users_service.jsonapi import Information

URL = "/toy/openapi.json"
INFORMATION = Information(title="Toy", version="1.2", summary="Toys.", description="", license={})
TYPES = ("articles", "people", "tags", "comments")
# Without what may be null in the tables of the toy and not in its schemas.
FIELDS = "fields[people]=nickname,shirt,manager,reports,articles,friends,fans"
FIELDS += "&fields[articles]=title,subtitle,rating,is_public,published,price,author,tags,comments"

pytestmark = pytest.mark.parametrize("running_toy", ["sqlite"], indirect=True)


def describe(config: Configurator) -> None:
    config.add_jsonapi_description(INFORMATION)


@pytest.fixture
def client(world) -> Client:
    """A client of the toy with a description of itself."""
    return Client(make_toy(world.engine, include=describe))


@pytest.fixture
def known(client) -> dict[str, Operation]:
    """The operations of the description, by their ids."""
    return operations(client.get(URL).json)


def sent(operation: Operation, *path: str):
    """The schema of what a request has at a path of members of its primary data."""
    _, said = operation.body
    return member(operation.document, said["schema"], "data", *path)


def test_the_description_is_valid_and_has_every_cornice_service(client):
    document = client.get(URL).json
    openapi_spec_validator.validate(document)
    assert document["info"] == {"title": "Toy", "version": "1.2", "summary": "Toys."}
    # Views that are no services of Cornice are not described.
    views = ("crash_in_pyramid", "page:crash", "page:be_missing", "page:be_forbidden")
    found = [*described(client.app, document), *((name, "*") for name in views)]
    assert sorted(found) == sorted(served(client.app))


def test_a_host_without_a_description_links_to_none(toy, client):
    assert toy.client.get(URL).status_int == 404
    for url in ("/toy", ARTICLES, "/toy/nope"):
        assert "describedby" not in toy.client.get(url).json.get("links", {})
        assert client.get(url).json["links"]["describedby"] == f"http://localhost{URL}"


def test_ids_are_texts_whatever_they_are_elsewhere(client, known):
    for type, schema in (("articles", {"type": "string"}), ("people", {"format": "uuid"})):
        operation = known[f"{type}_read"]
        parameters = operation.described["parameters"]
        (parameter,) = (one for one in parameters if one.get("in") == "path")
        assert parameter["name"] == "id"
        assert parameter["schema"] == {"type": "string"} | schema
        assert operation.schema("data", "id") == parameter["schema"]
    for type, chosen in (("articles", False), ("people", True)):
        new = sent(known[f"{type}_create"])
        assert ("id" in new["properties"]) is chosen
    refused = client.post(ARTICLES, {"data": {"type": "articles", "id": "7"}})
    assert ("/data/id", "client_id_refused") in sources(refused)


def test_fields_are_described_by_their_names_in_documents(known):
    new, shown = sent(known["articles_create"], "attributes"), known["articles_read"].schema("data")
    attributes = member(known["articles_read"].document, shown, "attributes")["properties"]
    assert new["properties"].keys() - attributes.keys() == {"secret"}
    assert attributes.keys() - new["properties"].keys() == {"revision"}
    assert {"by-line"} == {name for name in attributes if "by" in name or "author" in name}
    assert sent(known["people_create"], "attributes")["properties"].keys() >= {"e-mail", "phone"}
    query = known["articles_list"].query
    enumerated = {
        name: member(known["articles_list"].document, query[name]["schema"], "*")["enum"]
        for name in ("sort", "fields[articles]", "include")
    }
    assert {"secret"} == {*new["properties"]} - {*enumerated["fields[articles]"]}
    unsortable = {*enumerated["fields[articles]"]} - {*enumerated["sort"]}
    assert unsortable == {"type", "keywords", "author", "tags", "comments"}
    assert {name for name in query if "keywords" in name or "secret" in name} == set()
    assert {"author.manager", "tags.articles"} < {*enumerated["include"]}


def test_a_relationship_is_written_as_it_is_described(client, known):
    comment = sent(known["comments_create"])
    assert comment["required"] == ["type", "attributes", "relationships"]
    assert sent(known["comments_create"], "relationships")["required"] == ["article"]
    assert "required" not in sent(known["comments_update"], "relationships")
    article = sent(known["comments_create"], "relationships", "article", "data")
    assert article["properties"]["type"]["const"] == "articles"  # and null is none
    missing = {"data": {"type": "comments", "attributes": {"body": "b"}}}
    assert client.post(COMMENTS, missing).status_int == 422
    for verb in ("create", "update"):
        relationships = sent(known[f"people_{verb}"], "relationships")["properties"]
        assert relationships.keys() == {"manager", "reports", "articles", "friends"}
    shown = known["people_read"].schema("data", "relationships")["properties"]
    assert shown.keys() - relationships.keys() == {"fans"}
    manager = sent(known["people_update"], "relationships", "manager", "data")
    identifier = {"$ref": "#/components/schemas/PeopleIdentifier"}
    assert manager == {"anyOf": [identifier, {"type": "null"}]}
    fans = {"data": {"type": "people", "id": ADA, "relationships": {"fans": {"data": []}}}}
    assert sources(client.patch(f"{PEOPLE}/{ADA}", fans)) == [
        ("/data/relationships/fans", "read_only_relationship")
    ]


@pytest.mark.parametrize("type", ["people", "tags", "comments"])
def test_a_resource_is_accepted_if_it_is_as_described(client, toy, known, type):
    toy.person(ID, nickname="somebody")
    operation = known[f"{type}_create"]
    _, said = operation.body
    base = value(operation.document, said["schema"])
    base["data"].pop("id", None)
    accepted = 0
    for one in (base, *variants(base)):
        response = client.post(operation.url(), body=json.dumps(one).encode())
        wrong = faults(operation.document, said["schema"], one)
        if response.status_int != 404:  # which says that there is no such related resource
            assert (response.status_int == 201) is (wrong == []), (one, wrong, response.text)
        if response.status_int == 201:
            accepted += 1
            client.delete(response.headers["Location"])
    assert accepted > 5


def test_what_is_read_is_as_described(client, known):
    for operation in known.values():
        type = operation.described["tags"][0]
        if type in TYPES and operation.method == "GET":
            id = ADA if type == "people" else "1"
            url = f"{operation.url(id=id)}?{FIELDS}"
            if "include" in operation.query:
                schema = operation.query["include"]["schema"]
                paths = member(operation.document, schema, "*")["enum"]
                url += f"&include={','.join(paths[: schema['maxItems']])}"
            response = client.get(url)
            assert response.status_int == 200, response.text
            check_response(operation, response)
