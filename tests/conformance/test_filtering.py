"""Rows FI of the checklist: which resources a filter finds, and which filters are refused."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.client import Client, sources
from tests.conformance.documents import resource
from tests.conformance.world import GROUPS, USERS, error
from tests.engines import on_one_engine

MOMENT = datetime(2024, 2, 29, 23, 59, 59, 999_995, tzinfo=UTC)
INSTANT = "2024-02-29T23:59:59.999995Z"


def found(client: Client, collection: str, *filters: str) -> list[str]:
    """The ids that filters find, in order: one that comes twice shows here."""
    query = "&".join(quote(filter, safe="=,'()[]") for filter in filters)
    response = client.get(f"{collection}?page[size]=1000&{query}")
    assert response.status_int == 200, response.text
    return sorted(resource["id"] for resource in response.json["data"])


def where(rows: dict, holds) -> list[str]:
    """The ids of rows of which a condition holds; a test needs one of either kind."""
    ids = sorted(id for id, row in rows.items() if holds(row))
    assert 0 < len(ids) < len(rows)
    return ids


OPERATORS = {
    "filter[name]=Ada": lambda u: u["name"] == "Ada",
    "filter[name][eq]=Ada": lambda u: u["name"] == "Ada",
    "filter[name][ne]=Ada": lambda u: u["name"] != "Ada",
    "filter[name][lt]=b": lambda u: u["name"] < "b",
    "filter[name][le]=bob": lambda u: u["name"] <= "bob",
    "filter[name][gt]=bob": lambda u: u["name"] > "bob",
    "filter[name][ge]=bob": lambda u: u["name"] >= "bob",
    "filter[name][in]=Ada,ada": lambda u: u["name"] in ("Ada", "ada"),
    "filter[name][nin]=Ada,ada": lambda u: u["name"] not in ("Ada", "ada"),
    "filter[name][contains]=o": lambda u: "o" in u["name"],
    "filter[name][contains]=Z": lambda u: "Z" in u["name"],
    "filter[name][icontains]=ÉD": lambda u: "éd" in u["name"].lower(),
    "filter[name][icontains]=z": lambda u: "z" in u["name"].lower(),
    "filter[name][startswith]=Z": lambda u: u["name"].startswith("Z"),
    "filter[name][endswith]=e": lambda u: u["name"].endswith("e"),
    "filter[name]=😀": lambda u: u["name"] == "😀",
    "filter[is_active]=true": lambda u: u["is_active"],
    "filter[is_active][ne]=true": lambda u: not u["is_active"],
    f"filter[creation_time][gt]={INSTANT}": lambda u: u["creation_time"] > MOMENT,
    f"filter[creation_time][le]={INSTANT}": lambda u: u["creation_time"] <= MOMENT,
    f"filter[creation_time]={INSTANT}": lambda u: u["creation_time"] == MOMENT,
    "filter[role][isnull]=true": lambda u: u["role_id"] is None,
    "filter[role][isnull]=false": lambda u: u["role_id"] is not None,
    "filter=equals(name,'Ada')": lambda u: u["name"] == "Ada",
    "filter=not(equals(name,'Ada'))": lambda u: u["name"] != "Ada",
    "filter=lessThan(name,'b')": lambda u: u["name"] < "b",
    "filter=lessOrEqual(name,'bob')": lambda u: u["name"] <= "bob",
    "filter=greaterThan(name,'bob')": lambda u: u["name"] > "bob",
    "filter=greaterOrEqual(name,'bob')": lambda u: u["name"] >= "bob",
    "filter=any(name,'Ada','ada')": lambda u: u["name"] in ("Ada", "ada"),
    "filter=contains(name,'o')": lambda u: "o" in u["name"],
    "filter=icontains(name,'ÉD')": lambda u: "éd" in u["name"].lower(),
    "filter=startsWith(name,'Z')": lambda u: u["name"].startswith("Z"),
    "filter=endsWith(name,'e')": lambda u: u["name"].endswith("e"),
    "filter=equals(role,null)": lambda u: u["role_id"] is None,
    "filter=and(equals(is_active,'true'),startsWith(name,'Z'))": lambda u: (
        u["is_active"] and u["name"].startswith("Z")
    ),
    "filter=or(equals(name,'bob'),not(has(role)))": lambda u: (
        u["name"] == "bob" or u["role_id"] is None
    ),
}

NULLS = {
    "filter[description][isnull]=true": lambda g: g["description"] is None,
    "filter[description][isnull]=false": lambda g: g["description"] is not None,
    "filter[description][ne]=a": lambda g: g["description"] != "a",
    "filter[description][nin]=a,z": lambda g: g["description"] not in ("a", "z"),
    "filter[description][lt]=a": lambda g: (g["description"] or "z") < "a",
    "filter[description][ge]=Z": lambda g: (g["description"] or "") >= "Z",
    "filter=not(lessThan(description,'a'))": lambda g: (g["description"] or "z") >= "a",
    "filter=equals(description,null)": lambda g: g["description"] is None,
    "filter=not(equals(description,null))": lambda g: g["description"] is not None,
}


@pytest.mark.conformance("FI-01", "FI-09")
def test_every_operator_finds_what_it_says(world):
    for filter, holds in OPERATORS.items():
        assert found(world.client, USERS, filter) == where(world.users, holds), filter


@pytest.mark.conformance("FI-09")
def test_null_equals_nothing_and_is_neither_less_nor_greater(world):
    for filter, holds in NULLS.items():
        assert found(world.client, GROUPS, filter) == where(world.groups, holds), filter


@pytest.mark.conformance("FI-02", "FI-03", "FI-09")
def test_a_relationship_finds_the_members_of_any_of_its_ids(world):
    one, two, *_ = sorted(world.groups, key=lambda group: len(world.members_of(group)))[1:]
    both = sorted(world.members_of(one) | world.members_of(two))
    assert found(world.client, USERS, f"filter[groups]={one}") == sorted(world.members_of(one))
    for filters in (
        [f"filter[groups]={one},{two}"],
        [f"filter[groups][]={one}", f"filter[groups][]={two}"],
        [f"filter[groups][in]={one},{two}"],
        [f"filter=any(groups,'{one}','{two}')"],
    ):
        assert found(world.client, USERS, *filters) == both
    others = sorted(world.users.keys() - set(both))
    assert found(world.client, USERS, f"filter[groups][nin]={one},{two}") == others
    role = next(id for id in world.roles if world.holders_of(id))
    assert found(world.client, USERS, f"filter[role]={role}") == sorted(world.holders_of(role))


@pytest.mark.conformance("FI-04")
def test_several_filters_hold_at_once(world):
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    expected = sorted(
        id
        for id in world.members_of(group)
        if world.users[id]["is_active"] and "Z" <= world.users[id]["name"] < "c"
    )
    assert expected
    filters = ["filter[is_active]=true", f"filter[groups]={group}"]
    between = ["filter[name][ge]=Z", "filter[name][lt]=c"]
    assert found(world.client, USERS, *filters, *between) == expected
    assert found(world.client, USERS, *filters, "filter[name]=nobody") == []
    both = f"filter=and(equals(is_active,'true'),has(groups,equals(id,'{group}')))"
    assert found(world.client, USERS, both, *between) == expected


@pytest.mark.conformance("FI-09", "FI-11")
def test_related_attributes_find_each_resource_once(world):
    def names(id: str) -> list[str]:
        return [world.groups[group]["name"] for group in world.groups_of(id)]

    def role(id: str) -> str | None:
        of = world.role_of(id)
        return None if of is None else world.roles[of]["name"]

    cases = {
        "filter[role.name]=beta": lambda user: role(user) == "beta",
        "filter[role.name][ne]=beta": lambda user: role(user) != "beta",
        "filter[groups.name][ne]=staff": lambda user: "staff" not in names(user),
        "filter[groups.name]=staff": lambda user: "staff" in names(user),
        "filter[groups.name][contains]=a": lambda user: any("a" in name for name in names(user)),
        "filter[groups.members.id]=" + world.joiner: lambda user: bool(names(user)),
        "filter=has(groups)": lambda user: bool(names(user)),
        "filter=has(groups,startsWith(name,'B'))": lambda user: "Board" in names(user),
        "filter=not(has(groups))": lambda user: not names(user),
        "filter=equals(count(groups),'2')": lambda user: len(names(user)) == 2,
        "filter=greaterThan(count(groups),'2')": lambda user: len(names(user)) > 2,
        "filter=equals(role.name,'beta')": lambda user: role(user) == "beta",
    }
    for filter, holds in cases.items():
        expected = sorted(filtered for filtered in world.users if holds(filtered))
        assert 0 < len(expected) < len(world.users), filter
        assert found(world.client, USERS, filter) == expected, filter


ODD = [
    "100%",
    "100 per cent",
    "a_b",
    "axb",
    "it's",
    'say "no"',
    "back\\slash",
    "a/b",
    "(,)",
    "a;--",
]


@pytest.mark.conformance("FI-10")
@pytest.mark.parametrize("operator", ["contains", "startswith", "endswith", "icontains", "eq"])
def test_every_character_of_a_value_is_a_literal(client, operator):
    names = {
        client.post(GROUPS, {"data": resource("groups", name=name)}).json["data"]["id"]: name
        for name in ODD
    }
    matches = {
        "contains": lambda name, text: text in name,
        "icontains": lambda name, text: text in name,
        "startswith": lambda name, text: name.startswith(text),
        "endswith": lambda name, text: name.endswith(text),
        "eq": lambda name, text: name == text,
    }[operator]
    for text in [*ODD, *"%_'\"\\/(,);", "%_'", "%%", "' OR '1'='1", "\\'"]:
        expected = sorted(id for id, name in names.items() if matches(name, text))
        query = f"{GROUPS}?filter[name][{operator}]={quote(text, safe='')}"
        assert sorted(r["id"] for r in client.get(query).json["data"]) == expected, text


@pytest.mark.conformance("FI-10")
def test_quotes_in_an_expression_are_doubled(client):
    client.create_user("a@example.com", name="it's")
    client.create_user("b@example.com", name="its")
    for expression in ("equals(name,'it''s')", "contains(name,'''')", "any(name,'it''s','x')"):
        (user,) = client.get(f"{USERS}?filter={quote(expression)}").json["data"]
        assert user["attributes"]["name"] == "it's"
    unbalanced = quote("equals(name,'it's')")
    assert error(client.get(f"{USERS}?filter={unbalanced}")) == (400, "filter")


@on_one_engine
@pytest.mark.conformance("FI-05")
def test_every_legal_name_of_the_family_works_or_is_refused(world):
    user = world.users[world.joiner]
    works = [
        "filter=equals(name,'{}')",
        "filter[name]={}",
        "filter[name][]={}",
        "filter[name][eq]={}",
        "filter[name][in][]={}",
    ]
    for filter in works:
        expected = where(world.users, lambda row: row["name"] == user["name"])
        assert found(world.client, USERS, filter.format(user["name"])) == expected
    assert found(world.client, USERS, "filter[role.name]=nothing") == []
    for name in ("filter[]", "filter[name][][]", "filter[name][x]", "filter[name][eq][]x"):
        assert error(world.client.get(f"{USERS}?{name}=Ada")) == (400, name)


@on_one_engine
@pytest.mark.conformance("FI-05", "FI-06", "FI-07", "FI-12")
@pytest.mark.parametrize(
    "name",
    [
        "filter[_]",
        "filter[a+b]",
        "filter[x",
        "filter[name",
        "filter]name[",
        "filter[name]]",
        "filter[[name]]",
        "filter[name]x",
        "filter[.]",
        "filter[role.]",
        "filter[.name]",
        "filter[nope]",
        "filter[name.nope]",
        "filter[role.nope]",
        "filter[nope.name]",
        "filter[name][nope]",
        "filter[name][EQ]",
        "filter[groups][contains]",
        "filter[is_active][lt]",
        "filter[creation_time][contains]",
        "filter[name][contains][]",
        # What is stored and not shown.
        "filter[email_key]",
        "filter[role_id]",
        "filter[version]",
        "filter[password]",
        "filter[password_hash][startswith]",
        "filter[role.version]",
    ],
)
def test_a_filter_that_cannot_be_processed_is_refused(client, name):
    assert error(client.get(f"{USERS}?{name}=a")) == (400, name.replace("+", " "))


@on_one_engine
@pytest.mark.conformance("FI-07", "FI-08", "FI-12")
@pytest.mark.parametrize(
    "expression",
    [
        "",
        "equals",
        "equals(name)",
        "equals(name,'a'",
        "equals(name,'a'))",
        "equals(nope,'a')",
        "equals(email_key,'a')",
        "equals(role.version,'1')",
        "nope(name,'a')",
        "and(equals(name,'a'))",
        "any(name)",
        "has(name)",
        "equals(is_active,'yes')",
        "equals(count(groups),'-1')",
        "equals(count(name),'1')",
        "greaterThan(creation_time,'abc')",
        "name eq 'a'",
    ],
)
def test_an_expression_that_cannot_be_read_is_refused(client, expression):
    assert error(client.get(f"{USERS}?filter={quote(expression)}")) == (400, "filter")


@on_one_engine
@pytest.mark.conformance("FI-08")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filter[creation_time][gt]", "abc"),
        ("filter[creation_time]", "2024-02-30T00:00:00Z"),
        ("filter[creation_time]", "2024-02-30"),
        ("filter[creation_time][ge]", "2024-02-29T00:00"),
        ("filter[is_active]", "1"),
        ("filter[is_active]", ""),
        ("filter[id]", "1"),
        ("filter[id][]", "1"),
        ("filter[groups]", "1"),
        ("filter[role]", ""),
        ("filter[role][isnull]", "perhaps"),
        ("filter[name][isnull]", "1"),
        ("filter[name]", "%00"),
        ("filter[name][contains]", "%00"),
        ("filter[name][contains]", ""),
    ],
)
def test_a_value_of_another_type_is_refused(client, name, value):
    assert error(client.get(f"{USERS}?{name}={value}")) == (400, name)


@on_one_engine
@pytest.mark.conformance("FI-13")
def test_filters_are_bounded_in_length_depth_and_number(client, app_with):
    deep = "not(" * 10 + "has(groups)" + ")" * 10
    many = ",".join(["a"] * 201)
    for name, value in (
        ("filter", f"equals(name,'{'a' * 8192}')"),
        ("filter[name]", "a" * 8193),
        ("filter", deep),
        ("filter[name][in]", many),
        ("filter", f"any(name,{','.join(['%27a%27'] * 201)})"),
    ):
        assert error(client.get(f"{USERS}?{name}={value}")) == (400, name), value[:20]
    fitting = "not(" * 9 + "has(groups)" + ")" * 9
    assert client.get(f"{USERS}?filter={fitting}").status_int == 200
    long_urls = Client(app_with(max_url_length="20000"))
    ten_kilobytes = long_urls.get(f"{USERS}?filter=or({','.join(['has(groups)'] * 900)})")
    assert error(ten_kilobytes) == (400, "filter")


@on_one_engine
@pytest.mark.conformance("FI-04", "FI-07")
def test_every_fault_of_several_filters_is_told(client):
    response = client.get(f"{USERS}?filter[nope]=1&filter[name]=a&filter[is_active]=x")
    assert [name for name, _ in sources(response)] == ["filter[nope]", "filter[is_active]"]
