"""Deleting a resource changes those that lead to it, whether or not its schema shows them."""

from typing import Any

import pytest
from marshmallow_jsonapi import Schema, fields
from sqlalchemy import Column, ForeignKey, Table, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from tests.client import Client
from tests.jsonapi.conftest import enforce_foreign_keys
from tests.jsonapi.toy import make_toy

CLUBS, MEMBERS = "/toy/clubs", "/toy/members"


class Base(DeclarativeBase):
    pass


managements = Table(
    "managements",
    Base.metadata,
    Column("club_id", ForeignKey("clubs.id", ondelete="CASCADE"), primary_key=True),
    Column("member_id", ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
)


class Club(Base):
    __tablename__ = "clubs"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default="1")
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"))

    patron: Mapped["Member | None"] = relationship(foreign_keys=[patron_id], viewonly=True)
    managers: Mapped[list["Member"]] = relationship(secondary=managements, viewonly=True)
    players: Mapped[list["Member"]] = relationship(foreign_keys="Member.club_id", viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class Member(Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default="1")
    club_id: Mapped[int | None] = mapped_column(ForeignKey("clubs.id", ondelete="SET NULL"))
    digest: Mapped[str | None] = mapped_column(info={"attribute": "password"})

    # No field of the schema shows these.
    patronage: Mapped[list[Club]] = relationship(foreign_keys=[Club.patron_id], viewonly=True)
    managed: Mapped[list[Club]] = relationship(secondary=managements, viewonly=True)
    club: Mapped[Club | None] = relationship(foreign_keys=[club_id], viewonly=True)

    def _set_password(self, password: str) -> None:
        self.digest = password[::-1]

    password = property(fset=_set_password)

    __mapper_args__ = {"version_id_col": version}


class ClubSchema(Schema):
    class Meta:
        type_ = "clubs"

    id = fields.Integer(dump_only=True)
    patron = fields.Relationship(type_="members")
    managers = fields.Relationship(type_="members", many=True)
    players = fields.Relationship(type_="members", many=True)


class MemberSchema(Schema):
    class Meta:
        type_ = "members"

    id = fields.Integer(dump_only=True)
    password = fields.String(load_only=True)


def clubs(config: Any) -> None:
    config.add_jsonapi_resource(Club, ClubSchema)
    config.add_jsonapi_resource(Member, MemberSchema)


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/clubs.sqlite")
    event.listen(engine, "connect", enforce_foreign_keys)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def client(engine) -> Client:
    return Client(make_toy(engine, include=clubs))


def create(client: Client, url: str, **members: Any) -> dict[str, str]:
    """Create a resource, and return its identifier."""
    document = {"data": {"type": url.rpartition("/")[2]} | members}
    created = client.post(url, document).json["data"]
    return {"type": created["type"], "id": created["id"]}


@pytest.mark.parametrize("name", ["patron", "managers", "players"])
def test_a_resource_changes_with_the_deletion_of_what_it_leads_to(client, engine, name):
    member, other = create(client, MEMBERS), create(client, MEMBERS)
    linkage = member if name == "patron" else [member, other]
    club = create(client, CLUBS, relationships={name: {"data": linkage}})
    url = f"{CLUBS}/{club['id']}"
    before = client.get(url).headers["ETag"]

    assert client.delete(f"{MEMBERS}/{member['id']}").status_int == 204
    after = client.get(f"{url}?include={name}")
    assert after.headers["ETag"] != before
    left = after.json["data"]["relationships"][name]["data"]
    assert left == (None if name == "patron" else [other])
    assert client.patch(url, {"data": club}, headers={"If-Match": before}).status_int == 412
    with engine.connect() as connection:
        rows = connection.scalar(select(func.count()).select_from(managements))
    assert rows == (1 if name == "managers" else 0)


def test_a_deletion_leaves_others_as_they_are(client):
    member = create(client, MEMBERS)
    club = create(client, CLUBS, relationships={"managers": {"data": [create(client, MEMBERS)]}})
    url = f"{CLUBS}/{club['id']}"
    before = client.get(url).headers["ETag"]
    assert client.delete(f"{MEMBERS}/{member['id']}").status_int == 204
    assert client.get(url).headers["ETag"] == before


def test_relationships_of_the_model_alone_are_in_no_document(client):
    member = client.get(f"{MEMBERS}/{create(client, MEMBERS)['id']}")
    assert "relationships" not in member.json["data"]
    assert client.get(f"{MEMBERS}?include=managed").status_int == 400
    assert client.get(f"{MEMBERS}?filter[managed.id]=1").status_int == 400


def test_a_relationship_knows_its_other_end():
    app = make_toy(create_engine("sqlite://"), include=clubs)
    resources = app.registry["jsonapi"].resources
    author = resources["articles"].relationships["author"]
    assert author.inverse is resources["people"].relationships["articles"]
    assert author.inverse.inverse is author
    assert resources["people"].relationships["fans"].inverse.name == "friends"
    managers = resources["clubs"].relationships["managers"]
    assert managers.inverse.field is None
    assert managers.inverse.inverse is managers
    assert (managers.inverse.source, managers.inverse.target) == (managers.target, managers.source)
    assert managers.inverse.many


def test_a_write_only_field_sets_a_property_of_the_model(client, engine):
    member = create(client, MEMBERS, attributes={"password": "abc"})
    with engine.connect() as connection:
        assert connection.scalar(select(Member.digest)) == "cba"
    change = {"data": member | {"attributes": {"password": "xyz"}}}
    assert client.patch(f"{MEMBERS}/{member['id']}", change).status_int == 200
    with engine.connect() as connection:
        assert connection.scalar(select(Member.digest)) == "zyx"
