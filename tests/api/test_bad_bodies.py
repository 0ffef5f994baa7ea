"""Bodies that are refused: each with its status, pointers and codes, and nothing of it stored."""

import json
import unicodedata
from uuid import UUID, uuid4

import pytest

from tests.client import USERS, sources, user
from tests.engines import on_one_engine

ADA = {"email": "ada@example.com", "name": "Ada", "is_active": True}

MANY_NAMES = ("{" + "".join(f'"{n:x}":1,' for n in range(100_000)) + '"z":1,"z":1}').encode()

NO_JSON = [
    b" ",
    b"{",
    b"nul",
    b"True",
    b"{'data': 1}",
    b'{"data": 1,}',
    b'{"data": 01}',
    b'{"data": +1}',
    b'{"data": 0x1}',
    b'{"data": {"type": "us',
    b'{"data": null} {}',
    b'{"data": null}\x00',
    b'{"data": null} // a comment',
    b'{"data": "\\x41"}',
    b'{"data": "\\u12"}',
    b'{"data": "a control character: \x01"}',
    # numbers that are none
    b'{"data": NaN}',
    b'{"data": Infinity}',
    b'{"data": -Infinity}',
    b'{"data": 1e999}',
    b'{"data": -1e999}',
    b'{"data": %s}' % (b"9" * 5000),
    # no UTF-8: a lone byte, an overlong slash, a surrogate; UTF-16; a byte order mark
    b'{"data": "\xff"}',
    b'{"data": "\xc0\xaf"}',
    b'{"data": "\xed\xa0\x80"}',
    '{"data": null}'.encode("utf-16"),
    b'\xef\xbb\xbf{"data": null}',
    # the same name twice
    b'{"data": null, "data": null}',
    b'{"data": {"type": "users", "type": "users"}}',
    b'{"data": null, "d\\u0061ta": null}',
    b'{"meta": {"deep": [{"a": 1, "a": 1}]}}',
]

# Documents with half of a surrogate pair, wherever a string can be; also where it is ignored.
SURROGATES = [
    r'{"data": {"type": "users", "id": "ID", "attributes": {"name": "a\ud800"}}}',
    r'{"data": {"type": "users", "id": "ID", "attributes": {"name": "\uDC00a"}}}',
    r'{"data": {"type": "users", "id": "ID", "attributes": {"name": "\ud83d\ud83d\ude00"}}}',
    r'{"data": {"type": "users", "id": "ID", "attributes": {"email": "\udfff@example.com"}}}',
    r'{"data": {"type": "users", "id": "ID", "attributes": {"\ud800": 1}}}',
    r'{"data": {"type": "users", "id": "ID", "attributes": {"@ignored": "\ud800"}}}',
    r'{"data": {"type": "users", "id": "ID", "ignored": {"\ud800": 1}}}',
    r'{"data": {"type": "users", "id": "\ud800"}}',
    r'{"data": {"type": "\ud800", "id": "ID"}}',
    r'{"data": null, "\ud800": null}',
    r'{"data": null, "meta": [[["\ud800"]]]}',
    r'"\ud800"',
]

# Documents of a wrong shape, with the pointers of the answer; ID stands for the user's id.
MALFORMED = [
    ("[]", [""]),
    ('"x"', [""]),
    ("1", [""]),
    ("null", [""]),
    ("true", [""]),
    ("{}", [""]),
    ('{"meta": {}}', [""]),
    ('{"data": null}', ["/data"]),
    ('{"data": []}', ["/data"]),
    ('{"data": [{"type": "users", "id": "ID"}]}', ["/data"]),
    ('{"data": "users"}', ["/data"]),
    ('{"data": {"id": "ID"}}', ["/data"]),
    ('{"data": {"type": null, "id": "ID"}}', ["/data/type"]),
    ('{"data": {"type": ["users"], "id": "ID"}}', ["/data/type"]),
    ('{"data": {"type": "users", "id": null}}', ["/data/id"]),
    ('{"data": {"type": "users", "id": 1}}', ["/data/id"]),
    ('{"data": {"type": "users", "id": {}}}', ["/data/id"]),
    ('{"data": {"type": "users", "id": "ID", "lid": 1}}', ["/data/lid"]),
    ('{"data": {"type": "users", "id": "ID", "attributes": null}}', ["/data/attributes"]),
    ('{"data": {"type": "users", "id": "ID", "attributes": []}}', ["/data/attributes"]),
    ('{"data": {"type": "users", "id": "ID", "attributes": "x"}}', ["/data/attributes"]),
    ('{"data": {"type": "users", "id": "ID", "relationships": []}}', ["/data/relationships"]),
    ('{"data": {"type": "users", "id": "ID", "relationships": null}}', ["/data/relationships"]),
    *(
        (
            f'{{"data": {{"type": "users", "id": "ID", "relationships": {{"{name}": {value}}}}}}}',
            [f"/data/relationships/{name}"],
        )
        for name in ("role", "groups", "friends")
        for value in ("null", "[]", "{}", '{"meta": {}}', '"x"')
    ),
    (
        '{"data": {"id": 1, "lid": null, "attributes": 0, "relationships": ""}}',
        ["/data", "/data/attributes", "/data/id", "/data/lid", "/data/relationships"],
    ),
]

JSON_VALUES = [None, True, False, 0, 1, 1.5, "", "x", "true", [], ["x"], {}, {"x": 1}]

CONTROL_CHARACTERS = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) == "Cc"]

BAD_NAMES = ["", " ", "\u3164", "\u2028\u3000", "a" * 251, "😀" * 251, "\ta", "a\n", "a\x1b[0m"]

BAD_EMAILS = [
    "",
    "@",
    "a",
    "a@",
    "@b.com",
    "a@b",
    "a@@b.com",
    "a@b@c.com",
    "a b@c.com",
    "a@b.com\n",
    "a@b.com\r\nBcc: c@d.com",
    "a@b.com, c@d.com",
    "A <a@b.com>",
    "mailto:a@b.com",
    ".a@b.com",
    "a.@b.com",
    "a..b@c.com",
    "a@b..com",
    "a@.b.com",
    "a@b.com.",
    "a@-b.com",
    "a@b_c.com",
    "a@b.123",
    "a@127.0.0.1",
    "a@[127.0.0.1]",
    '"a b"@c.com',
    "a\u0000@b.com",
    "a@\u0000b.com",
    "a@b.com\u0000",
    "a\u200b@b.com",
    "a\u202e@b.com",
    "a@😀.com",
    "a@xn--zzzzzzzzzzz.com",
    f"a@{'b' * 64}.com",
    f"{'a' * 64}@{'.'.join(['b' * 63, 'c' * 63, 'd' * 58, 'com'])}",  # 255 characters
    "a@b.com" * 1000,
]

GOOD_EMAILS = [
    "a+b@c.com",
    "o'brien@c.com",
    "josé@b.com",
    "用户@例子.测试",
    "a@b.local",
    f"{'a' * 64}@{'.'.join(['b' * 63, 'c' * 63, 'd' * 57, 'com'])}",  # 254 characters
    f"{'ﬃ' * 64}@{'é.' * 7}com",  # as long a key: ligatures fold to three letters each
]


@pytest.fixture
def ada(client):
    """The URL of the one stored user, who must be the same in the end."""
    data = client.create_user(**ADA)
    before = client.get(USERS).json
    yield data["links"]["self"]
    assert client.get(USERS).json == before


def identified(text: str, url: str) -> bytes:
    return text.replace("ID", url.rpartition("/")[2]).encode()


def answer(response) -> tuple[int, list[tuple[str, str]]]:
    """The status, and what each error points at with its code."""
    return response.status_int, sorted(sources(response))


def attribute(name: str, code: str = "invalid_value", status: int = 422):
    """The answer to one bad attribute."""
    return status, [(f"/data/attributes/{name}", code)]


def answers_to_values(client, ada: str, name: str, values: list) -> dict[str, tuple]:
    """How values of an attribute are answered, by method and value."""
    id = ada.rpartition("/")[2]
    return {
        f"{method} {value!r}": answer(client.request(method, url, document))
        for value in values
        for method, url, document in (
            ("POST", USERS, user(**{"email": "new@example.com", "name": "New"} | {name: value})),
            ("PATCH", ada, user(id, **{name: value})),
        )
    }


@on_one_engine
def test_what_is_no_json_is_refused(client, ada):
    for body in [*NO_JSON, *(identified(text, ada) for text in SURROGATES)]:
        for method, url in (("POST", USERS), ("PATCH", ada)):
            response = client.request(method, url, body=body)
            assert (body, *answer(response)) == (body, 400, [("", "invalid_json")])


@on_one_engine
def test_an_empty_body_is_refused(client, ada):
    for method, url in (("POST", USERS), ("PATCH", ada)):
        for options in ({}, {"body": b""}):
            response = client.request(method, url, **options)
            assert answer(response) == (400, [("", "malformed_document")])


@on_one_engine
def test_a_document_of_a_wrong_shape_is_refused_with_all_its_faults(client, ada):
    for text, pointers in MALFORMED:
        expected = (text, 400, [(pointer, "malformed_document") for pointer in pointers])
        for method, url in (("POST", USERS), ("PATCH", ada)):
            response = client.request(method, url, body=identified(text, ada))
            assert (text, *answer(response)) == expected


@on_one_engine
def test_any_depth_of_nesting_is_survived(client, ada):
    arrays = b"[" * 100_000 + b"]" * 100_000
    for body in (
        arrays,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"data":{"type":"users","attributes":{"name":%s}}}' % arrays,
        b'{"data":null,"ignored":"\\ud83d\\ude00","meta":%s}' % arrays,
    ):
        for method, url in (("POST", USERS), ("PATCH", ada)):
            response = client.request(method, url, body=body)
            assert answer(response) == (400, [("", "malformed_document")])
    assert client.post(USERS, body=b"[" * 1_000_000).status_int == 400


@on_one_engine
def test_nesting_is_allowed_up_to_the_limit(client, service):
    limit = service.app.registry["settings"].max_json_depth
    text = json.dumps(user(**ADA) | {"meta": "DEEP"})
    levels = {
        depth: text.replace('"DEEP"', "[" * depth + "]" * depth) for depth in (limit - 1, limit)
    }
    too_deep = client.post(USERS, body=levels[limit].encode())
    assert answer(too_deep) == (400, [("", "malformed_document")])
    assert client.post(USERS, body=levels[limit - 1].encode()).status_int == 201


@on_one_engine
def test_every_json_type_that_is_not_the_attributes_own_is_refused(client, ada):
    accepted = {"email": [], "name": ["x", "true"], "is_active": [True, False]}
    for name, good in accepted.items():
        bad = [v for v in JSON_VALUES if not any(v is g for g in good)]
        answers = answers_to_values(client, ada, name, bad)
        assert answers == dict.fromkeys(answers, attribute(name))


@on_one_engine
def test_a_bad_name_is_refused(client, ada):
    controlled = [f"a{character}b" for character in CONTROL_CHARACTERS]
    assert len(controlled) == 65
    answers = answers_to_values(client, ada, "name", BAD_NAMES + controlled)
    assert answers == dict.fromkeys(answers, attribute("name"))


@on_one_engine
def test_a_bad_email_address_is_refused(client, ada):
    answers = answers_to_values(client, ada, "email", BAD_EMAILS)
    assert answers == dict.fromkeys(answers, attribute("email"))


def test_good_values_are_stored_as_they_are(client):
    assert len(GOOD_EMAILS[-2]) == 254
    for email in GOOD_EMAILS:
        assert client.create_user(email)["attributes"]["email"] == email
    assert set(client.emails()) == set(GOOD_EMAILS)
    names = {"a" * 250: "a" * 250, "😀" * 250: "😀" * 250, f"\u3000{'b' * 250} ": "b" * 250}
    for number, (sent, stored) in enumerate(names.items()):
        created = client.create_user(f"name{number}@example.com", name=sent)
        assert created["attributes"]["name"] == stored
        assert client.get(created["links"]["self"]).json["data"] == created


@on_one_engine
def test_an_escaped_surrogate_pair_is_one_character(client):
    body = (
        rb'{"data": {"type": "users", "attributes": {"email": "a@b.com", "name": "\ud83d\ude00"}}}'
    )
    assert client.post(USERS, body=body).json["data"]["attributes"]["name"] == "😀"


def test_a_taken_email_address_is_a_conflict(client, ada):
    other = client.create_user("other@example.com")
    conflict = attribute("email", "already_taken", 409)
    assert answer(client.post(USERS, user(**ADA))) == conflict
    patched = client.patch(other["links"]["self"], user(other["id"], email=ADA["email"], name="X"))
    assert answer(patched) == conflict
    assert client.get(other["links"]["self"]).json["data"] == other
    assert client.delete(other["links"]["self"]).status_int == 204


@on_one_engine
def test_fields_that_cannot_be_written_are_refused_with_escaped_pointers(client, ada):
    attributes = {name: ("unknown_field", name) for name in ("nope", "Name", "email_key", "id")}
    attributes |= {name: ("unknown_field", name) for name in ("type", "", "a\u0000", "é", "0")}
    attributes |= {"a/b": ("unknown_field", "a~1b"), "a~b": ("unknown_field", "a~0b")}
    attributes |= {"~1": ("unknown_field", "~01")}
    for name in ("creation_time", "modification_time"):
        attributes[name] = ("read_only_field", name)
    expected = [(f"/data/attributes/{token}", code) for code, token in attributes.values()]
    expected.append(("/data/relationships/friends", "unknown_field"))
    expected.append(("/data/relationships/role~1x", "unknown_field"))
    document = user(ada.rpartition("/")[2])
    document["data"]["attributes"] = dict.fromkeys(attributes)
    document["data"]["relationships"] = {"friends": {"data": []}, "role/x": {"data": None}}
    assert answer(client.patch(ada, document)) == (422, sorted(expected))
    del document["data"]["id"]
    document["data"]["attributes"] |= {"email": "new@example.com", "name": "New"}
    assert answer(client.post(USERS, document)) == (422, sorted(expected))


@on_one_engine
def test_a_missing_attribute_is_pointed_at_by_the_parent_that_is_there(client, ada):
    missing = "missing_field"
    for data, expected in (
        ({}, [("/data", missing)] * 2),
        ({"attributes": {}}, [("/data/attributes", missing)] * 2),
        ({"attributes": {"is_active": True}}, [("/data/attributes", missing)] * 2),
        ({"attributes": {"name": "New"}}, [("/data/attributes", missing)]),
        ({"attributes": {"email": "new@example.com"}}, [("/data/attributes", missing)]),
    ):
        response = client.post(USERS, {"data": {"type": "users"} | data})
        assert answer(response) == (422, expected)
    named = {error["meta"]["attribute"] for error in client.post(USERS, user()).json["errors"]}
    assert named == {"email", "name"}


@on_one_engine
def test_all_faults_are_reported_at_once(client, ada):
    bad = {"email": "x", "name": " ", "is_active": 1, "nope": 1, "creation_time": 1}
    expected = [
        ("/data/attributes/creation_time", "read_only_field"),
        ("/data/attributes/email", "invalid_value"),
        ("/data/attributes/is_active", "invalid_value"),
        ("/data/attributes/name", "invalid_value"),
        ("/data/attributes/nope", "unknown_field"),
    ]
    response = client.post(USERS, user(**bad))
    assert answer(response) == (422, expected)
    assert answer(client.patch(ada, user(ada.rpartition("/")[2], **bad))) == (422, expected)
    for error in response.json["errors"]:
        assert error["meta"]["attribute"] == error["source"]["pointer"].rpartition("/")[2]
        assert error["meta"]["message"]


@on_one_engine
def test_faults_of_several_statuses_are_answered_with_400(client, ada):
    response = client.post(USERS, user("no UUID", email="x", name="New"))
    expected = [("/data/attributes/email", "invalid_value"), ("/data/id", "client_id_refused")]
    assert answer(response) == (400, expected)
    assert {error["status"] for error in response.json["errors"]} == {"403", "422"}


@on_one_engine
def test_a_good_attribute_beside_a_bad_one_changes_nothing(client, ada):
    response = client.patch(ada, user(ada.rpartition("/")[2], name="Changed", email="x"))
    assert answer(response) == attribute("email")


@on_one_engine
def test_the_number_of_errors_is_bounded(client, ada):
    attributes = {f"unknown-{number}": number for number in range(5000)}
    response = client.post(USERS, user(email="new@example.com", name="New", **attributes))
    assert response.status_int == 422
    assert 1 < len(response.json["errors"]) <= 100


@on_one_engine
def test_members_that_are_not_ours_are_ignored(client):
    data = {
        "@context": {"@id": 1},
        "type": "users",
        "lid": "local",
        "attributes": {"@note": None, "email": "ada@example.com", "name": "Ada"},
        "relationships": {"@note": []},
        "links": 1,
        "meta": [],
        "bar": 2,
    }
    document = {
        "@at": [],
        "foo": 1,
        "errors": 2,
        "jsonapi": {"ext": ["https://example.com/unknown"]},
        "data": data,
    }
    created = client.post(USERS, document)
    assert created.status_int == 201
    members = {"type", "id", "attributes", "relationships", "links", "meta"}
    assert created.json["data"].keys() == members
    assert "@note" not in created.json["data"]["attributes"]
    data["id"] = created.json["data"]["id"]
    assert client.patch(created.location, document).json == created.json


@on_one_engine
def test_a_request_cannot_include_resources(client, ada):
    id = ada.rpartition("/")[2]
    new = user(email="new@example.com", name="New")
    for included in ([], [new["data"]], None, 3):
        for method, url, document in (
            ("POST", USERS, new),
            ("PATCH", ada, user(id, name="Changed")),
            ("PATCH", f"{ada}/relationships/role", {"data": None}),
            ("PATCH", f"{ada}/relationships/groups", {"data": []}),
            ("POST", f"{ada}/relationships/groups", {"data": []}),
            ("DELETE", f"{ada}/relationships/groups", {"data": []}),
        ):
            response = client.request(method, url, document | {"included": included})
            assert answer(response) == (400, [("/included", "malformed_document")])
    both = client.post(USERS, {"included": []})
    assert answer(both) == (400, [("", "malformed_document"), ("/included", "malformed_document")])


@on_one_engine
def test_a_change_outside_of_operations_names_its_resource_by_an_id(client, ada):
    id = ada.rpartition("/")[2]
    data = {"type": "users", "lid": "x", "attributes": {"name": "Changed"}}
    assert answer(client.patch(ada, {"data": data})) == (400, [("/data", "malformed_document")])
    linked = {"data": {"type": "roles", "lid": "x"}}
    role = {"data": {"type": "users", "id": id, "relationships": {"role": linked}}}
    expected = (400, [("/data/relationships/role/data/lid", "unknown_lid")])
    assert answer(client.patch(ada, role)) == expected
    response = client.patch(f"{ada}/relationships/role", linked)
    assert answer(response) == (400, [("/data/lid", "unknown_lid")])


@on_one_engine
def test_text_that_is_no_json_is_told_so_in_the_words_of_the_client(client):
    for body, words in (
        (b'\xef\xbb\xbf{"data": null}', "byte order mark"),
        (b'{"data": 1, "d\\u0061ta": 2}', 'the name "data" twice'),
        # Found in one pass: a comparison of each name with all others would take minutes.
        (MANY_NAMES, 'the name "z" twice'),
        (b'{"data":', "line 1, column 9"),
        (b'{\n"data": x}', "line 2, column 9"),
        (b'{"data": "x', "Unterminated string."),
    ):
        (error,) = client.post(USERS, body=body).json["errors"]
        assert words in error["detail"]
        assert "decode" not in error["detail"]
        assert "utf-8-sig" not in error["detail"]


def test_a_clients_own_id_is_taken_in_any_case(client):
    fresh = str(uuid4())
    created = client.post(USERS, user(fresh.upper(), email="a@b.com", name="A"))
    assert created.status_int == 201
    assert created.json["data"]["id"] == fresh
    assert client.get(f"{USERS}/{fresh}").json == created.json
    assert client.get(f"{USERS}/{fresh.upper()}").json == created.json
    patched = client.patch(created.location, user(fresh.upper(), name="B"))
    assert patched.json["data"]["attributes"]["name"] == "B"
    again = client.post(USERS, user(fresh, email="other@b.com", name="A"))
    assert answer(again) == (409, [("/data/id", "already_taken")])
    assert client.emails() == ["a@b.com"]


def test_every_uuid_is_taken_as_an_id(client):
    ids = [str(UUID(int=0)), str(UUID(int=2**128 - 1))]
    # Every version with every variant, be it one of RFC 9562 or not.
    ids += [
        f"a0187b4d-5120-{v:x}e8f-{w:x}327-26d0356a4152" for v in range(16) for w in (0, 3, 9, 14)
    ]
    for number, id in enumerate(ids):
        response = client.post(USERS, user(id, email=f"{number}@example.com", name="New"))
        assert (id, response.status_int) == (id, 201)
        assert client.get(f"{USERS}/{id}").json == response.json


@on_one_engine
def test_an_id_that_is_no_uuid_is_refused(client, ada):
    fresh = str(uuid4())
    for id in (
        "",
        "1",
        "x" * 1000,
        f"urn:uuid:{fresh}",
        f"{{{fresh}}}",
        fresh.replace("-", ""),
        f" {fresh}",
        f"{fresh}\n",
        f"{fresh}\u0000",
        f"１{fresh[1:]}",
        f"g{fresh[1:]}",
    ):
        created = client.post(USERS, user(id, email="new@example.com", name="New"))
        assert (id, *answer(created)) == (id, 403, [("/data/id", "client_id_refused")])
        changed = client.patch(ada, user(id, name="Changed"))
        assert (id, *answer(changed)) == (id, 409, [("/data/id", "id_conflict")])


@on_one_engine
def test_a_change_must_name_the_resource_of_its_url(client, ada):
    id = ada.rpartition("/")[2]
    other = client.patch(ada, user(str(uuid4()), name="Changed"))
    assert answer(other) == (409, [("/data/id", "id_conflict")])
    assert answer(client.patch(ada, user(name="x"))) == (400, [("/data", "malformed_document")])
    for type in ("roles", "Users", "user", "", "users\u0000"):
        data = {"type": type, "id": id, "attributes": {"name": "Changed"}}
        changed = client.patch(ada, {"data": data})
        assert answer(changed) == (409, [("/data/type", "type_conflict")])
        created = client.post(USERS, {"data": data})
        assert answer(created) == (409, [("/data/type", "type_conflict")])
    missing = str(uuid4())
    assert answer(client.patch(f"{USERS}/{missing}", user(missing, name="Changed"))) == (
        404,
        [("", "not_found")],
    )


def test_a_change_to_the_same_values_changes_nothing(client, ada):
    before = client.get(ada).json
    id = before["data"]["id"]
    for document in (
        {"data": {"type": "users", "id": id}},
        user(id),
        user(id, **ADA),
        user(id, name=" Ada "),
    ):
        response = client.patch(ada, document)
        assert (response.status_int, response.json) == (200, before)
