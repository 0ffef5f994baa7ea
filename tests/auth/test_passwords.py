"""Which passwords are taken, and that they are kept exactly as they are sent."""

import json

import pytest
from sqlalchemy import select

from tests.auth.signing import TOKENS, busy, sign_in
from tests.client import USERS, Client
from tests.engines import on_one_engine
from users_service.models import User

pytestmark = on_one_engine

STRONG = "sunny side of the street"


def document(password, id=None, **attributes):
    if id is None:
        attributes = {
            "email": "ada.lovelace@example.com",
            "name": "Augusta Ada King",
            "is_active": True,
        } | attributes
    data = {"type": "users", "attributes": {"password": password} | attributes}
    return {"data": data | ({} if id is None else {"id": id})}


def refusal(response) -> tuple:
    (error,) = response.json["errors"]
    return response.status_code, error["code"], error["source"]["pointer"]


WEAK = (422, "weak_password", "/data/attributes/password")


@pytest.mark.parametrize(
    "password",
    [
        "password1",
        "PassWord1",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff441",  # the same, in full width
        "iloveyou",
        "mississippi",
        "zzzzzzzzzzzz",
    ],
)
@pytest.mark.asvs("6.2.4")
def test_common_passwords_are_weak(client, password):
    assert refusal(client.post(USERS, document(password))) == WEAK


@pytest.mark.parametrize(
    "password",
    ["ada.lovelace@example.com", "Ada.Lovelace@EXAMPLE.com", "ADA.LOVELACE", "augusta ada king"],
)
@pytest.mark.asvs("6.2.11")
def test_the_address_and_the_name_are_weak(client, password):
    assert refusal(client.post(USERS, document(password))) == WEAK
    id = client.post(USERS, document(STRONG)).json["data"]["id"]
    assert refusal(client.patch(f"{USERS}/{id}", document(password, id))) == WEAK
    changed = document(password, id, email="other@example.com", name="Other")
    assert client.patch(f"{USERS}/{id}", changed).status_code == 200


def test_the_operator_refuses_further_ones(app_with, tmp_path):
    blocklist = tmp_path / "blocklist"
    blocklist.write_bytes("\ufeffacme corporation\r\nAcme Straße 12\nlast of the list".encode())
    client = Client(app_with(password_blocklist=str(blocklist)))
    for password in ("Acme Corporation", "acme STRASSE 12", "last of the list"):
        assert refusal(client.post(USERS, document(password))) == WEAK
    assert client.post(USERS, document("acme corporations")).status_code == 201


def test_a_common_password_is_refused_before_it_is_hashed(app_with):
    app = app_with(password_queue="0")
    with busy(app):
        assert refusal(Client(app).post(USERS, document("password1"))) == WEAK
        refused = Client(app).post(USERS, document(STRONG))
        assert (refused.status_code, refused.json["errors"][0]["code"]) == (503, "busy")
        assert refused.headers["Retry-After"] == "1"
    assert Client(app).get(USERS).json["data"] == []


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("  blanks around it  ", "blanks around it"),
        ("caf\u00e9 au lait, twice", "cafe\u0301 au lait, twice"),
        ("Straße nach Süden", "strasse nach süden"),
        ("\U0001f511" * 7 + "\U0001f6aa", "\U0001f511" * 8),
        ("\tx\n" + "long " * 204, "\tx\n" + "long " * 203),
    ],
)
@pytest.mark.asvs("6.2.5", "6.2.8", "6.2.9")
def test_passwords_are_kept_exactly_as_sent(service, client, password, other):
    assert client.post(USERS, document(password)).status_code == 201
    assert sign_in(service.app, other, "ada.lovelace").status_code == 401
    assert sign_in(service.app, password, "ada.lovelace").status_code == 201


@pytest.mark.asvs("11.4.2")
def test_a_hash_says_its_parameters(service, client, app_with):
    assert client.post(USERS, document(STRONG)).status_code == 201
    app = app_with(argon2_memory="9216", argon2_time="4", argon2_parallelism="2")
    other = document(STRONG, email="grace@example.com")
    assert Client(app).post(USERS, other).status_code == 201
    with service.engine.connect() as connection:
        hashes = connection.execute(select(User.password_hash).order_by(User.email)).scalars().all()
    assert hashes[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hashes[1].startswith("$argon2id$v=19$m=9216,t=4,p=2$")


BAD = {
    "seven": ("7 chars", 422),
    "too many bytes": ("\u00e9" * 512 + "x", 422),
    "a megabyte": ("x y" * 333_333, 422),
    "NUL": ("sunny side\0of the street", 422),
    "a lone surrogate": ("sunny side \ud800 street", 400),
    "a number": (12345678, 422),
    "a list": (["sunny side"], 422),
    "empty": ("", 422),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.asvs("6.2.1")
def test_bad_passwords_are_refused(client, name):
    password, status = BAD[name]
    body = json.dumps(document(password)).encode()
    response = client.post(USERS, body=body)
    assert response.status_code == status
    if status == 422:
        assert response.json["errors"][0]["source"]["pointer"] == "/data/attributes/password"


@pytest.mark.parametrize("name", BAD)
def test_bad_passwords_sign_nobody_in(client, name):
    password, _ = BAD[name]
    attributes = {"email": "ada@example.com", "password": password}
    body = json.dumps({"data": {"type": "tokens", "attributes": attributes}}).encode()
    response = client.post(TOKENS, body=body)
    assert response.status_code in {400, 401, 422}
    assert str(password) not in response.text or password == ""
