"""Assertions for other services: what is in them, and stock verifiers that know one URL alone."""

import base64
import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import joserfc.errors
import joserfc.jwk
import joserfc.jwt
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator
from sqlalchemy import update

from tests.auth.world import as_holder
from tests.client import API, MEDIA_TYPE, USERS, Client, sources
from tests.engines import on_one_engine
from tests.server import ROOT, pserve
from tests.service import ISSUER
from tests.serving.processes import free_port
from users_service.jsonapi import description
from users_service.models.tables import tokens, users
from users_service.settings import SigningKey, add_signing_key, load

pytestmark = on_one_engine

URL = f"{API}/auth/assertions"
KEYS = "/.well-known/jwks.json"
BILLING = "https://billing.example.com"


def document(audience: Any = BILLING, **more: Any) -> dict[str, Any]:
    return {"data": {"type": "assertions", "attributes": {"audience": audience, **more}}}


def assertion_of(client: Client, audience: str = BILLING) -> str:
    response = client.post(URL, document(audience))
    assert response.status_int == 200, response.text
    return response.json["data"]["attributes"]["assertion"]


def read(assertion: str) -> dict[str, Any]:
    return jwt.decode(assertion, options={"verify_signature": False})


def test_an_assertion_says_who_the_caller_is_and_what_it_may_do(world):
    before = int(time.time())
    response = world.client("reader").post(URL, document())
    assert response.status_int == 200
    assert response.headers["Cache-Control"] == "no-store"
    data = response.json["data"]
    assertion = data["attributes"]["assertion"]
    claims = read(assertion)
    assert claims.keys() == {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"]) == (ISSUER, BILLING)
    assert claims["sub"] == str(world.ids["reader"])
    assert claims["client_id"] == str(world.ids["token reader"])
    assert claims["scope"] == "groups:read roles:read self:* users:read"
    assert (data["type"], data["id"]) == ("assertions", claims["jti"])
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] == claims["iat"] + 600
    expiration = datetime.fromtimestamp(claims["exp"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert data["attributes"]["expiration_time"] == expiration
    assert data["attributes"]["audience"] == BILLING
    (key,) = world.client(None).get(KEYS).json["keys"]
    header = jwt.get_unverified_header(assertion)
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": key["kid"]}


def test_each_assertion_has_an_id_of_its_own(world):
    made = {read(assertion_of(world.client("self")))["jti"] for _ in range(5)}
    assert len(made) == 5


def test_an_assertion_says_no_more_than_its_token(world):
    narrowed = as_holder(world.token("administrator", ["users:read"]), world.app)
    assert read(assertion_of(narrowed))["scope"] == "users:read"


def test_an_assertion_ends_with_its_token(world):
    soon = datetime.now(UTC) + timedelta(seconds=90)
    holder = as_holder(world.token("self", expiration_time=soon), world.app)
    assert read(assertion_of(holder))["exp"] == int(soon.timestamp())


def test_an_assertion_is_as_described(world):
    response = world.client("self").post(URL, document())
    described = description(world.app.registry)
    schemas = {"components": described["components"]}
    operation = described["paths"][URL]["post"]
    assert operation["security"] == [{"bearer": []}]
    answer = operation["responses"]["200"]["content"][MEDIA_TYPE]["schema"]
    assert list(Draft202012Validator(answer | schemas).iter_errors(response.json)) == []
    sent = operation["requestBody"]["content"][MEDIA_TYPE]
    checker = Draft202012Validator(sent["schema"] | schemas)
    assert list(checker.iter_errors(sent["example"])) == []
    assert world.client("self").post(URL, sent["example"]).status_int == 200
    keys = described["paths"][KEYS]["get"]["responses"]["200"]["content"]
    (schema,) = keys.values()
    found = world.client(None).get(KEYS).json
    assert list(Draft202012Validator(schema["schema"]).iter_errors(found)) == []


@pytest.mark.parametrize(
    ("sent", "status", "source", "code"),
    [
        (document(None), 422, "/data/attributes/audience", "invalid_value"),
        (document(""), 422, "/data/attributes/audience", "invalid_value"),
        (document(7), 422, "/data/attributes/audience", "invalid_value"),
        (document(["a"]), 422, "/data/attributes/audience", "invalid_value"),
        (document("a\x00b"), 422, "/data/attributes/audience", "invalid_value"),
        (document("a\nb"), 422, "/data/attributes/audience", "invalid_value"),
        (document("a" * 256), 422, "/data/attributes/audience", "invalid_value"),
        (document(scope="*"), 422, "/data/attributes/scope", "unknown_field"),
        (document(assertion="x"), 422, "/data/attributes/assertion", "read_only_field"),
        ({"data": {"type": "assertions"}}, 422, "/data", "missing_field"),
        ({"data": {"type": "tokens"}}, 409, "/data/type", "type_conflict"),
        ({"data": []}, 400, "/data", "malformed_document"),
        ({"data": None}, 400, "/data", "malformed_document"),
        ({}, 400, "", "malformed_document"),
    ],
)
def test_a_faulty_document_is_refused(world, sent, status, source, code):
    response = world.client("self").post(URL, sent)
    assert response.status_int == status
    assert sources(response) == [(source, code)]


def test_an_id_of_the_client_is_refused(world):
    sent = document()
    sent["data"]["id"] = str(world.ids["self"])
    assert sources(world.client("self").post(URL, sent)) == [("/data/id", "client_id_refused")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 415),
        ({"Accept": "text/html"}, 406),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_other_media_types_are_refused(world, headers, status):
    response = world.client("self").post(URL, document(), headers=headers)
    assert response.status_int == status
    if "Content-Type" in headers:
        assert response.headers["Accept-Post"] == MEDIA_TYPE


def test_parameters_are_refused(world):
    response = world.client("self").post(f"{URL}?audience=x", document())
    assert sources(response) == [("audience", "unsupported_parameter")]


def test_who_has_not_signed_in_gets_none(world):
    response = world.client(None).post(URL, document())
    assert response.status_int == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="users_service"'


@pytest.mark.parametrize("change", ["ended", "deactivated"])
def test_a_change_of_the_caller_holds_at_once(world, change):
    client = world.client("self")
    assertion_of(client)  # the process remembers the caller
    with world.service.engine.begin() as connection:
        if change == "ended":
            connection.execute(tokens.delete().where(tokens.c.id == world.ids["token self"]))
        else:
            row = users.c.id == world.ids["self"]
            changed = {"is_active": False, "version": users.c.version + 1}
            connection.execute(update(users).where(row).values(changed))
    response = client.post(URL, document())
    assert sources(response) == [("Authorization", "invalid_token")]


@pytest.mark.parametrize("url", [URL, KEYS])
def test_without_a_key_there_is_nothing(service, world, url):
    world.app = service.app
    method = "POST" if url == URL else "GET"
    response = world.client("self").request(method, url, document() if url == URL else None)
    assert sources(response) == [("", "not_found")]


def test_this_api_takes_no_assertion(world):
    assertion = assertion_of(world.client("administrator"), ISSUER)
    response = as_holder(assertion, world.app).get(USERS)
    assert sources(response) == [("Authorization", "invalid_token")]
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_the_keys_are_public_and_may_be_kept(world):
    response = world.client(None).get(KEYS)
    assert response.headers["Content-Type"] == "application/jwk-set+json"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    (key,) = response.json["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    tag = response.headers["ETag"]
    assert not tag.startswith("W/")
    again = world.client(None).get(KEYS, headers={"If-None-Match": tag})
    assert again.status_int == 304


# Verifiers that know the URL of the keys, the issuer and their own name, and nothing else.


class RefusedError(Exception):
    """A verifier does not believe an assertion."""


def by_pyjwt(url: str) -> Callable[[str], dict[str, Any]]:
    keys = jwt.PyJWKClient(url)  # keeps them, and looks again for an unknown kid

    def verify(assertion: str) -> dict[str, Any]:
        try:
            key = keys.get_signing_key_from_jwt(assertion)
            if jwt.get_unverified_header(assertion).get("typ") != "at+jwt":
                raise RefusedError
            return jwt.decode(
                assertion,
                key,
                algorithms=["EdDSA"],
                audience=BILLING,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise RefusedError from error

    return verify


def by_joserfc(url: str) -> Callable[[str], dict[str, Any]]:
    registry = joserfc.jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": BILLING},
        exp={"essential": True},
        sub={"essential": True},
    )

    def verify(assertion: str) -> dict[str, Any]:
        with urllib.request.urlopen(url, timeout=10) as response:
            keys = joserfc.jwk.KeySet.import_key_set(json.load(response))
        try:
            token = joserfc.jwt.decode(assertion, keys, algorithms=["EdDSA"])
            registry.validate(token.claims)
        except (joserfc.errors.JoseError, ValueError) as error:
            raise RefusedError from error
        if token.header.get("typ") != "at+jwt":
            raise RefusedError
        return token.claims

    return verify


@pytest.fixture(scope="module")
def key_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.pem"
    add_signing_key(path, append=False)
    return path


def keys_in(path: Path) -> tuple[SigningKey, ...]:
    ini = {"users_service.assertion_key": str(path), "users_service.assertion_issuer": ISSUER}
    return load(ini | {"users_service.database_url": "sqlite:////x"}, {}).assertion_key


@contextmanager
def running(url: str, key_file: Path, port: int) -> Iterator[str]:
    environ = {
        "USERS_SERVICE_DATABASE_URL": url,
        "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "",
        "USERS_SERVICE_ASSERTION_KEY": str(key_file),
        "USERS_SERVICE_ASSERTION_ISSUER": ISSUER,
    }
    options = (f"http_port={port}",)
    with pserve(ROOT / "production.ini", environ, options=options) as address:
        yield address


def ask(address: str, token: str) -> str:
    """Get an assertion over a socket."""
    request = urllib.request.Request(
        address + URL,
        json.dumps(document()).encode(),
        {"Content-Type": MEDIA_TYPE, "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["data"]["attributes"]["assertion"]


def forgeries(key: SigningKey, now: int) -> Iterator[tuple[str, str]]:
    """Assertions that nobody may believe, each with what is wrong with it."""
    claims = {
        "iss": ISSUER,
        "aud": BILLING,
        "sub": "someone",
        "scope": "*",
        "iat": now,
        "exp": now + 300,
    }
    headers = {"typ": "at+jwt", "kid": key.kid}

    def signed(private: Any = key.private, algorithm: str = "EdDSA", **changed: Any) -> str:
        typ = {"typ": changed.pop("typ")} if "typ" in changed else {}
        kid = {"kid": changed.pop("kid")} if "kid" in changed else {}
        made = {n: v for n, v in (claims | changed).items() if v is not None}
        return jwt.encode(made, private, algorithm=algorithm, headers=headers | typ | kid)

    stranger = Ed25519PrivateKey.generate()
    yield "a key of a stranger", signed(stranger)
    yield "a key that is not published", signed(stranger, kid="stranger")
    yield "expired", signed(iat=now - 900, exp=now - 300)
    yield "without an end", signed(exp=None)
    yield "another audience", signed(aud="https://shop.example.com")
    yield "no audience", signed(aud=None)
    yield "another issuer", signed(iss="https://evil.example.com")
    yield "another type", signed(typ="JWT")
    yield "no algorithm", signed(None, "none")
    public = key.private.public_key()
    for name, form in (
        ("raw", public.public_bytes_raw()),
        ("base64url", key.x.encode()),
        (
            "PEM",
            public.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
        ),
    ):
        yield f"HS256 with the public key as {name}", hs256(headers, claims, form)
    good = signed()
    head, body, signature = good.split(".")
    other = signed(sub="administrator").split(".")[1]
    yield "another body", f"{head}.{other}.{signature}"
    yield "no signature", f"{head}.{body}."


def hs256(headers: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Sign by HMAC with what libraries refuse as a secret."""

    def part(octets: bytes) -> bytes:
        return base64.urlsafe_b64encode(octets).rstrip(b"=")

    head = part(json.dumps({"alg": "HS256"} | headers).encode())
    signed = head + b"." + part(json.dumps(claims).encode())
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return (signed + b"." + part(mac)).decode()


# joserfc warns of the name EdDSA, in favour of Ed25519 (RFC 9864), which few libraries know.
deprecated_name = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")


@deprecated_name
@pytest.mark.parametrize("library", [by_pyjwt, by_joserfc])
def test_stock_verifiers_believe_assertions_and_no_forgery(world, key_file, library):
    with running(world.service.url, key_file, free_port()) as address:
        verify = library(address + KEYS)
        claims = verify(ask(address, world.tokens["reader"]))
        assert claims["sub"] == str(world.ids["reader"])
        assert "users:read" in claims["scope"].split(" ")
        believed = []
        for name, forged in forgeries(keys_in(key_file)[0], int(time.time())):
            try:
                verify(forged)
            except RefusedError:
                continue
            believed.append(name)
        assert believed == []


@deprecated_name
def test_keys_are_changed_without_a_gap(world, key_file):
    url, port, token = world.service.url, free_port(), world.tokens["reader"]
    with running(url, key_file, port) as address:
        verifiers = [library(address + KEYS) for library in (by_pyjwt, by_joserfc)]
        old = ask(address, token)
        kid = jwt.get_unverified_header(old)["kid"]
        assert all(verify(old) for verify in verifiers)
    added = add_signing_key(key_file, append=True)
    with running(url, key_file, port) as address:
        # The new key is published, and the old one still signs.
        assert jwt.get_unverified_header(ask(address, token))["kid"] == kid
        assert all(verify(old) for verify in verifiers)
        # These have looked since the new key is there, as all have five minutes later.
        verifiers = [library(address + KEYS) for library in (by_pyjwt, by_joserfc)]
        assert all(verify(old) for verify in verifiers)
    blocks = key_file.read_text().split("-----END PRIVATE KEY-----\n")[:2]
    end = "-----END PRIVATE KEY-----\n"
    key_file.write_text(f"{blocks[1]}{end}{blocks[0]}{end}")
    with running(url, key_file, port) as address:
        new = ask(address, token)
        assert jwt.get_unverified_header(new)["kid"] == added.kid
        # What the old key has signed is still believed.
        assert all(verify(old) and verify(new) for verify in verifiers)
    key_file.write_text(f"{blocks[1]}{end}")
    with running(url, key_file, port) as address:
        fresh = [library(address + KEYS) for library in (by_pyjwt, by_joserfc)]
        assert all(verify(new) for verify in [*verifiers, *fresh])
        for verify in fresh:
            with pytest.raises(RefusedError):
                verify(old)
