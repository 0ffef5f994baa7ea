"""Rows LK, JO and MN of the checklist: links, the jsonapi object, and the names of members."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.client import user
from tests.conformance.structure import is_absolute
from tests.conformance.world import DESCRIPTION, GROUPS, USERS, error, links_in, walk
from tests.engines import on_one_engine

pytestmark = on_one_engine


@pytest.mark.conformance("LK-10")
@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({"HTTP_HOST": "api.example.com"}, "http://api.example.com/api/v1/"),
        ({"HTTP_HOST": "api.example.com:8080"}, "http://api.example.com:8080/api/v1/"),
        ({"HTTP_HOST": "x.org", "wsgi.url_scheme": "https"}, "https://x.org/api/v1/"),
        ({"HTTP_HOST": "x.org", "SCRIPT_NAME": "/prefix"}, "http://x.org/prefix/api/v1/"),
    ],
)
def test_links_lead_to_the_public_base(world, environ, base):
    response = world.client.get(f"{USERS}?page[size]=1&include=groups", environ=environ)
    links = list(links_in(response.json))
    assert links
    assert all(is_absolute(link) and link.startswith(base) for link in links)


@pytest.mark.conformance("LK-10")
def test_forwarded_headers_of_just_anybody_are_ignored(world):
    expected = world.client.get(USERS).body
    forwarded = {
        "X-Forwarded-Host": "evil.example.com",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example.com;proto=https",
    }
    assert world.client.get(USERS, headers=forwarded).body == expected


@pytest.mark.conformance("LK-11")
def test_links_escape_what_is_reserved(world):
    query = {"filter[name][contains]": "&=+#%é[ ]", "page[size]": "2", "sort": "-name,id"}
    url = f"{USERS}?filter[name][contains]=%26%3D%2B%23%25%C3%A9[+]&page[size]=2&sort=-name,id"
    link = world.client.get(url).json["links"]["self"]
    assert "filter%5Bname%5D%5Bcontains%5D=%26%3D%2B%23%25%C3%A9%5B%20%5D" in link
    assert "page%5Bsize%5D=2" in link
    assert dict(parse_qsl(urlsplit(link).query, strict_parsing=True)) == query


@pytest.mark.conformance("LK-11", "PG-06")
def test_the_links_of_pages_can_be_parsed(world):
    for document in walk(world.client, f"{USERS}?page[size]=9&sort=-name", "next"):
        links = {name: link for name, link in document["links"].items() if link is not None}
        assert not set('[]"<> {}|\\^`') & set("".join(links.values()))
        assert links.pop("describedby") == f"http://localhost{DESCRIPTION}"
        for link in links.values():
            query = dict(parse_qsl(urlsplit(link).query, strict_parsing=True))
            assert (query["page[size]"], query["sort"]) == ("9", "-name")


@pytest.mark.conformance("JO-01", "JO-02")
def test_every_document_says_the_version(world):
    responses = [
        world.client.get(USERS),
        world.client.get(f"{USERS}/nope"),
        world.client.post(USERS, user(email="a@example.com", name="A")),
        world.client.get(f"{USERS}/{world.joiner}/relationships/groups"),
    ]
    assert [response.json["jsonapi"] for response in responses] == [{"version": "1.1"}] * 4


@pytest.mark.conformance("MN-01")
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sort=Name", "sort"),
        ("fields[users]=NAME", "fields[users]"),
        ("fields[Users]=name", "fields[Users]"),
        ("filter[Name]=x", "filter[Name]"),
        ("Sort=name", "Sort"),
    ],
)
def test_names_are_compared_with_their_case(client, query, parameter):
    assert error(client.get(f"{USERS}?{query}")) == (400, parameter)


@pytest.mark.conformance("MN-01")
def test_members_of_another_case_are_other_members(client):
    document = {"DATA": None} | user(email="a@example.com", name="A")
    document["data"] |= {"Type": "groups", "ID": "x", "Attributes": {"name": "B"}}
    created = client.post(USERS, document)
    assert (created.status_int, created.json["data"]["attributes"]["name"]) == (201, "A")
    assert error(client.post(USERS, {"Data": document["data"]})) == (400, "")


@pytest.mark.conformance("MN-07")
def test_at_members_are_ignored_wherever_they_are(world):
    context = {"@context": "https://schema.org", "@type": 1, "@": None}
    group = {"type": "groups", "id": world.empty_group} | context
    data = user(email="a@example.com", name="A")["data"] | context
    data["attributes"] |= context
    data["relationships"] = {"groups": {"data": [group]} | context} | context
    created = world.client.post(f"{USERS}?include=groups", {"data": data} | context)
    assert created.status_int == 201
    assert "@" not in created.text.replace("a@example.com", "")
    shown = created.json["data"]
    assert shown["relationships"]["groups"]["data"] == [{"type": "groups", "id": group["id"]}]
    change = {"type": "users", "id": shown["id"], "attributes": context} | context
    assert world.client.patch(shown["links"]["self"], {"data": change}).status_int == 200
    linkage = f"{GROUPS}/{world.empty_group}/relationships/members"
    member = {"type": "users", "id": world.loner} | context
    assert world.client.post(linkage, {"data": [member]} | context).status_int == 204
    assert {"type": "users", "id": world.loner} in world.client.get(linkage).json["data"]


@pytest.mark.conformance("MN-07", "RO-24")
def test_an_at_member_stands_for_no_other(client):
    data = {"@type": "users", "attributes": {"email": "a@example.com", "name": "A"}}
    assert error(client.post(USERS, {"data": data})) == (400, "/data")
    assert error(client.post(USERS, {"@data": data})) == (400, "")


@pytest.mark.conformance("MN-10", "JO-03", "JO-04")
def test_members_of_an_extension_are_not_emitted_where_it_is_not_applied(world):
    for url in (USERS, f"{USERS}/{world.joiner}?include=groups", f"{USERS}/nope"):
        document = world.client.get(url).json
        assert not any(":" in name for name in document)
        assert document["jsonapi"].keys() == {"version"}
