"""Rows FS of the checklist: which fields of each type a document shows."""

import pytest

from tests.client import user
from tests.conformance.world import GROUPS, USERS, error, statements
from tests.engines import on_one_engine
from tests.further import further_relationships

pytestmark = on_one_engine

ALWAYS = {"type", "id", "links", "meta"}
ATTRIBUTES = {
    *("email", "name", "is_active", "verification_time"),
    *("creation_time", "modification_time"),
}


def shown(resource: dict) -> set[str]:
    """The fields that a resource object has."""
    return {*resource.get("attributes", ()), *resource.get("relationships", ())}


@pytest.mark.conformance("FS-01", "FS-02", "FS-03", "FS-06")
@pytest.mark.parametrize(
    ("names", "members"),
    [
        ("name", {"attributes"}),
        ("name,email", {"attributes"}),
        ("groups", {"relationships"}),
        ("groups,name", {"attributes", "relationships"}),
        ("name,name", {"attributes"}),
        ("", set()),
    ],
)
def test_only_the_fields_that_are_named_are_shown(world, names, members):
    for url in (USERS, f"{USERS}/{world.joiner}", f"{GROUPS}/{world.empty_group}/members"):
        document = world.client.get(f"{url}?fields[users]={names}").json
        data = document["data"] if isinstance(document["data"], list) else [document["data"]]
        for resource in data:
            assert shown(resource) == set(filter(None, names.split(",")))
            assert resource.keys() == ALWAYS | members
            assert resource["links"]["self"].endswith(f"{USERS}/{resource['id']}")


@pytest.mark.conformance("FS-04", "FS-05")
def test_fields_of_a_type_count_wherever_it_is_and_for_no_other(world):
    url = f"{USERS}?include=groups.members,role&page[size]=1000"
    document = world.client.get(f"{url}&fields[groups]=name").json
    groups = [item for item in document["included"] if item["type"] == "groups"]
    roles = [item for item in document["included"] if item["type"] == "roles"]
    assert groups
    assert all(shown(item) == {"name"} for item in groups)
    every = ATTRIBUTES | {"role", "groups"} | further_relationships("users")
    assert all(shown(item) == every for item in document["data"])
    assert roles
    assert all("permissions" in shown(item) for item in roles)
    url = f"{USERS}/{world.joiner}?include=groups.members&fields[users]=email"
    document = world.client.get(url).json
    users = [item for item in document["included"] if item["type"] == "users"]
    assert users
    assert all(shown(item) == {"email"} for item in [document["data"], *users])


@pytest.mark.conformance("FS-07", "QP-12")
def test_writes_and_related_resources_show_the_fields_that_are_named(world):
    query = "fields[users]=name"
    created = world.client.post(f"{USERS}?{query}", user(email="a@example.com", name="A"))
    assert created.status_int == 201
    assert shown(created.json["data"]) == {"name"}
    own, id = created.json["data"]["links"]["self"], created.json["data"]["id"]
    changed = world.client.patch(f"{own}?{query}", user(id, email="b@example.com"))
    assert changed.status_int == 200
    assert shown(changed.json["data"]) == {"name"}
    group = sorted(world.groups_of(world.joiner))[0]
    related = world.client.get(f"{GROUPS}/{group}/members?{query}").json["data"]
    assert related
    assert all(shown(resource) == {"name"} for resource in related)


@pytest.mark.conformance("FS-07")
def test_a_fieldset_may_name_what_is_always_shown(world):
    group = sorted(world.groups_of(world.joiner))[0]
    for url in (USERS, f"{USERS}/{world.joiner}", f"{GROUPS}/{group}/relationships/members"):
        for names, expected in (
            ("id,name", {"name"}),
            ("type,email,id", {"email"}),
            ("id", set()),
            ("type,id", set()),
        ):
            include = "&include=members" if "relationships" in url else ""
            document = world.client.get(f"{url}?fields[users]={names}{include}").json
            shows = document.get("included", document["data"])
            for item in shows if isinstance(shows, list) else [shows]:
                assert (shown(item), {*item} - ALWAYS - {"attributes"}) == (expected, set())


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        pytest.param("fields[users]=nope", "fields[users]", marks=pytest.mark.conformance("FS-08")),
        pytest.param(
            "fields[users]=name,", "fields[users]", marks=pytest.mark.conformance("FS-08")
        ),
        pytest.param("fields[users]=Name", "fields[users]", marks=pytest.mark.conformance("FS-08")),
        pytest.param("fields[users]=meta", "fields[users]", marks=pytest.mark.conformance("FS-08")),
        pytest.param(
            "fields[groups]=email", "fields[groups]", marks=pytest.mark.conformance("FS-08")
        ),
        pytest.param("fields[nope]=x", "fields[nope]", marks=pytest.mark.conformance("FS-09")),
        pytest.param("fields[nope]=", "fields[nope]", marks=pytest.mark.conformance("FS-09")),
        pytest.param("fields[user]=name", "fields[user]", marks=pytest.mark.conformance("FS-09")),
        pytest.param("fields=name", "fields", marks=pytest.mark.conformance("FS-10")),
        pytest.param("fields=", "fields", marks=pytest.mark.conformance("FS-10")),
        pytest.param("fields[]=name", "fields[]", marks=pytest.mark.conformance("FS-10")),
        pytest.param("fields[users=name", "fields[users", marks=pytest.mark.conformance("FS-10")),
    ],
)
def test_a_fieldset_of_what_there_is_not_is_refused(world, query, parameter):
    for url in (USERS, f"{USERS}/{world.joiner}"):
        assert error(world.client.get(f"{url}?{query}")) == (400, parameter)


@pytest.mark.conformance("FS-11", "QP-09")
def test_brackets_are_the_same_with_and_without_escapes(world):
    raw = world.client.get(f"{USERS}?fields[users]=name&page[size]=3")
    encoded = world.client.get(f"{USERS}?fields%5Busers%5D=name&page%5bsize%5d=3")
    assert raw.status_int == 200
    assert raw.body == encoded.body


@pytest.mark.conformance("FS-12")
def test_columns_that_are_not_shown_are_not_loaded(world, service):
    for url in (USERS, f"{USERS}/{world.joiner}"):
        with statements(service.app) as everything:
            world.client.get(url)
        with statements(service.app) as sparse:
            world.client.get(f"{url}?fields[users]=name")
        assert "email" in "".join(everything)
        assert "name" in "".join(sparse)
        assert not any(column in "".join(sparse) for column in ("email", "is_active", "_time"))
