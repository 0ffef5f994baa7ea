"""Tokens: how they are sent, what they look like, when they end, and where they are shown."""

import hashlib
import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.auth.world import PASSWORD, as_holder
from tests.client import API, USERS, Client, sources
from tests.engines import on_one_engine
from users_service.auth import new_token
from users_service.models import Base
from users_service.models.tables import tokens

TOKENS = f"{API}/tokens"


def sign_in(client, name="self", password=PASSWORD, **attributes):
    sent = {"email": f"{name}@example.com", "password": password} | attributes
    return client.post(TOKENS, {"data": {"type": "tokens", "attributes": sent}})


def named(client, **attributes):
    expiration = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    sent = {"name": "Nightly", "expiration_time": expiration} | attributes
    return client.post(TOKENS, {"data": {"type": "tokens", "attributes": sent}})


@pytest.mark.asvs("7.2.1", "7.2.2", "7.2.3", "7.2.4")
def test_a_sign_in_gives_a_new_token_that_works_and_is_stored_as_a_digest(world):
    nobody = world.client(None)
    first, second = sign_in(nobody), sign_in(nobody)
    assert first.status_int == second.status_int == 201
    secrets = [answer.json["data"]["attributes"]["secret"] for answer in (first, second)]
    assert len({*secrets}) == 2
    for secret in secrets:
        assert len(secret) == 40
        client = as_holder(secret, world.app)
        assert client.get(API).json["meta"]["caller"] == world.ref("users", "self")
        with world.service.engine.connect() as connection:
            digests = connection.execute(select(tokens.c.digest)).scalars().all()
        assert hashlib.sha256(secret.encode()).hexdigest() in digests
    assert "secret" not in client.get(TOKENS).text


@pytest.mark.asvs("7.4.1")
def test_a_token_ends_by_its_own_deletion(world):
    client = world.client("self")
    token = client.get(API).json["meta"]["token"]
    assert client.delete(f"{TOKENS}/{token['id']}").status_int == 204
    refused = client.get(USERS)
    assert refused.status_int == 401
    assert refused.headers["WWW-Authenticate"].endswith('error="invalid_token"')


@pytest.mark.asvs("7.3.1", "7.3.2")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"expiration_time": timedelta(seconds=-1)}, 401),
        ({"last_used_time": timedelta(days=-7)}, 401),
        ({"last_used_time": timedelta(days=-6)}, 200),
        ({"last_used_time": timedelta(days=-7), "name": "Nightly"}, 200),
    ],
)
def test_a_token_expires_and_a_sign_in_that_is_not_used_ends(world, change, status):
    now = datetime.now(UTC)
    values = {n: now + v if isinstance(v, timedelta) else v for n, v in change.items()}
    client = as_holder(world.token("self", **values), world.app)
    assert client.get(USERS).status_int == status


def test_the_time_of_use_is_stored_in_steps_and_changes_no_version(world):
    before = datetime.now(UTC) - timedelta(minutes=11)
    client = as_holder(world.token("self", last_used_time=before), world.app)
    url = f"{TOKENS}/{world.ids['token self']}"
    tag = client.get(url).headers["ETag"].partition(".")[0]
    token = client.get(url)
    used = datetime.fromisoformat(token.json["data"]["attributes"]["last_used_time"])
    assert used > before + timedelta(minutes=10)
    assert token.headers["ETag"].partition(".")[0] == tag
    recent = datetime.now(UTC) - timedelta(minutes=9)
    client = as_holder(world.token("other", last_used_time=recent), world.app)
    for _ in range(2):
        shown = client.get(f"{TOKENS}/{world.ids['token other']}").json["data"]["attributes"]
    assert datetime.fromisoformat(shown["last_used_time"]) == recent


@pytest.mark.asvs("7.1.2")
def test_a_further_sign_in_ends_the_one_unused_for_longest(world, app_with):
    app = app_with(anonymous_permissions="", max_tokens="4")  # the world has one more
    names = ("first", "second", "third")
    now = datetime.now(UTC)
    kept = {
        name: world.token("reader", last_used_time=now - timedelta(hours=hours))
        for name, hours in zip(names, (1, 3, 2), strict=True)
    }
    assert sign_in(Client(app), "reader").status_int == 201
    found = {name: as_holder(token, app).get(API).status_int for name, token in kept.items()}
    assert found == {"first": 200, "second": 401, "third": 200}


def test_named_tokens_have_an_end_and_are_not_too_many(world, app_with):
    client = world.client("self")
    made = named(client)
    assert made.status_int == 201
    assert made.json["data"]["attributes"]["secret"].startswith("ust_")
    far = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for faulty in ({"expiration_time": far}, {"expiration_time": past}, {"name": None}):
        assert named(client, **faulty).status_int == 422
    few = as_holder(world.tokens["self"], app_with(anonymous_permissions="", max_tokens="2"))
    assert sources(named(few)) == [("", "conflict")]


def test_tokens_that_have_expired_take_nobodys_room(world, app_with):
    app = app_with(anonymous_permissions="", max_tokens="2")
    client = as_holder(world.tokens["self"], app)
    for number in range(3):
        past = datetime.now(UTC) - timedelta(days=1)
        world.token("self", name=f"old {number}", expiration_time=past)
    assert named(client).status_int == 201
    assert sources(named(client)) == [("", "conflict")]
    made = sign_in(Client(app)).json["data"]["attributes"]["secret"]
    assert as_holder(made, app).get(API).status_int == 200
    shown = as_holder(made, app).get(TOKENS).json["data"]
    assert sorted(token["attributes"]["name"] or "" for token in shown) == ["", "Nightly"]


def test_a_token_is_narrowed_when_it_is_made(world):
    made = named(world.client("administrator"), permissions=["users:read", "self:read"])
    client = as_holder(made.json["data"]["attributes"]["secret"], world.app)
    assert client.get(API).json["meta"]["permissions"] == ["self:read", "users:read"]
    assert client.get(f"{API}/groups").status_int == 200
    assert client.delete(f"{USERS}/{world.ids['other']}").status_int == 403


BAD: dict[str, tuple[str | None, int, str]] = {
    "cut short": ("Bearer {token[:-1]}", 401, "invalid_token"),
    "a wrong checksum": ("Bearer {other}", 401, "invalid_token"),
    "unknown": ("Bearer {unknown}", 401, "invalid_token"),
    "long": ("Bearer " + "a" * 4000, 401, "invalid_token"),
    "too long": ("Bearer " + "a" * 10_000, 400, "invalid_request"),
    "in lower case": ("Bearer {lower}", 401, "invalid_token"),
    "with a blank in it": ("Bearer {token[:9]} {token[9:]}", 400, "invalid_request"),
    "two": ("Bearer {token}, Bearer {token}", 400, "invalid_request"),
    "none": ("Bearer", 400, "invalid_request"),
    "empty": ("", 400, "invalid_request"),
    "no scheme": ("@", 400, "invalid_request"),
    "Basic": ("Basic dXNlcjpwYXNz", 401, "unauthorized"),
    "Digest": ('Digest username="a", realm="b"', 401, "unauthorized"),
    "a JWT": ("Bearer eyJhbGciOiJub25lIn0.e30.", 401, "invalid_token"),
}


@on_one_engine
@pytest.mark.parametrize("case", BAD)
def test_bad_credentials_are_refused_and_never_taken_for_none(world, case):
    token = world.tokens["administrator"]
    header, status, code = BAD[case]
    names = {
        "token": token,
        "other": token[:-1] + ("a" if token[-1] != "a" else "b"),
        "unknown": new_token(),
        "lower": token.lower(),
    }
    sent = eval(f"f{header!r}", {}, names)  # the cases above
    for client in (world.client(None), world.service.client):  # who may do nothing, and all
        response = client.get(USERS, headers={"Authorization": sent})
        assert response.status_int == status, response.text
        assert sources(response) == [("Authorization", code)]
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="users_service"')
    for good in (f"Bearer {token}", f"bearer  {token}", f"BEARER {token} "):
        assert world.client(None).get(USERS, headers={"Authorization": good}).status_int == 200


@on_one_engine
@pytest.mark.parametrize("name", ["access_token", "token"])
def test_no_token_is_taken_from_a_url(world, name):
    token = world.tokens["administrator"]
    assert world.client(None).get(f"{USERS}?{name}={token}").status_int == 401
    assert world.client("reader").get(f"{USERS}?{name}={token}").status_int == 400


@on_one_engine
@pytest.mark.parametrize("name", ["secret", "password", "email", "transport", "digest"])
def test_what_is_secret_is_unknown_to_queries(world, name):
    client = world.client("administrator")
    for query in (f"filter[{name}]=x", f"sort={name}", f"fields[tokens]={name}"):
        known = client.get(f"{TOKENS}?{query}")
        unknown = client.get(f"{TOKENS}?{query.replace(name, 'nope')}")
        assert known.status_int == unknown.status_int == 400
        shown = [answer.json["errors"][0]["detail"] for answer in (known, unknown)]
        assert shown[0].replace(name, "nope") == shown[1]


def cookie_of(response):
    return response.headers["Set-Cookie"]


@pytest.mark.asvs("3.3.1", "3.3.2", "3.3.4", "3.5.1")
@on_one_engine
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTP_HOST": "127.0.0.1:6543"}, "users_service={}; Max-Age=2592000; Path=/"),
        (
            {"HTTP_HOST": "api.example.com", "wsgi.url_scheme": "https"},
            "__Host-users_service={}; Max-Age=2592000; Path=/",
        ),
        ({"HTTP_HOST": "api.example.com"}, "__Host-users_service={}; Max-Age=2592000; Path=/"),
    ],
)
def test_a_cookie_is_for_pages_of_the_same_origin_alone(world, environ, expected):
    sent = {"email": "self@example.com", "password": PASSWORD, "transport": "cookie"}
    document = {"data": {"type": "tokens", "attributes": sent}}
    made = world.client(None).post(TOKENS, document, environ=environ)
    assert made.status_int == 201
    assert "secret" not in made.json["data"]["attributes"]
    cookie = cookie_of(made)
    token = cookie.partition("=")[2].partition(";")[0]
    begin = expected.format(token)
    assert cookie.startswith(begin.partition(";")[0])
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {*cookie.split("; ")}
    assert ("secure" in cookie.lower().split("; ")) == begin.startswith("__Host-")
    jar = {"Cookie": f"{cookie.partition('=')[0]}={token}"}
    ours = jar | {"X-Requested-With": "users_service"}
    for headers, status in (
        (jar, 401),
        (ours, 200),
        (ours | {"Sec-Fetch-Site": "same-origin"}, 200),
        (ours | {"Sec-Fetch-Site": "same-site"}, 401),
        (ours | {"Sec-Fetch-Site": "cross-site"}, 401),
        (jar | {"X-Requested-With": "XMLHttpRequest"}, 401),
        (ours | {"Authorization": f"Bearer {new_token()}"}, 401),
    ):
        answer = world.client(None).get(USERS, headers=headers, environ=environ)
        assert answer.status_int == status, headers
    own = made.json["data"]["id"]
    ended = world.client(None).delete(f"{TOKENS}/{own}", headers=ours, environ=environ)
    assert ended.status_int == 204
    assert "Max-Age=0" in cookie_of(ended)
    again = world.client(None).post(TOKENS, document, environ=environ, headers=ours)
    assert again.status_int == 201  # the cookie that has ended is in nobody's way


@pytest.mark.asvs("6.3.1")
def test_the_current_password_cannot_be_guessed_for_long(world):
    client, url = world.client("self"), f"{USERS}/{world.ids['self']}"

    def change(current: str) -> int:
        attributes = {"password": "a wholly new sentence", "current_password": current}
        data = world.ref("users", "self") | {"attributes": attributes}
        return client.patch(url, {"data": data}).status_int

    def move(current: str):
        attributes = {"email": "new@example.com", "current_password": current}
        document = {"data": {"type": "emails", "attributes": attributes}}
        return client.post(f"{API}/auth/emails", document)

    assert [change("wrong") for _ in range(5)] == [422] * 5
    assert [move("wrong").status_int for _ in range(5)] == [422] * 5
    refused = move(PASSWORD)
    assert refused.status_int == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert change(PASSWORD) == 429
    assert sign_in(world.client(None)).status_int == 201  # that is counted by itself


def test_a_right_current_password_forgets_the_wrong_ones(world):
    client, url = world.client("self"), f"{USERS}/{world.ids['self']}"
    for current in ["wrong"] * 8 + [PASSWORD] + ["wrong"] * 8:
        attributes = {"password": PASSWORD, "current_password": current}
        data = world.ref("users", "self") | {"attributes": attributes}
        answer = client.patch(url, {"data": data})
        assert answer.status_int == (200 if current == PASSWORD else 422)


def test_a_token_is_not_given_what_its_maker_has_not(world):
    client = world.client("reader")
    for permissions, status in ((["users:read"], 201), (["users:update"], 403), (["*"], 403)):
        answer = named(client, permissions=permissions)
        assert answer.status_int == status, answer.text
    assert {error["code"] for error in answer.json["errors"]} == {"exceeds_permissions"}


CANARY = "canary sentence of nobody"


@pytest.mark.asvs("16.2.5", "14.2.4")
def test_no_secret_is_logged_stored_or_shown(world, caplog):
    caplog.set_level(logging.DEBUG)
    admin = world.client("administrator")
    user = world.ref("users", "other")
    data = user | {"attributes": {"password": CANARY}}
    changed = admin.patch(f"{USERS}/{user['id']}", {"data": data})
    assert changed.status_int == 200
    signed_in = sign_in(world.client(None), "other", CANARY)
    secret = signed_in.json["data"]["attributes"]["secret"]
    failed = sign_in(world.client(None), "other", f"{CANARY} wrong")
    holder = as_holder(secret, world.app)
    listed = holder.get(f"{TOKENS}?include=user")
    shown = [changed.text, failed.text, listed.text, admin.get(f"{API}/openapi.json").text]
    with world.service.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            shown += map(str, connection.execute(select(table)).all())
    shown += [record.getMessage() for record in caplog.records]
    for text in shown:
        assert CANARY not in text
        assert secret not in text


@pytest.mark.asvs("7.4.2", "7.4.3", "6.2.2", "6.2.3", "7.5.1")
def test_a_new_password_ends_all_other_tokens_and_needs_the_current_one(world):
    first, second = world.tokens["self"], world.token("self")
    client, url = as_holder(second, world.app), f"{USERS}/{world.ids['self']}"

    def change(**attributes):
        data = world.ref("users", "self") | {"attributes": attributes}
        return client.patch(url, {"data": data})

    new = "a wholly new sentence"
    assert sources(change(password=new)) == [("/data", "missing_field")]
    wrong = change(password=new, current_password="not the one it is")
    assert sources(wrong) == [("/data/attributes/current_password", "wrong_password")]
    weak = change(password="password1", current_password=PASSWORD)
    assert sources(weak) == [("/data/attributes/password", "weak_password")]
    assert change(password=new, current_password=PASSWORD).status_int == 200
    assert client.get(API).status_int == 200
    assert as_holder(first, world.app).get(API).status_int == 401
    assert sign_in(world.client(None), password=PASSWORD).status_int == 401
    assert sign_in(world.client(None), password=new).status_int == 201
    admin = world.client("administrator")
    data = world.ref("users", "self") | {"attributes": {"is_active": False}}
    assert admin.patch(url, {"data": data}).status_int == 200
    assert client.get(API).status_int == 401


@pytest.mark.asvs("7.4.5", "7.5.2")
def test_tokens_are_seen_and_ended_by_their_user_and_by_administrators(world):
    second = world.token("self")
    client = world.client("self")
    assert {token["id"] for token in client.get(TOKENS).json["data"]} >= {
        str(world.ids["token self"])
    }
    ended = client.delete(f"{TOKENS}/{world.ids['token self']}")
    assert ended.status_int == 204
    assert as_holder(second, world.app).get(API).status_int == 401
    other = world.ids["token other"]
    assert client.delete(f"{TOKENS}/{other}").status_int == 404
    assert world.client("administrator").delete(f"{TOKENS}/{other}").status_int == 204


def test_a_sign_in_leaves_the_version_of_the_user(world):
    url = f"{USERS}/{world.ids['self']}"
    before = world.service.client.get(url).headers["ETag"]
    token = sign_in(world.client(None)).json["data"]
    assert world.service.client.get(url).headers["ETag"] == before
    world.service.client.delete(f"{TOKENS}/{token['id']}")
    assert world.service.client.get(url).headers["ETag"] == before
