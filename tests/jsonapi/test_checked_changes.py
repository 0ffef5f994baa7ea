"""The host checks each change that a request asks for: under the locks, and before it is stored."""

import re
from typing import Any
from uuid import UUID

import pytest
from marshmallow_jsonapi import fields
from sqlalchemy import select

from tests.client import Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.club import (
    ACCOUNTS,
    BADGES,
    RANKS,
    TEAMS,
    Account,
    AccountSchema,
    Badge,
    Rank,
    Team,
    club,
    playing,
)
from tests.jsonapi.conftest import Toy
from tests.jsonapi.test_permissions import ATOMIC
from tests.jsonapi.toy import OPERATIONS, make_toy
from tests.jsonapi.world import ADA, BOB, EVE, linkage
from users_service.jsonapi import Change, Error, JSONAPIError, Rules

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b")
TABLES = (*(model.__table__ for model in (Account, Badge, Rank, Team)), playing)


class Checked:
    """A club whose host notes each change that is asked for and made, and may refuse one."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.client = Client(make_toy(toy.engine, include=self.include))
        self.reset()

    def reset(self) -> None:
        self.asked: list[Change] = []
        self.made: list[Change] = []
        self.written_before: list[int] = []
        self.statements: list[str] = []
        self.refused: Any = lambda _change: None

    def include(self, config) -> None:
        club(rules=Rules(check=self.check))(config)
        config.add_jsonapi_change_handler(lambda _request, changes: self.made.extend(changes))

    def check(self, request, change: Change) -> None:
        self.asked.append(change)
        self.written_before.append(sum(bool(WRITES.match(s)) for s in self.statements))
        if (error := self.refused(change)) is not None:
            raise JSONAPIError(error, headers={"X-Refused": "yes"})

    def operate(self, *operations):
        headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
        return self.client.post(OPERATIONS, {"atomic:operations": operations}, headers=headers)

    def stored(self) -> dict[str, list[Any]]:
        """All rows of all tables, with their versions."""
        with self.toy.engine.connect() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table)).all()))
                for table in TABLES
            }


@pytest.fixture(scope="module")
def running_club(running_toy) -> Checked:
    return Checked(running_toy)


@pytest.fixture
def ours(toy, running_club) -> Checked:
    """Ada has a rank, a badge and a team, and Bob none of them."""
    toy.insert(Rank, [{"id": id, "name": f"rank {id}"} for id in (1, 2)])
    toy.insert(Team, [{"id": id, "name": f"team {id}"} for id in (1, 2)])
    toy.insert(
        Account,
        [
            {"id": UUID(ADA), "login": "ada", "rank_id": 1},
            {"id": UUID(BOB), "login": "bob", "rank_id": None},
        ],
    )
    toy.insert(Badge, [{"id": id, "label": f"badge {id}"} for id in (1, 2)])
    with toy.engine.begin() as connection:
        badges = Badge.__table__
        connection.execute(badges.update().where(badges.c.id == 1).values(holder_id=UUID(ADA)))
    toy.insert(playing, [{"team_id": 1, "account_id": UUID(ADA)}])
    running_club.reset()
    return running_club


def account(id: str, relationships=None, **attributes) -> dict[str, Any]:
    data = {"type": "accounts", "id": id, "attributes": attributes}
    return {"data": data | ({"relationships": relationships} if relationships else {})}


def linkage_of(change: Change) -> dict[str, tuple]:
    return {c.relationship.name: (c.added, c.removed) for c in change.linkage}


ADAS = f"{ACCOUNTS}/{ADA}"
ADA_ID, BOB_ID = UUID(ADA), UUID(BOB)
EVERYTHING = {
    "rank": linkage("ranks", 2),
    "teams": linkage("teams", [2]),
    "badges": linkage("badges", [2]),
}

# Name: method, URL, document; kind, id, before, after, linkage, the fields that are sent.
WAYS: dict[str, tuple] = {
    "create": (
        (
            "POST",
            ACCOUNTS,
            account(
                EVE, {**EVERYTHING, "sponsor": linkage("accounts", ADA)}, login="eve", password="p"
            ),
        ),
        ("create", UUID(EVE), {}, {"login": "eve"}),
        {"rank": ((2,), ()), "teams": ((2,), ()), "badges": ((2,), ()), "sponsor": ((ADA_ID,), ())},
        {"login", "password", "rank", "teams", "badges", "sponsor"},
    ),
    "update": (
        ("PATCH", ADAS, account(ADA, EVERYTHING, login="eve", password="p")),
        ("update", ADA_ID, {"login": "ada"}, {"login": "eve"}),
        {"rank": ((2,), (1,)), "teams": ((2,), (1,)), "badges": ((2,), (1,))},
        {"login", "password", "rank", "teams", "badges"},
    ),
    "update of nothing": (
        ("PATCH", ADAS, account(ADA, {"rank": linkage("ranks", 1)}, login="ada")),
        ("update", ADA_ID, {}, {}),
        {},
        {"login", "rank"},
    ),
    "delete": (("DELETE", f"{TEAMS}/1", None), ("delete", 1, {"name": "team 1"}, {}), {}, set()),
    "to-one": (
        ("PATCH", f"{ADAS}/relationships/rank", {"data": None}),
        ("update", ADA_ID, {}, {}),
        {"rank": ((), (1,))},
        {"rank"},
    ),
    "to-one as it is": (
        ("PATCH", f"{ADAS}/relationships/rank", linkage("ranks", 1)),
        ("update", ADA_ID, {}, {}),
        {},
        {"rank"},
    ),
    "to-many, added": (
        ("POST", f"{ADAS}/relationships/teams", linkage("teams", [1, 2])),
        ("update", ADA_ID, {}, {}),
        {"teams": ((2,), ())},
        {"teams"},
    ),
    "to-many, removed": (
        ("DELETE", f"{ADAS}/relationships/teams", linkage("teams", [1, 2])),
        ("update", ADA_ID, {}, {}),
        {"teams": ((), (1,))},
        {"teams"},
    ),
    "to-many, replaced": (
        ("PATCH", f"{ADAS}/relationships/teams", linkage("teams", [2])),
        ("update", ADA_ID, {}, {}),
        {"teams": ((2,), (1,))},
        {"teams"},
    ),
    "to-many, as it is": (
        ("PATCH", f"{ADAS}/relationships/teams", linkage("teams", [1])),
        ("update", ADA_ID, {}, {}),
        {},
        {"teams"},
    ),
    "foreign keys, added": (
        ("POST", f"{RANKS}/2/relationships/holders", linkage("accounts", [ADA, BOB])),
        ("update", 2, {}, {}),
        {"holders": ((ADA_ID, BOB_ID), ())},
        {"holders"},
    ),
    "foreign keys, removed": (
        ("DELETE", f"{RANKS}/1/relationships/holders", linkage("accounts", [ADA, BOB])),
        ("update", 1, {}, {}),
        {"holders": ((), (ADA_ID,))},
        {"holders"},
    ),
    "foreign keys, replaced": (
        ("PATCH", f"{ADAS}/relationships/badges", linkage("badges", [2])),
        ("update", ADA_ID, {}, {}),
        {"badges": ((2,), (1,))},
        {"badges"},
    ),
}
CODES = {"POST": "add", "PATCH": "update", "DELETE": "remove"}

every_way = pytest.mark.parametrize("way", WAYS)


def as_operation(method: str, url: str, document: Any) -> dict[str, Any]:
    return {"op": CODES[method], "href": url} | (document or {})


def send(ours: Checked, batch: bool, *request: Any):
    return ours.operate(as_operation(*request)) if batch else ours.client.request(*request)


@pytest.mark.parametrize("batch", [False, True], ids=["request", "operation"])
@every_way
def test_a_change_is_checked_once_and_before_it_is_stored(ours, way, batch):
    request, (kind, id, before, after), changed, sent = WAYS[way]
    with ours.toy.statements() as ours.statements:
        response = send(ours, batch, *request)
    assert response.status_int < 300, response.text
    (asked,) = ours.asked
    assert ours.written_before == [0]
    assert (asked.kind, asked.id, asked.sent) == (kind, id, sent)
    assert {name: asked.before[name] for name in before} == before
    assert asked.after == after
    assert kind == "delete" or asked.before == before
    assert linkage_of(asked) == changed
    assert asked.stored.get("version") == (None if kind == "create" else 1)
    assert before.items() <= asked.stored.items()
    place = () if request[2] is None else ("data",)
    assert asked.place == (("atomic:operations", 0, *place) if batch else place)
    assert asked.names_relationship is ("relationships" in request[1])
    if kind != "delete" and not asked.names_relationship:
        assert asked.entity.login == request[2]["data"]["attributes"]["login"]
        assert asked.entity.password == request[2]["data"]["attributes"].get("password")
    # What was made is what was asked for.
    assert [(made.kind, made.id, linkage_of(made)) for made in ours.made] == (
        [(kind, id, changed)] if asked else []
    )


@pytest.mark.parametrize("batch", [False, True], ids=["request", "operation"])
@every_way
def test_what_is_refused_is_not_stored(ours, way, batch):
    request, *_ = WAYS[way]
    ours.refused = lambda change: Error(code="conflict", detail="The club says no.")
    before = ours.stored()
    response = send(ours, batch, *request)
    assert response.status_int == 409
    assert sources(response) == [("/atomic:operations/0" if batch else "", "conflict")]
    assert response.headers["X-Refused"] == "yes"
    assert ours.stored() == before
    assert ours.made == []


def test_a_batch_is_refused_as_a_whole(ours):
    ours.refused = lambda change: (
        Error(code="conflict", detail="No.", source=change.source_of("login"))
        if change.after.get("login") == "eve"
        else None
    )
    before = ours.stored()
    first = [as_operation(*WAYS[way][0]) for way in ("to-one", "foreign keys, replaced", "delete")]
    response = ours.operate(*first, as_operation(*WAYS["create"][0]))
    assert response.status_int == 409
    place = "/atomic:operations/3/data/attributes/login"
    assert sources(response) == [(place, "conflict")]
    assert len(ours.asked) == 4
    assert ours.stored() == before


@toy_on_one_engine
@pytest.mark.parametrize(
    ("way", "name", "pointer"),
    [
        ("create", "login", "/data/attributes/login"),
        ("create", "invitation", "/data"),
        ("update", "rank", "/data/relationships/rank"),
        ("to-one", "rank", "/data"),
        ("to-many, added", "teams", "/data"),
        ("delete", "name", ""),
    ],
)
def test_an_error_leads_to_the_field_that_is_refused(ours, way, name, pointer):
    def refuse(change):
        return Error(code="conflict", detail="No.", source=change.source_of(name))

    ours.refused = refuse
    request, *_ = WAYS[way]
    assert sources(send(ours, False, *request)) == [(pointer, "conflict")]
    assert sources(send(ours, True, *request)) == [(f"/atomic:operations/0{pointer}", "conflict")]


@pytest.mark.parametrize("running_toy", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("way", ["update", "to-many, added", "foreign keys, removed"])
def test_a_change_is_checked_under_the_locks(ours, way):
    """Others that would lock the rows skip them."""
    found = []

    def look(change):
        table = Account.__table__ if change.resource.type == "accounts" else Rank.__table__
        mine = select(table.c.id).where(table.c.id == change.id)
        with ours.toy.engine.connect() as connection:
            found.append(connection.execute(mine.with_for_update(skip_locked=True)).all())

    ours.refused = look
    request, *_ = WAYS[way]
    assert send(ours, False, *request).status_int < 300
    assert found == [[]]


@toy_on_one_engine
def test_a_new_resource_has_no_id_yet_where_the_server_makes_it(ours):
    document = {"data": {"type": "teams", "attributes": {"name": "blue"}}}
    document["data"]["relationships"] = {"players": linkage("accounts", [ADA])}
    assert ours.client.post(TEAMS, document).status_int == 201
    (asked,), (made,) = ours.asked, ours.made
    assert asked.id is None
    assert made.id is not None
    assert linkage_of(asked) == linkage_of(made) == {"players": ((ADA_ID,), ())}


@toy_on_one_engine
def test_local_ids_are_the_ids_of_what_they_stand_for(ours):
    team = {"type": "teams", "lid": "t", "attributes": {"name": "blue"}}
    player = {"type": "accounts", "lid": "a", "attributes": {"login": "eve"}}
    player["relationships"] = {
        "teams": {"data": [{"type": "teams", "lid": "t"}]},
        "sponsor": {"data": {"type": "accounts", "lid": "a"}},
    }
    assert (
        ours.operate({"op": "add", "data": team}, {"op": "add", "data": player}).status_int == 200
    )
    first, second = ours.made
    assert linkage_of(ours.asked[1]) == {"teams": ((first.id,), ()), "sponsor": ((None,), ())}
    assert linkage_of(second) == {"teams": ((first.id,), ()), "sponsor": ((second.id,), ())}


@toy_on_one_engine
@pytest.mark.parametrize(
    ("url", "status"), [(f"{ACCOUNTS}/{EVE}", 404), (ADAS, 412)], ids=["missing", "changed"]
)
def test_what_cannot_be_is_not_asked_for(ours, url, status):
    stale = {"If-Match": '"77.x"'}
    id = url.rpartition("/")[2]
    assert ours.client.patch(url, account(id, login="x"), headers=stale).status_int == status
    assert ours.client.delete(url, headers=stale).status_int == status
    assert ours.asked == []


@toy_on_one_engine
def test_who_may_not_delete_is_not_told_what_is_in_the_way(ours):
    url = f"{RANKS}/1"
    allowed = ours.client.delete(url)
    assert allowed.json["errors"][0]["meta"] == {"relationship": "holders", "type": "accounts"}
    ours.refused = lambda change: Error(code="forbidden", detail="No.")
    assert ours.client.delete(url).status_int == 403
    assert ours.client.delete(f"{BADGES}/1").status_int == 403


@toy_on_one_engine
def test_linkage_with_two_names_is_written_once(ours):
    """The later of them holds."""

    class TwiceSchema(AccountSchema):
        class Meta:
            type_ = "accounts"

        squads = fields.Relationship(type_="teams", many=True)

    app = make_toy(ours.toy.engine, include=club(schema=TwiceSchema))
    both = {"teams": linkage("teams", [1, 2]), "squads": linkage("teams", [2])}
    for method, url, id in (("POST", ACCOUNTS, EVE), ("PATCH", ADAS, ADA)):
        response = Client(app).request(method, url, account(id, both, login=f"new {id}"))
        assert response.status_int < 300, response.text
        found = Client(app).get(f"{ACCOUNTS}/{id}/relationships/teams").json["data"]
        assert [team["id"] for team in found] == ["2"]
