"""HTTP itself: URLs, methods, media types, header fields, and query strings."""

from io import BytesIO
from json import dumps
from uuid import uuid4

import pytest

from tests.client import MEDIA_TYPE, USERS, sources, user
from tests.engines import on_one_engine

pytestmark = on_one_engine

MT = MEDIA_TYPE

COLLECTION_METHODS = {"GET", "HEAD", "OPTIONS", "POST"}
ITEM_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}


@pytest.fixture
def url(client) -> str:
    """The path of a user."""
    return f"{USERS}/{client.create_user()['id']}"


def chunked(body: bytes) -> dict:
    """The environment of a body without a length, as servers give it that read chunks."""
    return {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}


def refusal(response) -> tuple[int, dict | None, str]:
    """The status, and the source and the code of the only error."""
    assert "errors" in response.json, response
    (error,) = response.json["errors"]
    return response.status_int, error.get("source"), error["code"]


def allowed(response) -> set[str]:
    return set(response.headers["Allow"].split(", "))


def new_user(number: int = 0) -> dict:
    return user(email=f"new{number}@example.com", name="New")


# URLs and methods


def test_every_url_has_a_twin_that_ends_in_json(client, url):
    assert client.get(f"{url}.json").json == client.get(url).json
    assert client.get(f"{USERS}.json?page[size]=1").json == client.get(f"{USERS}?page[size]=1").json
    created = client.post(f"{USERS}.json", new_user())
    assert created.status_int == 201
    assert ".json" not in created.location
    own = created.json
    assert own["links"].pop("describedby").endswith("/openapi.json")
    assert ".json" not in dumps(own)
    id = created.json["data"]["id"]
    assert client.patch(f"{USERS}/{id}.json", user(id, name="Twin")).status_int == 200
    assert client.get(created.location).json["data"]["attributes"]["name"] == "Twin"
    assert client.delete(f"{USERS}/{id}.json").status_int == 204


def test_what_is_at_no_url_is_not_found(client, url):
    id = url.rpartition("/")[2]
    for path in (
        "/nope",
        "/api/v1/nope",
        "/api/v2/users",
        "/API/v1/users",
        f"{USERS}/",
        f"{url}/",
        f"{url}/nope",
        f"{url}/relationships/nope",
        f"/{USERS}",
        "/api//v1/users",
        f"{USERS}//{id}",
        f"{USERS}/../users",
        f"{USERS}/%2e%2e/users",
        f"{USERS}/..%2Fusers",
        f"{USERS}/nope",
        f"{USERS}/1",
        f"{USERS}/{uuid4()}",
        f"{USERS}/{id.replace('-', '')}",
        f"{USERS}/urn:uuid:{id}",
        f"{USERS}/%7B{id}%7D",
        f"{USERS}/%00",
        f"{url}%00",
        f"{url}%20",
        f"{USERS}.jsonx",
        f"{USERS}.JSON",
        f"{USERS}.json.json",
        f"{USERS}.json/{id}",
        f"{USERS}/{'a' * 5000}",
        f"{USERS}/%C3%A9%F0%9F%98%80",
    ):
        response = client.get(path)
        assert (path, *refusal(response)) == (path, 404, None, "not_found")


def test_a_newline_is_not_cut_off_a_url(client, url):
    for path in (USERS, f"{USERS}.json", url, f"{url}.json"):
        response = client.get(f"{path}%0a")
        assert (path, *refusal(response)) == (path, 404, None, "not_found")


def test_a_path_that_is_no_utf_8_is_refused(client, url):
    for path in ("/%ff", f"{USERS}/%ff", f"{url}%C0%AF", f"{USERS}/%ED%A0%80"):
        for method in ("GET", "POST", "PATCH", "DELETE"):
            assert refusal(client.request(method, path)) == (400, None, "bad_request")


def test_head_answers_as_get_does_without_a_body(client, url):
    for path in (USERS, f"{USERS}?sort=-name&page[size]=1", url, f"{url}.json", f"{USERS}?sort=x"):
        headers = {"X-Request-ID": "the-same"}
        got = client.get(path, headers=headers)
        head = client.request("HEAD", path, headers=headers)
        assert head.status_int == got.status_int
        assert dict(head.headers) == dict(got.headers)
        assert head.headers["Content-Length"] == str(len(got.body))
    assert client.request("HEAD", f"{USERS}/{uuid4()}").status_int == 404
    assert client.request("HEAD", USERS, headers={"Accept": "text/html"}).status_int == 406


def test_options_name_the_methods(client, url):
    for path, allow in ((USERS, COLLECTION_METHODS), (url, ITEM_METHODS)):
        for suffix in ("", ".json"):
            for accept in (None, "text/html"):
                response = client.request("OPTIONS", path + suffix, headers={"Accept": accept})
                assert (response.status_int, allowed(response)) == (204, allow)
                assert "Content-Type" not in response.headers
    assert client.request("OPTIONS", "/api/v1/nope").status_int == 404


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")  # that is what is tested
def test_other_methods_are_refused_with_those_that_are_allowed(client, url):
    anything = ("PUT", "TRACE", "CONNECT", "BREW", "get")
    for path, methods, allow in (
        (USERS, ("PATCH", "DELETE", *anything), COLLECTION_METHODS),
        (url, ("POST", *anything), ITEM_METHODS),
        (f"{USERS}/{uuid4()}", ("POST", *anything), ITEM_METHODS),
    ):
        for method in methods:
            for response in (client.request(method, path), client.request(method, path, {})):
                expected = (method, 405, None, "method_not_allowed")
                assert (method, *refusal(response)) == expected
                assert allowed(response) == allow
                assert f"method {method}." in response.json["errors"][0]["detail"]
    assert client.get(url).status_int == 200


# Media types


def test_a_body_may_carry_no_parameters_but_profiles(client):
    for number, content_type in enumerate(
        (
            MT,
            "Application/VND.API+JSON",
            f'{MT}; profile="https://example.com/unknown"',
            f'{MT}; profile="https://example.com/a https://example.com/b"',
            f'{MT} ; PROFILE="https://example.com/unknown"',
            f"{MT};",
            f"{MT} ; ; ",
            f",{MT},",
            f'{MT};profile="https://example.com/a,b;c=\\"d\\"   https://example.com/d"',
            f'{MT};profile="";',
        )
    ):
        response = client.post(USERS, new_user(number), headers={"Content-Type": content_type})
        assert (content_type, response.status_int) == (content_type, 201)
    assert len(client.emails()) == 10


def test_a_body_of_another_media_type_is_refused_with_the_one_that_works(client, url):
    before = client.get(USERS).json
    id = url.rpartition("/")[2]
    for content_type in (
        None,
        "",
        "x",
        "*/*",
        "text/html",
        "text/plain",
        "application/*",
        "application/json",
        "application/vnd.api",
        "application/vnd.api+jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        f"{MT}, {MT}",
        f"{MT}; charset=utf-8",
        f"{MT};; charset=utf-8;",
        f'{MT}; profile="a"; PROFILE="b"',
        f'{MT}; profile="a" profile="b"',
        f"{MT}; profile=https://example.com/p",
        f"{MT}, x",
        ",",
        ";",
        f"{MT}; charset",
        f"{MT}; version=1",
        f"{MT}; q=1",
        f"{MT}; q=0.5; charset=utf-8",
        f'{MT}; profile="https://example.com/p"; v=1',
        f'{MT}; ext="https://example.com/unknown"',
        f'{MT}; ext="https://jsonapi.org/ext/atomic"',
        f'{MT}; ext="https://jsonapi.org/ext/atomic https://example.com/unknown"',
        f"{MT}; ext=",
        f'{MT}; ext="',
        f'{MT}; profile="',
        "\xff/\xff",
        ";" * 5000,
    ):
        headers = {"Content-Type": content_type}
        for response in (
            client.post(USERS, new_user(), headers=headers),
            client.patch(url, user(id, name="Changed"), headers=headers),
        ):
            expected = (content_type, 415, {"header": "Content-Type"}, "unsupported_media_type")
            assert (content_type, *refusal(response)) == expected
            assert response.headers["Accept"] == MT
    assert client.get(USERS).json == before


def test_a_body_without_a_length_needs_its_media_type_as_well(client):
    environ = chunked(dumps(new_user()).encode())
    expected = (415, {"header": "Content-Type"}, "unsupported_media_type")
    assert refusal(client.post(USERS, environ=environ)) == expected
    assert client.emails() == []


def test_a_request_without_a_body_is_told_so_whatever_its_header_fields_are(client, url):
    groups = f"{url}/relationships/groups"
    environs = ({}, {"CONTENT_LENGTH": "0"}, {"CONTENT_LENGTH": ""}, chunked(b""))
    fields = ({}, {"Content-Type": MT}, {"Content-Type": "x"}, {"Content-Encoding": "x"})
    for method, path in (
        ("POST", USERS),
        ("PATCH", url),
        ("PATCH", groups),
        ("POST", groups),
        ("DELETE", groups),
    ):
        for environ in environs:
            for sent in fields:
                response = client.request(method, path, headers=sent, environ=environ)
                assert refusal(response) == (400, None, "malformed_document")
                assert response.json["errors"][0]["detail"] == "The request has no body."
    extension = f'{MT};ext="https://jsonapi.org/ext/atomic"'
    for environ in environs:
        for sent in ({}, {"Content-Type": extension}):
            headers = {"Accept": extension} | sent
            response = client.post("/api/v1/operations", headers=headers, environ=environ)
            assert refusal(response) == (400, None, "malformed_document")


def test_an_encoded_body_is_refused_with_what_works(client, url):
    """RFC 9110 §12.5.3, §15.5.16: `Accept-Encoding`, and not `Accept`."""
    id = url.rpartition("/")[2]
    expected = (415, {"header": "Content-Encoding"}, "unsupported_media_type")
    for coding in ("gzip", "GZIP", "br", "aes128gcm", "identity, gzip", ", gzip", "x y"):
        headers = {"Content-Encoding": coding}
        for response in (
            client.post(USERS, new_user(), headers=headers),
            client.patch(url, user(id, name="Changed"), headers=headers),
            client.post(f"{url}/relationships/groups", {"data": []}, headers=headers),
            client.delete(url, body=b"x", headers=headers),
            client.request("GET", url, body=b"x", headers=headers),
        ):
            assert refusal(response) == expected
            assert response.headers["Accept-Encoding"] == "identity"
            assert "Accept" not in response.headers
    for number, coding in enumerate(("", "identity", "Identity, ,")):
        response = client.post(USERS, new_user(number), headers={"Content-Encoding": coding})
        assert response.status_int == 201
    assert client.get(url, headers={"Content-Encoding": "gzip"}).status_int == 200
    assert client.delete(url, headers={"Content-Encoding": "gzip"}).status_int == 204


def test_a_url_names_the_documents_that_it_takes(client, url):
    """`Accept-Patch` (RFC 5789 §3.1) and `Accept-Post`, with OPTIONS and with 415."""
    extension = f'{MT};ext="https://jsonapi.org/ext/atomic"'
    for path, patch, post in (
        (USERS, None, MT),
        (url, MT, None),
        (f"{url}.json", MT, None),
        (f"{url}/role", None, None),
        (f"{url}/relationships/role", MT, None),
        (f"{url}/relationships/groups", MT, MT),
        ("/api/v1/operations", None, extension),
        ("/api/v1", None, None),
        ("/livez", None, None),
    ):
        answers = [client.request("OPTIONS", path)]
        if patch or post:
            method = "PATCH" if patch else "POST"
            refused = client.request(method, path, {}, headers={"Content-Type": "text/html"})
            assert refused.status_int == 415
            assert refused.headers["Accept"] == patch or post
            answers.append(refused)
        for response in answers:
            found = [response.headers.get(f"Accept-{name}") for name in ("Patch", "Post")]
            assert (path, found) == (path, [patch, post])


def test_where_no_body_is_needed_its_type_does_not_matter(client, url):
    for content_type in (None, "text/html", f"{MT}; charset=utf-8"):
        for path in (USERS, url):
            assert client.get(path, headers={"Content-Type": content_type}).status_int == 200
    # Some clients send a body with every DELETE.
    for body in (b'{"data": null}', b"{", b"\xff"):
        other = client.create_user("other@example.com")["links"]["self"]
        assert client.delete(other, body=body).status_int == 204
        assert client.get(other).status_int == 404


def test_what_accepts_the_media_type_is_served_with_it(client, url):
    for accept in (
        None,
        "",
        "*/*",
        "*/*;q=0.1",
        "application/*",
        "application/json",
        "application/json; charset=utf-8",
        MT,
        f"{MT};q=0.8",
        f"text/html, {MT}",
        "text/html, */*;q=0.1",
        f"{MT}; v=1, {MT}",
        f'{MT}; ext="https://example.com/u1", {MT}',
        f'{MT};q=0.5, {MT};profile="https://example.com/p";q=0.9',
        f'{MT}; profile="https://example.com/unknown"',
        'Application/VND.API+JSON ; PROFILE="https://example.com/p"',
        f"application/*;q=0, {MT}",
        f"*/*;q=0, {MT}",
        f", ,{MT},",
        "a/b," * 1000 + MT,
        # Empty elements and parameters do no harm, and what cannot be read is skipped.
        ",",
        " , , ",
        f"{MT};",
        f'{MT} ;; ; profile="https://example.com/p" ;',
        f",{MT}",
        f"x, {MT}",
        f";, {MT};=;, {MT}",
        f"{MT};q=2, {MT}",
        f"{MT};q=x, */*;q=0.1",
        f'{MT};profile="https://example.com/a,b;c=\\"d\\""',
        f'text/html;x="a, b", {MT}',
        f"{MT};q=0;q=1, {MT};q=0.001",
        f"{MT};Q=1.000",
        f"{MT}\t;\tq=0.5",
        # As Java's HttpURLConnection sends it.
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    ):
        for path in (USERS, url):
            response = client.get(path, headers={"Accept": accept})
            assert (accept, response.status_int) == (accept, 200)
            assert response.headers["Content-Type"] == MT


def test_what_does_not_accept_the_media_type_is_told_so_in_it(client, url):
    before = client.get(USERS).json
    for accept in (
        "text/html",
        "text/*",
        "*/*;q=0",
        f"{MT};q=0",
        f"{MT}; charset=utf-8",
        f"{MT}; v=1, {MT}; charset=x",
        f'{MT}; ext="https://example.com/u1", {MT}; ext="https://example.com/u2"',
        f'{MT}; v=1, {MT}; ext="https://example.com/u"',
        f'{MT}; ext="https://jsonapi.org/ext/atomic"',
        f"{MT}; profile=",
        f'{MT}; profile="',
        f"{MT};q=2",
        f"{MT};q=x",
        f"{MT};q=0.000",
        f"{MT};Q=0",
        f"{MT};q=-1",
        f"{MT};q=0.5;charset=utf-8",
        f"{MT};q=0.1234, text/html",
        f'{MT};profile="a";profile="b"',
        f'{MT};v="x, {MT}',
        f"{MT} profile=x",
        f"{MT};profile = x",
        ";",
        "/",
        f"x, ,{MT};=",
        "*",
        "*/json",
        "x",
        "\xff/\xff",
    ):
        headers = {"Accept": accept}
        for response in (
            client.get(url, headers=headers),
            client.post(USERS, new_user(), headers=headers),
            client.patch(url, new_user(), headers=headers),
            client.delete(url, headers=headers),
        ):
            expected = (accept, 406, {"header": "Accept"}, "not_acceptable")
            assert (accept, *refusal(response)) == expected
    assert client.get(USERS).json == before


def test_the_media_type_by_its_name_outweighs_a_wildcard(client, url):
    for accept in (
        f"{MT}; charset=utf-8, */*",
        f'application/*, {MT}; ext="https://example.com/unknown"',
        f"{MT};q=0, */*",
        "application/*;q=0, */*",
    ):
        response = client.get(url, headers={"Accept": accept})
        expected = (accept, 406, {"header": "Accept"}, "not_acceptable")
        assert (accept, *refusal(response)) == expected


def test_a_document_does_not_negotiate(client):
    document = new_user() | {"jsonapi": {"version": "9", "ext": ["x"], "profile": ["y"]}}
    assert client.post(USERS, document).status_int == 201


# Header fields


def test_every_answer_says_how_it_was_made(client, url):
    big = b" " * (1 << 20) + b" "
    for response, status in (
        (client.get(USERS), 200),
        (client.post(USERS, new_user()), 201),
        (client.request("OPTIONS", USERS), 204),
        (client.get(f"{USERS}?nope=1"), 400),
        (client.get("/nope"), 404),
        (client.request("PUT", USERS), 405),
        (client.get(USERS, headers={"Accept": "text/html"}), 406),
        (client.post(USERS, new_user()), 409),
        (client.post(USERS, body=big), 413),
        (client.get(f"{USERS}?sort={'a' * 20_000}"), 414),
        (client.post(USERS, body=b"{}", headers={"Content-Type": "text/html"}), 415),
        (client.post(USERS, user()), 422),
        (client.delete(url), 204),
    ):
        assert response.status_int == status
        assert "Accept" in response.headers["Vary"]
        assert response.headers["X-Request-ID"]
        assert response.headers["Cache-Control"] == ("no-store" if status >= 400 else "no-cache")
        if status != 204:
            assert response.headers["Content-Type"] == MT


def test_a_request_id_is_given_back_if_it_is_harmless(client):
    for path in (USERS, "/nope"):
        for given in ("0", "a.b_c-D", "x" * 128):
            headers = {"X-Request-ID": given}
            assert client.get(path, headers=headers).headers["X-Request-ID"] == given
        for given in ("", "a b", "x" * 129, "é", "<script>", "a\x7f", "a,b"):
            answers = [client.get(path, headers={"X-Request-ID": given}) for _ in range(2)]
            made = {answer.headers["X-Request-ID"] for answer in answers}
            assert len(made) == 2
            assert given not in made


def test_a_request_with_a_host_that_is_none_stores_nothing(client):
    for number, host in enumerate(
        (
            "",
            ":",
            ":80",
            "::",
            "[::1",
            "[::1]:80",
            "x:abc",
            "x:99999",
            "a b",
            "a\tb",
            "a,b",
            "a/b?c#d",
            "user:secret@example.com",
            "%00",
            "%ff",
            "\xff",
            "é.example",
            "xn--",
            "<script>",
            "a" * 5000,
        )
    ):
        headers = {"Host": host}
        expected = (201, 200, 404) if host in ("[::1]:80", "xn--") else (400, 400, 400)
        created = client.post(USERS, new_user(number), headers=headers)
        listed, absent = (client.get(path, headers=headers) for path in (USERS, "/nope"))
        found = created.status_int, listed.status_int, absent.status_int
        assert (host, found) == (host, expected)
    assert len(client.emails()) == 2


# Sizes


def test_a_body_over_the_limit_is_refused(client, service, url):
    limit = service.app.registry["settings"].max_body_size
    before = client.get(USERS).json
    body = dumps(new_user()).encode().ljust(limit)
    for method, path in (("POST", USERS), ("PATCH", url)):
        for options in (
            {"body": body + b" "},
            {"environ": chunked(body + b" "), "headers": {"Content-Type": MT}},
        ):
            assert refusal(client.request(method, path, **options)) == (413, None, "body_too_large")
    assert client.get(USERS).json == before


def test_a_body_at_the_limit_is_taken(client, service):
    limit = service.app.registry["settings"].max_body_size
    bodies = [dumps(new_user(number)).encode().ljust(limit) for number in range(2)]
    assert client.post(USERS, body=bodies[0]).status_int == 201
    options = {"environ": chunked(bodies[1]), "headers": {"Content-Type": MT}}
    assert client.post(USERS, **options).status_int == 201


def test_a_url_over_the_limit_is_refused(client, url):
    query = "?sort=" + "a" * 20_000
    for response in (
        client.get(USERS + query),
        client.get(url + query),
        client.post(USERS + query, new_user()),
        client.patch(url + query, user(url.rpartition("/")[2], name="Changed")),
        client.delete(url + query),
    ):
        assert refusal(response) == (414, None, "url_too_long")
    assert client.get(url).json["data"]["attributes"]["name"] == "Ada"


# Query strings


def test_what_cannot_be_decoded_is_refused(client):
    for query, name in {
        "sort=%": "sort",
        "sort=%f": "sort",
        "sort=%zz": "sort",
        "sort=%ff": "sort",
        "sort=%C0%AF": "sort",
        "sort=%ED%A0%80": "sort",
        "sort=\xff": "sort",
        "page[size]=5&page[after]=%ff": "page[after]",
        "page%5Bsize%5D=%ff": "page[size]",
        "%ff=1": None,
        "%=1": None,
        "%zz": None,
        "\xff=1": None,
    }.items():
        source = {"parameter": name} if name else None
        response = client.get(f"{USERS}?{query}")
        assert (query, *refusal(response)) == (query, 400, source, "invalid_parameter")
        assert "more than" not in response.json["errors"][0]["detail"]


def test_bad_values_are_refused_by_the_name_of_their_parameter(client):
    page_numbers = (
        "1" + "0" * 20,
        "-1",
        "abc",
        "%00",
        "5%00",
        "0",
        "000",
        "%2B5",
        "+5",
        "%205",
        "5+",
    )
    page_numbers += ("", "1.0", "1e3", "0x1", "1_0", "5%0a", "%D9%A5", "%EF%BC%95", "%C2%B2")
    sorts = ("", "nope", "NAME", "email_key", "%00", "name%00", "%2Bname", "+name", "name+", "-")
    sorts += (
        "--name",
        "name,,email",
        ",name",
        "name,",
        "name,name",
        "name,-name",
        "role.name",
        "é",
    )
    for name, values in {
        "page[size]": page_numbers[1:],
        "page[number]": (*page_numbers, "2147483649"),
        "page[total]": ("", "1", "TRUE", "yes", "%00"),
        "page[offset]": [number for number in page_numbers if number not in ("0", "000")],
        "sort": sorts,
    }.items():
        for value in values:
            query = f"{name}={value}".encode().decode("latin-1")
            response = client.get(f"{USERS}?{query}")
            assert (query, response.status_int) == (query, 400)
            assert {*sources(response)} == {(name, "invalid_parameter")}


def test_a_page_size_is_told_of_the_parameter_that_was_sent(client):
    for query, words in {
        "page[size]=5&page[limit]=5": "Cannot be combined with page[limit].",
        "page[size]=5&page[offset]=5": "Cannot be combined with page[offset]; use page[limit].",
        "page[size]=5&page[offset]=5&page[limit]=5": "Cannot be combined with page[limit].",
    }.items():
        (error,) = client.get(f"{USERS}?{query}").json["errors"]
        assert (error["source"], error["detail"]) == ({"parameter": "page[size]"}, words)


def test_a_page_that_is_too_large_is_refused_by_a_code_of_its_own(client):
    for name in ("page[size]", "page[limit]"):
        for size in ("1001", "1" + "0" * 20):
            response = client.get(f"{USERS}?{name}={size}")
            assert refusal(response) == (400, {"parameter": name}, "page_too_large")


def test_leading_zeros_do_not_matter(client):
    for number in range(8):
        client.create_user(f"user{number}@example.com")
    assert len(client.get(f"{USERS}?page[size]=007").json["data"]) == 7
    assert len(client.get(f"{USERS}?page[number]=002&page[size]=007").json["data"]) == 1
    assert client.get(f"{USERS}?page[number]=2147483648&page[size]=1000").json["data"] == []


def test_unknown_parameters_are_refused_everywhere(client, url):
    id = url.rpartition("/")[2]
    for query, name in {
        "foo=1": "foo",
        "fooBar=1": "fooBar",
        "_x": "_x",
        "x+y=1": "x y",
        "=1": "",
        "%00=1": "\0",
        "%C3%A9=1": "é",
        "page=1": "page",
        "page[]=1": "page[]",
        "page[foo]=1": "page[foo]",
        "page[SIZE]=1": "page[SIZE]",
        "page[size": "page[size",
        "page[size][]=1": "page[size][]",
        "fields=name": "fields",
        "SORT=name": "SORT",
    }.items():
        for response in (
            client.get(f"{USERS}?{query}"),
            client.get(f"{url}?{query}"),
            client.post(f"{USERS}?{query}", new_user()),
            client.patch(f"{url}?{query}", user(id, name="Changed")),
            client.delete(f"{url}?{query}"),
        ):
            expected = (query, 400, {"parameter": name}, "unsupported_parameter")
            assert (query, *refusal(response)) == expected
    for query in ("sort=name", "page[size]=1", "page[number]=1"):
        expected = (400, {"parameter": query.partition("=")[0]}, "unsupported_parameter")
        assert refusal(client.get(f"{url}?{query}")) == expected
        assert refusal(client.post(f"{USERS}?{query}", new_user())) == expected
    assert client.emails() == ["ada@example.com"]
    assert client.get(url).json["data"]["attributes"]["name"] == "Ada"


def test_a_repeated_parameter_is_refused(client):
    for query, name in {
        "sort=name&sort=name": "sort",
        "sort=name&s%6Frt=email": "sort",
        "page[size]=1&page%5Bsize%5D=1": "page[size]",
        "sort=name&page[size]=1&page[size]=2": "page[size]",
    }.items():
        expected = (query, 400, {"parameter": name}, "invalid_parameter")
        assert (query, *refusal(client.get(f"{USERS}?{query}"))) == expected


def test_faults_of_several_parameters_are_reported_at_once(client):
    response = client.get(f"{USERS}?page[size]=0&foo=1&sort=nope,,name")
    assert response.status_int == 400
    assert {name for name, _ in sources(response)} == {"page[size]", "foo", "sort"}


def test_the_number_of_parameters_is_bounded(client):
    many = "&".join(f"a{number}=1" for number in range(1000))
    for query, source in ((many, None), ("a=1&" * 1000, {"parameter": "a"})):
        assert refusal(client.get(f"{USERS}?{query}")) == (400, source, "invalid_parameter")
