"""Fields with times of their own: never stored, written on creation alone, shown after it alone."""

from dataclasses import replace

import openapi_spec_validator
import pytest
from sqlalchemy import select

from tests.client import Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.club import ACCOUNTS, RANKS, Account, club
from tests.jsonapi.conftest import Toy
from tests.jsonapi.test_permissions import ATOMIC
from tests.jsonapi.toy import OPERATIONS, make_toy
from tests.jsonapi.world import ADA, BOB, identifier, linkage
from users_service.jsonapi import (
    Change,
    Error,
    Information,
    JSONAPIError,
    LoadedResource,
    create_resource,
)

INFORMATION = Information(title="Club", version="1", summary="A club.", description="", license={})


class Club:
    """An app whose host hashes passwords before a connection is taken."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.prepared: list[tuple[str, bool, bool]] = []
        self.told: list[Change] = []
        self.client = Client(make_toy(toy.engine, include=self.include))

    def include(self, config) -> None:
        club(prepare=self.prepare)(config)
        config.add_jsonapi_change_handler(lambda _request, changes: self.told.extend(changes))
        config.add_jsonapi_description(INFORMATION)

    def prepare(self, request, loaded: LoadedResource) -> LoadedResource:
        connected = "dbconnection" in vars(request)
        self.prepared.append((loaded.values.get("login", ""), loaded.is_new, connected))
        if "password" not in loaded.values:
            return loaded
        if loaded.values["password"] == "weak":
            raise JSONAPIError(Error(code="invalid_value", detail="Too weak."))
        hashed = f"hash of {loaded.values['password']}"
        return replace(loaded, values=loaded.values | {"password_hash": hashed})

    def operate(self, *operations):
        headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
        return self.client.post(OPERATIONS, {"atomic:operations": operations}, headers=headers)

    def stored(self) -> dict[str, str | None]:
        """The hash of each login."""
        with self.toy.engine.connect() as connection:
            rows = connection.execute(select(Account.login, Account.password_hash))
            return {row.login: row.password_hash for row in rows}


@pytest.fixture(scope="module")
def running_club(running_toy) -> Club:
    return Club(running_toy)


@pytest.fixture
def ours(toy, running_club) -> Club:
    running_club.prepared.clear()
    running_club.told.clear()
    return running_club


def account(id: str | None = None, relationships=None, **attributes):
    data = {"type": "accounts", "attributes": attributes} | ({"id": id} if id else {})
    return {"data": data | ({"relationships": relationships} if relationships else {})}


def test_what_is_not_stored_reaches_the_host_and_no_document(ours):
    created = ours.client.post(ACCOUNTS, account(ADA, login="ada", password="secret", proof="p"))
    assert created.status_int == 201
    assert ours.stored() == {"ada": "hash of secret"}
    before = ours.client.get(f"{ACCOUNTS}/{ADA}")
    changed = ours.client.patch(f"{ACCOUNTS}/{ADA}", account(ADA, password="other"))
    assert changed.status_int == 200
    assert ours.stored() == {"ada": "hash of other"}
    after = ours.client.get(f"{ACCOUNTS}/{ADA}")
    assert before.headers["ETag"] != after.headers["ETag"]
    for response in (created, before, changed, after):
        attributes = response.json["data"]["attributes"]
        assert attributes.keys() == {"login", "invitation"}
    for query in ("filter[password]=x", "sort=password", "fields[accounts]=password"):
        assert ours.client.get(f"{ACCOUNTS}?{query}").status_int == 400


@toy_on_one_engine
def test_a_change_of_what_no_document_shows_is_told(ours):
    ours.client.post(ACCOUNTS, account(ADA, login="ada", password="secret"))
    ours.told.clear()
    for password in ("other", "other"):  # the second changes nothing
        assert (
            ours.client.patch(f"{ACCOUNTS}/{ADA}", account(ADA, password=password)).status_int
            == 200
        )
    (change,) = ours.told
    assert (change.before, change.after, change.sent) == ({}, {}, {"password"})
    assert change.stored["password_hash"] == "hash of secret"
    assert change.entity.password_hash == "hash of other"


@toy_on_one_engine
def test_a_resource_object_is_prepared_before_a_connection_is_taken(ours):
    ours.client.post(ACCOUNTS, account(ADA, login="ada", password="secret"))
    ours.client.patch(f"{ACCOUNTS}/{ADA}", account(ADA, password="other"))
    ours.operate({"op": "add", **account(BOB, login="bob")}, {"op": "update", **account(ADA)})
    assert ours.prepared == [
        ("ada", True, False),
        ("", False, False),
        ("bob", True, False),
        ("", False, False),
    ]


@toy_on_one_engine
def test_nothing_is_prepared_of_a_request_with_faults(ours):
    faulty = account(ADA, login=1, password="secret")
    assert ours.client.post(ACCOUNTS, faulty).status_int == 422
    good = {"op": "add", **account(BOB, login="bob", password="secret")}
    assert ours.operate(good, {"op": "add", **faulty}).status_int == 422
    assert ours.prepared == []


@toy_on_one_engine
def test_what_preparing_raises_is_told_with_its_operation(ours):
    weak = account(ADA, login="ada", password="weak")
    assert sources(ours.client.post(ACCOUNTS, weak)) == [("", "invalid_value")]
    fine = {"op": "add", **account(BOB, login="bob")}
    response = ours.operate(fine, {"op": "add", **weak})
    assert response.status_int == 422
    assert sources(response) == [("/atomic:operations/1", "invalid_value")]
    assert ours.stored() == {}


@toy_on_one_engine
def test_some_fields_are_written_on_creation_alone(ours):
    sponsor = {"sponsor": linkage("accounts", ADA)}
    assert ours.client.post(ACCOUNTS, account(ADA, login="ada")).status_int == 201
    new = account(BOB, sponsor, login="bob", invitation="by post", proof="p")
    created = ours.client.post(ACCOUNTS, new)
    assert created.status_int == 201
    assert created.json["data"]["attributes"]["invitation"] == "by post"
    shown = ours.client.get(f"{ACCOUNTS}/{BOB}/relationships/sponsor").json["data"]
    assert shown == identifier("accounts", ADA)
    late = account(BOB, sponsor, invitation="by mail", proof="q")
    expected = [
        ("/data/attributes/invitation", "read_only_field"),
        ("/data/attributes/proof", "read_only_field"),
        ("/data/relationships/sponsor", "read_only_relationship"),
    ]
    response = ours.client.patch(f"{ACCOUNTS}/{BOB}", late)
    assert sorted(sources(response)) == sorted(expected)
    response = ours.operate({"op": "update", **late})
    assert sorted(sources(response)) == sorted(
        (f"/atomic:operations/0{place}", code) for place, code in expected
    )
    url = f"{ACCOUNTS}/{BOB}/relationships/sponsor"
    assert ours.client.patch(url, {"data": None}).status_int == 405
    reference = identifier("accounts", BOB) | {"relationship": "sponsor"}
    assert ours.operate({"op": "update", "ref": reference, "data": None}).status_int == 403
    assert ours.client.get(url).json["data"] == identifier("accounts", ADA)


@pytest.fixture(scope="module")
def keys(running_toy) -> Client:
    """A club whose host gives each new account a key, and creates them by a view of its own."""

    def create(request):
        answer = create_resource(request)
        return replace(answer, headers={**answer.headers, "X-View": "the host's"})

    def give_key(request, loaded):
        name = loaded.values.get("login", "")
        return replace(loaded, values=loaded.values | {"key": f"key of {name}"})

    def include(config):
        more = {"create": create} if "own view" in config.registry else {}
        club(prepare=give_key, **more)(config)
        config.add_jsonapi_description(INFORMATION)

    def with_view(config):
        config.registry["own view"] = True
        include(config)

    client = Client(make_toy(running_toy.engine, include=with_view))
    client.batches = Client(make_toy(running_toy.engine, include=include))
    return client


def test_a_key_is_in_the_answer_to_the_creation_and_nowhere_else(toy, keys):
    for query in ("", "?fields[accounts]=login"):
        created = keys.post(f"{ACCOUNTS}{query}", account(ADA, login="ada"))
        assert created.status_int == 201
        assert created.json["data"]["attributes"]["key"] == "key of ada"
        assert created.headers["Cache-Control"] == "no-store"
        changed = keys.patch(f"{ACCOUNTS}/{ADA}", account(ADA, login="ada"))
        for response in (changed, keys.get(f"{ACCOUNTS}/{ADA}"), keys.get(ACCOUNTS)):
            assert response.status_int == 200
            assert "key of" not in response.text
        assert keys.delete(f"{ACCOUNTS}/{ADA}").status_int == 204
    for query in ("filter[key]=x", "sort=key", "fields[accounts]=key"):
        unknown = query.replace("key", "kez")
        known, other = (keys.get(f"{ACCOUNTS}?{q}") for q in (query, unknown))
        assert known.status_int == other.status_int == 400
        details = [response.json["errors"][0]["detail"] for response in (known, other)]
        assert details[0] == details[1].replace("kez", "key")
    written = keys.post(ACCOUNTS, account(ADA, login="ada", key="mine"))
    assert sources(written) == [("/data/attributes/key", "read_only_field")]


@toy_on_one_engine
def test_a_key_is_in_the_result_of_its_operation_too(toy, keys):
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    operations = [
        {"op": "add", **account(ADA, login="ada")},
        {"op": "update", **account(ADA, login="eve")},
    ]
    document = {"atomic:operations": operations}
    response = keys.batches.post(OPERATIONS, document, headers=headers)
    shown = [result["data"]["attributes"] for result in response.json["atomic:results"]]
    assert shown[0]["key"] == "key of ada"
    assert "key" not in shown[1]


@toy_on_one_engine
def test_a_host_creates_by_a_view_of_its_own(toy, keys):
    created = keys.post(ACCOUNTS, account(ADA, login="ada"))
    assert created.headers["X-View"] == "the host's"
    assert created.headers["Location"].endswith(f"{ACCOUNTS}/{ADA}")
    faulty = keys.post(ACCOUNTS, account(BOB, login=1))
    assert sources(faulty) == [("/data/attributes/login", "invalid_value")]
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    document = {"atomic:operations": [{"op": "add", **account(BOB, login="bob")}]}
    response = keys.post(OPERATIONS, document, headers=headers)
    assert response.status_int == 403
    assert sources(response) == [("/atomic:operations/0", "forbidden")]


@toy_on_one_engine
def test_the_description_says_when_fields_are_written_and_shown(keys):
    document = keys.get("/toy/openapi.json").json
    openapi_spec_validator.validate(document)
    schemas = document["components"]["schemas"]
    new = schemas["AccountsNew"]["properties"]
    assert new["attributes"]["properties"].keys() == {"login", "invitation", "password", "proof"}
    assert new["attributes"]["properties"]["invitation"]["x-create-only"] is True
    assert "x-create-only" not in new["attributes"]["properties"]["login"]
    assert new["relationships"]["properties"]["sponsor"]["x-create-only"] is True
    changes = schemas["AccountsChanges"]["properties"]
    assert changes["attributes"]["properties"].keys() == {"login", "password"}
    assert changes["relationships"]["properties"].keys() == {"rank", "teams", "badges"}
    assert schemas["AccountsResourceAttributes"]["properties"].keys() == {"login", "invitation"}
    assert "key" in schemas["AccountsCreatedAttributes"]["properties"]
    post = document["paths"][ACCOUNTS]["post"]
    shown = post["responses"]["201"]["content"]["application/vnd.api+json"]["schema"]
    assert shown == {"$ref": "#/components/schemas/AccountsCreatedDocument"}
    assert not {name for name in schemas if name in ("AccountsAdd", "AccountsSponsorChange")}
    assert "RanksAdd" in schemas
    assert keys.get(RANKS).status_int == 200
