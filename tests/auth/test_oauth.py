"""Ending tokens and asking about them, as OAuth has it (RFC 7009, RFC 7662)."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
import webtest
from jsonschema import Draft202012Validator
from sqlalchemy import func, select, update

from tests.auth.world import World, as_holder
from tests.client import API, MEDIA_TYPE, USERS, sources
from tests.engines import on_one_engine
from users_service.auth import digest, new_token
from users_service.jsonapi import description
from users_service.models.tables import roles, tokens, users

REVOKE = f"{API}/auth/revoke"
INTROSPECT = f"{API}/auth/introspect"
FORM = "application/x-www-form-urlencoded"

each_endpoint = pytest.mark.parametrize("url", [REVOKE, INTROSPECT])


def send(app: Any, url: str, body: Any, token: str | None = None, **headers: str) -> Any:
    """Send a form, or any bytes."""
    body = body if isinstance(body, bytes) else urlencode(body).encode()
    headers = {"Content-Type": FORM} | {n.replace("_", "-"): v for n, v in headers.items()}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return webtest.TestApp(app).request(
        url, method="POST", body=body, headers=headers, expect_errors=True
    )


def ask(world: World, token: str, caller: str = "administrator") -> dict[str, Any]:
    response = send(world.app, INTROSPECT, {"token": token}, world.tokens[caller])
    assert response.status_int == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    return response.json


def stored(world: World) -> int:
    with world.service.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


# Ending a token


def test_whoever_holds_a_token_ends_it_at_once(world):
    other = world.service.make_app(anonymous_permissions="")  # as another process
    token = world.tokens["reader"]
    for app in (world.app, other):
        assert as_holder(token, app).get(USERS).status_int == 200
    before = stored(world)
    response = send(world.app, REVOKE, {"token": token, "token_type_hint": "refresh_token"})
    assert (response.status_int, response.body) == (200, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert stored(world) == before - 1
    for app in (world.app, other):
        assert sources(as_holder(token, app).get(USERS)) == [("Authorization", "invalid_token")]
    for engine in other.registry["engines"].values():
        engine.dispose()


@on_one_engine
@pytest.mark.parametrize(
    "token", ["ust_", "x", "é", "\x00", "*", "a b", "' OR 1=1 --", "%", "x" * 5000]
)
def test_what_is_no_token_is_ended_as_well(world, token):
    before = stored(world)
    response = send(world.app, REVOKE, {"token": token})
    assert (response.status_int, response.body) == (200, b"")
    assert stored(world) == before


@on_one_engine
def test_a_token_that_is_unknown_or_has_ended_is_ended_as_well(world):
    before = stored(world)
    for _ in range(2):
        response = send(world.app, REVOKE, {"token": world.tokens["self"]})
        assert (response.status_int, response.body) == (200, b"")
    assert send(world.app, REVOKE, {"token": new_token()}).status_int == 200
    assert stored(world) == before - 1


@on_one_engine
def test_the_credentials_of_a_request_that_ends_a_token_do_not_matter(world):
    for credentials in ("ust_bad", world.tokens["other"]):
        token = world.token("self")
        assert send(world.app, REVOKE, {"token": token}, credentials).status_int == 200
        assert as_holder(token, world.app).get(USERS).status_int == 401
    assert as_holder(world.tokens["other"], world.app).get(USERS).status_int == 200


# Asking about a token


def test_a_good_token_is_described(world):
    answer = ask(world, world.tokens["reader"])
    with world.service.engine.connect() as connection:
        row = connection.execute(
            select(tokens).where(tokens.c.id == world.ids["token reader"])
        ).one()
    assert answer == {
        "active": True,
        "sub": str(world.ids["reader"]),
        "scope": "groups:read roles:read self:* users:read",
        "client_id": str(row.id),
        "jti": str(row.id),
        "token_type": "Bearer",
        "iat": int(row.creation_time.timestamp()),
        "exp": int(row.expiration_time.timestamp()),
        "username": "reader@example.com",
    }


@on_one_engine
def test_the_scope_is_what_the_token_is_narrowed_to(world):
    token = world.token("administrator", ["users:read", "self:read"])
    assert ask(world, token)["scope"] == "self:read users:read"


def change_of(world: World, name: str) -> str:
    """A token that is not good, or not any more."""
    token, past = world.tokens["self"], datetime.now(UTC) - timedelta(seconds=1)
    row = tokens.c.id == world.ids["token self"]
    user = users.c.id == world.ids["self"]
    statements = {
        "expired": update(tokens).where(row).values(expiration_time=past),
        "idle": update(tokens).where(row).values(last_used_time=past - timedelta(days=7)),
        "ended": tokens.delete().where(row),
        "inactive": update(users).where(user).values(is_active=False),
        "deleted": users.delete().where(user),
    }
    if name in statements:
        with world.service.engine.begin() as connection:
            connection.execute(statements[name])
        return token
    return {"unknown": new_token(), "none": "x", "cut short": token[:-1], "long": "x" * 5000}[name]


@pytest.mark.parametrize(
    "name",
    ["expired", "idle", "ended", "inactive", "deleted", "unknown", "none", "cut short", "long"],
)
def test_of_any_other_token_nothing_is_said(world, name):
    assert ask(world, world.tokens["self"])["active"] is True
    assert ask(world, change_of(world, name)) == {"active": False}


@on_one_engine
def test_a_change_of_the_role_holds_at_once(world):
    ask(world, world.tokens["reader"])
    row = roles.c.id == world.ids["role reader"]
    changed = {"permissions": ["groups:read"], "version": roles.c.version + 1}
    with world.service.engine.begin() as connection:
        connection.execute(update(roles).where(row).values(changed))
    assert ask(world, world.tokens["reader"])["scope"] == "groups:read self:*"


@on_one_engine
@pytest.mark.parametrize(
    ("permissions", "is_shown"),
    [
        (["tokens:introspect"], False),
        (["tokens:introspect", "users:read"], False),
        (["tokens:introspect", "users:read_email"], True),
        (["*"], True),
    ],
)
def test_the_address_is_for_those_who_may_read_addresses(world, permissions, is_shown):
    asking = world.token("administrator", permissions)
    response = send(world.app, INTROSPECT, {"token": world.tokens["self"]}, asking)
    assert response.json["active"] is True
    assert ("username" in response.json) == is_shown
    assert ("self@example.com" in response.text) == is_shown


@on_one_engine
@pytest.mark.parametrize(
    ("token", "headers", "status", "error", "challenge"),
    [
        (None, {}, 401, "invalid_client", None),
        ("ust_bad", {}, 401, "invalid_token", "invalid_token"),
        (None, {"Authorization": "Bearer"}, 400, "invalid_request", "invalid_request"),
        (None, {"Authorization": "Basic eDp5"}, 401, "invalid_client", None),
        ("reader", {}, 403, "insufficient_scope", "insufficient_scope"),
    ],
)
def test_who_may_not_ask_is_told_as_oauth_has_it(world, token, headers, status, error, challenge):
    token = world.tokens.get(token or "", token)
    sent = {"token": world.tokens["administrator"]}
    response = send(world.app, INTROSPECT, sent, token, **headers)
    assert (response.status_int, response.json["error"]) == (status, error)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    shown = response.headers["WWW-Authenticate"]
    assert shown.startswith('Bearer realm="users_service"')
    assert ("error=" in shown) == (challenge is not None)
    if challenge:
        assert f'error="{challenge}"' in shown
    if status == 403:
        assert 'scope="tokens:introspect"' in shown


@on_one_engine
def test_whoever_has_lost_the_permission_learns_nothing_more(world):
    asking = world.token("helpdesk")
    row = roles.c.id == world.ids["role helpdesk"]

    def give(*permissions: str) -> None:
        changed = {"permissions": list(permissions), "version": roles.c.version + 1}
        with world.service.engine.begin() as connection:
            connection.execute(update(roles).where(row).values(changed))

    give("tokens:introspect")
    sent = {"token": world.tokens["self"]}
    assert send(world.app, INTROSPECT, sent, asking).status_int == 200
    give()
    assert send(world.app, INTROSPECT, sent, asking).status_int == 403


# Requests that are none


@on_one_engine
@each_endpoint
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"token", {}, 400),
        (b"token=", {}, 400),
        (b"token_type_hint=access_token", {}, 400),
        (b"token=a&token=b", {}, 400),
        (b"token=a&x=1&x=2", {}, 400),
        (b"token=%ff", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"&".join(b"x%d=1" % n for n in range(30)), {}, 400),
        (b"token=" + b"x" * 9000, {}, 413),
        (json.dumps({"token": "x"}).encode(), {"Content_Type": "application/json"}, 400),
        (b"token=x", {"Content_Type": MEDIA_TYPE}, 400),
        (b"token=x", {"Content_Encoding": "gzip"}, 400),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_malformed_request_is_refused_as_oauth_has_it(world, url, body, headers, status):
    response = send(world.app, url, body, world.tokens["administrator"], **headers)
    assert response.status_int == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json.keys() == {"error", "error_description"}
    assert response.json["error"] == "invalid_request"
    # RFC 6749 §5.2
    assert response.json["error_description"].isascii()
    assert not set('"\\') & set(response.json["error_description"])


@on_one_engine
@each_endpoint
def test_a_long_body_without_a_length_is_refused(world, url):
    request = webtest.TestRequest.blank(url, method="POST", content_type=FORM)
    request.headers["Authorization"] = f"Bearer {world.tokens['administrator']}"
    request.environ["wsgi.input"] = BytesIO(b"token=" + b"x" * 9000)
    request.environ["wsgi.input_terminated"] = True  # it is chunked
    request.content_length = None
    response = request.get_response(world.app)
    assert (response.status_int, response.json["error"]) == (413, "invalid_request")


@on_one_engine
@each_endpoint
def test_a_form_may_say_its_charset(world, url):
    headers = {"Content_Type": f"{FORM}; charset=UTF-8"}
    sent = {"token": "x"}
    response = send(world.app, url, sent, world.tokens["administrator"], **headers)
    assert response.status_int == 200


@on_one_engine
@each_endpoint
def test_no_token_is_taken_from_the_url(world, url):
    address = f"{url}?token={world.tokens['self']}"
    response = send(world.app, address, b"", world.tokens["administrator"])
    assert response.status_int == 400
    assert as_holder(world.tokens["self"], world.app).get(USERS).status_int == 200


@on_one_engine
@each_endpoint
def test_other_methods_are_refused(world, url):
    response = world.client("administrator").get(f"{url}?token=x")
    assert sources(response) == [("", "method_not_allowed")]
    assert world.client(None).request("OPTIONS", url).headers["Allow"] == "OPTIONS, POST"


@on_one_engine
def test_the_answers_are_as_described(world):
    described = description(world.app.registry)
    paths = described["paths"]

    def content(url: str, status: int) -> dict[str, Any]:
        return paths[url]["post"]["responses"][str(status)].get("content", {})

    requests = [
        (REVOKE, {"token": "x"}, None, 200),
        (REVOKE, {}, None, 400),
        (REVOKE, {"token": "x" * 9000}, None, 413),
        (INTROSPECT, {"token": world.tokens["self"]}, "administrator", 200),
        (INTROSPECT, {"token": "x"}, "administrator", 200),
        (INTROSPECT, {}, "administrator", 400),
        (INTROSPECT, {"token": "x"}, None, 401),
        (INTROSPECT, {"token": "x"}, "self", 403),
        (INTROSPECT, {"token": "x" * 9000}, "administrator", 413),
    ]
    for url, sent, caller, status in requests:
        response = send(world.app, url, sent, caller and world.tokens[caller])
        assert response.status_int == status, (url, sent)
        known = content(url, status)
        assert known.keys() == ({"application/json"} if response.body else set())
        for media in known.values():
            assert list(Draft202012Validator(media["schema"]).iter_errors(response.json)) == []
    assert paths[INTROSPECT]["post"]["security"] == [{"bearer": ["tokens:introspect"]}]
    assert "security" not in paths[REVOKE]["post"]
    for url in (REVOKE, INTROSPECT):
        assert paths[url]["post"]["requestBody"]["content"].keys() == {FORM}


@on_one_engine
def test_nothing_of_a_token_is_logged(world, caplog):
    caplog.set_level("DEBUG")
    token = world.tokens["self"]
    ask(world, token)
    send(world.app, REVOKE, {"token": token})
    assert token not in caplog.text
    assert digest(token) not in "".join(record.getMessage() for record in caplog.records)
