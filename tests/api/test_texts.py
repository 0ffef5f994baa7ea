"""Texts: found without regard to case on every engine alike, stored in NFC, and seen at all."""

import unicodedata
from random import Random
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from tests.client import API, USERS, sources, user
from tests.engines import on_one_engine
from users_service.models import Group, User
from users_service.models.base import now

GROUPS, ROLES = f"{API}/groups", f"{API}/roles"

# All letters and marks that are assigned, and those among them that have a case.
LETTERS = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c))[0] in "LM"]
CASED = [c for c in LETTERS if len({c, c.lower(), c.upper(), c.title(), c.casefold()}) > 1]
CHUNK = 50
CASES = [str.upper, str.lower, str.title, str.swapcase, str.casefold, str]


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    return nfc(text).casefold()


def some_texts(random: Random) -> list[str]:
    """Texts with every cased letter, and random ones with letters that are easily confused."""
    shuffled = random.sample(CASED, len(CASED))
    texts = ["".join(shuffled[i : i + CHUNK]) for i in range(0, len(shuffled), CHUNK)]
    few = "aAbsSſßẞiIıİσςΣΟΔΥ\u0345\u0301\u0307ﬃfFͅάΆé%_/\\' "
    for _ in range(200):
        pool = random.choice([few, few, CASED, LETTERS])
        texts.append("".join(random.choice(pool) for _ in range(random.randrange(1, 12))))
    return list(dict.fromkeys(nfc(f"|{text}|") for text in texts))


def some_parts(random: Random, texts: list[str]) -> list[str]:
    """Texts to look for: what the texts have, in another case."""
    chunks = len(CASED) // CHUNK + 1
    parts = [random.choice(CASES)(text) for text in texts[:chunks]]
    for _ in range(70):
        text = random.choice(texts[chunks:])
        start = random.randrange(len(text))
        part = text[start : start + random.randrange(1, 6)]
        parts.append(random.choice(CASES)(part))
    return [nfc(part) for part in parts]


def found(client, field: str, operator: str, part: str) -> list[str]:
    """The texts of the users that a filter finds."""
    query = f"filter[{field}][{operator}]={quote(part, safe='')}&page[size]=1000"
    response = client.get(f"{USERS}?{query}&fields[users]={field}")
    assert response.status_int == 200, response.text
    return [resource["attributes"][field] for resource in response.json["data"]]


def user_row(name: str) -> dict:
    """The row of a user, without what is computed from the name."""
    times = {"creation_time": now(), "modification_time": now()}
    key = f"{uuid4()}@example.com"
    return {"id": uuid4(), "email": key, "email_key": key, "name": name, **times}


def test_every_engine_finds_what_python_finds_in_all_letters_of_unicode(service):
    random = Random(14)
    texts = some_texts(random)
    rows = [user_row(text) for text in texts]
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__), rows)
    parts = some_parts(random, texts)
    texts = [row["name"] for row in sorted(rows, key=lambda row: str(row["id"]))]
    for part in parts:
        expected = [text for text in texts if folded(part) in folded(text)]
        without_case = found(service.client, "name", "icontains", part)
        assert (part, without_case) == (part, expected)
        with_case = found(service.client, "name", "contains", part)
        assert (part, with_case) == (part, [text for text in texts if part in text])
        assert set(with_case) <= set(without_case)


@pytest.mark.parametrize(
    ("stored", "part"),
    [
        ("παπαδόπουλος", "ΠΑΠΑΔΌΠΟΥΛΟΣ"),
        ("ΟΔΥΣΣΕΑΣ", "οδυς"),
        ("οδυς", "ΟΔΥΣ"),
        ("Straße", "STRASSE"),
        ("STRASSE", "straß"),
        ("ẞ", "ss"),
        ("ﬃ", "FFI"),
        ("İstanbul", "i\u0307STANBUL"),
        ("K", "\u212a"),
        ("Ꮿ", "ꮿ"),
        ("ა", "Ა"),
        ("É", "e\u0301"),
        ("e\u0301", "É"),
        ("a%b", "A%"),
        ("a_b", "A_"),
        ("a/b", "A/"),
    ],
)
def test_a_text_is_found_in_another_case(client, stored, part):
    created = client.create_user(name=stored)
    assert created["attributes"]["name"] in found(client, "name", "icontains", part)
    changed = client.patch(created["links"]["self"], user(created["id"], name="other"))
    assert changed.status_int == 200
    assert found(client, "name", "icontains", part) == []


@pytest.mark.parametrize(
    ("stored", "part"), [("ı", "I"), ("İ", "i\u0131"), ("mike", "mıke"), ("é", "e"), ("ø", "o")]
)
def test_another_letter_is_not_found(client, stored, part):
    client.create_user(name=stored)
    assert found(client, "name", "icontains", part) == []


def test_addresses_and_descriptions_are_found_in_another_case(client):
    client.create_user("jürgen@example.com")
    assert found(client, "email", "icontains", "JÜRGEN@EX") == ["jürgen@example.com"]
    long = "ΐ" * 10_000  # three letters each, folded
    for kind, url in (("groups", GROUPS), ("roles", ROLES)):
        for name, description in (("a", long), ("b", None)):
            attributes = {"name": name, "description": description}
            sent = {"data": {"type": kind, "attributes": attributes}}
            assert client.post(url, sent).status_int == 201
        query = f"{url}?filter[description][icontains]="
        resources = client.get(query + quote("ΐ")).json["data"]
        assert [resource["attributes"]["name"] for resource in resources] == ["a"]
        inverse = client.get(f"{url}?filter=not(icontains(description,'{quote('ΐ')}'))")
        assert [resource["attributes"]["name"] for resource in inverse.json["data"]] == ["b"]


def named(kind: str, name: str, id: str | None = None) -> dict:
    data = {"type": kind, "attributes": {"name": name}}
    return {"data": data if id is None else data | {"id": id}}


# Names that look the same.
SAME = [
    ("admin", "Admin"),
    ("Ärzte", "A\u0308RZTE"),
    ("Straße", "STRASSE"),
    ("ΟΔΥΣ", "οδυς"),
    ("admin", "ad\u00admin"),
    ("admin", "admin\u200b"),
    ("admin", "\ufeffadmin"),
    ("admin", "ad\u2060min"),
    ("admin", "admin\U000e0041"),
    ("admin", "admin\u3164"),
    ("admin", "ad\ufff9min\ufffb"),
    ("admin", "admin\U00016fe4"),
    ("admin", "ａｄｍｉｎ"),
    ("Büro 1", "büro\u00a01"),
    ("a b", "a\u2003b"),
    ("a b", "a  b"),
    ("a b", "a\u2800b"),
    ("a b", "a\u3164b"),
    ("ﬁnance", "finance"),
    ("x²", "x2"),
    ("❤\ufe0f", "❤"),
    ("\u1f80", "\u1f88"),
    ("ᾳ\u0301", "α\u0301\u0345"),
    ("ﷺ" * 80, "\u200b" + "ﷺ" * 80),  # a key that is longer than an index takes
]
DIFFERENT = [("admin", "admın"), ("a", "ä"), ("a b", "ab"), ("a-b", "a_b"), ("o", "ø"), ("1", "١")]
TAKEN = [("/data/attributes/name", "already_taken")]


@pytest.mark.parametrize(("kind", "pairs"), [("groups", SAME), ("roles", SAME[:4])])
def test_names_that_look_the_same_clash(client, kind, pairs):
    url = f"{API}/{kind}"
    other = client.post(url, named(kind, "other")).json["data"]
    for stored, sent in pairs:
        mine = client.post(url, named(kind, stored)).json["data"]
        for response in (
            client.post(url, named(kind, sent)),
            client.patch(other["links"]["self"], named(kind, sent, other["id"])),
        ):
            assert (sent, response.status_int, sources(response)) == (sent, 409, TAKEN)
        renamed = client.patch(mine["links"]["self"], named(kind, sent, mine["id"]))
        assert renamed.status_int == 200, renamed.text
        client.delete(mine["links"]["self"])
    for first, second in DIFFERENT:
        for name in (first, second):
            created = client.post(url, named(kind, f"{name}!"))
            assert created.status_int == 201, created.text


def test_names_that_look_the_same_clash_in_atomic_operations(client):
    media_type = 'application/vnd.api+json; ext="https://jsonapi.org/ext/atomic"'
    headers = {"Content-Type": media_type, "Accept": media_type}
    adds = [{"op": "add", **named("groups", name)} for name in ("Staff", "staff\u200b")]
    response = client.post(f"{API}/operations", {"atomic:operations": adds}, headers=headers)
    assert response.status_int == 409
    assert sources(response) == [("/atomic:operations/1/data/attributes/name", "already_taken")]
    assert client.get(GROUPS).json["data"] == []


def test_filters_compare_names_as_they_are(client):
    client.post(GROUPS, named("groups", "Staff"))
    assert len(client.get(f"{GROUPS}?filter[name]=Staff").json["data"]) == 1
    assert client.get(f"{GROUPS}?filter[name]=staff").json["data"] == []


def test_the_database_itself_refuses_names_that_look_the_same(service):
    times = {"creation_time": now(), "modification_time": now()}
    with service.engine.begin() as connection:
        connection.execute(insert(Group.__table__), {"id": uuid4(), "name": "Staff", **times})
        assert connection.scalar(select(Group.name_key)) == "staff"
    assert sources(service.client.post(GROUPS, named("groups", "STAFF"))) == TAKEN


NOTHING = ["\u3164", "\u2800", "\u115f\u1160", "\uffa0", "\u034f", "\u200b", "\u00ad", "\u17b4"]
NOTHING += ["\ufe0f", "\U000e0100", "\U000e0041", "\U000e0fff", "\U0001d173", "\ufff0", "\u2065"]
NOTHING += ["\u180e", "\u180f", "\U0001bca0", "\u2028", "\u3000 \u200d", "\U00013441", "\U0001d159"]
SOMETHING = ["\u0301", "\u0600", "\u110bd", "\U000110bd", "💩", "\u2801", "ㅤa", "ﾠx", "\ufffd", "."]


@on_one_engine
def test_a_line_that_shows_nothing_is_refused_as_a_blank_one_is(client):
    ((blank, _),) = refusals = [
        (error["detail"], error["source"])
        for error in client.post(GROUPS, named("groups", " ")).json["errors"]
    ]
    for text in NOTHING:
        for url, document in (
            (GROUPS, named("groups", text)),
            (ROLES, named("roles", text)),
            (USERS, user(email="ada@example.com", name=text)),
        ):
            response = client.post(url, document)
            assert (ascii(text), response.status_int) == (ascii(text), 422)
            errors = [(error["detail"], error["source"]) for error in response.json["errors"]]
            assert errors == refusals
    assert "visible" in blank
    for text in SOMETHING:
        response = client.post(GROUPS, named("groups", text))
        assert (ascii(text), response.status_int) == (ascii(text), 201)


@on_one_engine
def test_a_permission_that_shows_nothing_is_refused(client):
    attributes = {"name": "a", "permissions": ["users:read", "\u3164"]}
    response = client.post(ROLES, {"data": {"type": "roles", "attributes": attributes}})
    assert response.status_int == 422
    assert sources(response) == [("/data/attributes/permissions/1", "invalid_value")]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Jose\u0301", "José"),
        ("\u3000Ada\u2800", "Ada"),
        ("\u00a0\u2003Ada \u3164", "Ada"),
        ("\u1100\u1161", "가"),
        ("\u212b", "Å"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\u200fאבי", "\u200fאבי"),
        ("ﬁ", "ﬁ"),
    ],
)
def test_lines_are_stored_in_nfc_and_without_blanks_around(client, sent, stored):
    created = client.create_user(name=sent)
    assert created["attributes"]["name"] == stored
    url = created["links"]["self"]
    before = client.get(url)
    assert before.json["data"]["attributes"]["name"] == stored
    again = client.patch(url, user(created["id"], name=sent))
    assert again.json["data"] == before.json["data"]
    assert client.get(url).headers["ETag"] == before.headers["ETag"]


def test_descriptions_are_stored_in_nfc(client):
    attributes = {"name": "a", "description": " Cafe\u0301\n"}
    created = client.post(GROUPS, {"data": {"type": "groups", "attributes": attributes}})
    assert created.json["data"]["attributes"]["description"] == " Café\n"


@on_one_engine
def test_lengths_count_after_trimming_and_normalizing(client):
    for name, status in (
        ("e\u0301" * 250, 201),
        ("\u3000" * 100 + "a" * 250, 201),
        ("e\u0301" * 251, 422),
        ("\ufb2c" * 84, 422),  # 252 in NFC
    ):
        assert client.post(GROUPS, named("groups", name)).status_int == status
    long = f"{'a' * 64}@{'.'.join(['b' * 63, 'c' * 63, 'd' * 57, 'com'])}"
    assert client.post(USERS, user(email=f" {long} ", name="Ada")).status_int == 201


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (" ada@example.com", "ada@example.com"),
        ("ada@example.com \u3000", "ada@example.com"),
        ("\u00a0\u2800Ada@Example.com\u3164", "Ada@Example.com"),
        ("jose\u0301@bu\u0308cher.example", "josé@bücher.example"),
    ],
)
def test_addresses_are_stored_in_nfc_and_without_blanks_around(client, sent, stored):
    assert client.create_user(sent)["attributes"]["email"] == stored
    assert client.emails() == [stored]


@on_one_engine
@pytest.mark.parametrize(
    "blank",
    ["\u034f", "\u1160", "\u17b4", "\u2800", "\u3164", "\ufe0f", "\U000e0100", "\U00016fe4"],
)
def test_an_address_with_an_invisible_character_is_refused(client, blank):
    for address in (f"a{blank}da@example.com", f"ada@exam{blank}ple.com"):
        response = client.post(USERS, user(email=address, name="Ada"))
        assert (ascii(address), response.status_int) == (ascii(address), 422)
        assert sources(response) == [("/data/attributes/email", "invalid_value")]
        assert "Not a valid email address." in response.json["errors"][0]["detail"]
