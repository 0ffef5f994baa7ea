"""A club beside the toy: what is written of its accounts, is by rules of the host."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from marshmallow_jsonapi import Schema, fields
from pyramid.config import Configurator
from pyramid.security import Allowed, Denied
from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tests.jsonapi.toy import MARIADB, UUID_TYPE, Base, text
from users_service.jsonapi import Error, JSONAPIError, Rules

ACCOUNTS = "/toy/accounts"
RANKS = "/toy/ranks"
TEAMS = "/toy/teams"
BADGES = "/toy/badges"

playing = Table(
    "playing",
    Base.metadata,
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "account_id", UUID_TYPE, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    ),
    **MARIADB,
)


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = MARIADB

    id: Mapped[UUID] = mapped_column(UUID_TYPE, primary_key=True, default=uuid4)
    login: Mapped[str] = mapped_column(text(50), unique=True)
    invitation: Mapped[str | None] = mapped_column(text(50))
    password_hash: Mapped[str | None] = mapped_column(text(100))
    rank_id: Mapped[int | None] = mapped_column(ForeignKey("ranks.id"))
    sponsor_id: Mapped[UUID | None] = mapped_column(
        UUID_TYPE, ForeignKey("accounts.id", ondelete="SET NULL")
    )
    version: Mapped[int] = mapped_column(server_default="1")

    # Never stored.
    password = None
    proof = None
    key = None

    rank: Mapped["Rank | None"] = relationship(viewonly=True)
    sponsor: Mapped["Account | None"] = relationship(remote_side=[id], viewonly=True)
    sponsored: Mapped[list["Account"]] = relationship(viewonly=True)
    teams: Mapped[list["Team"]] = relationship(secondary=playing, viewonly=True)
    squads: Mapped[list["Team"]] = relationship(secondary=playing, viewonly=True)
    badges: Mapped[list["Badge"]] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class AccountSchema(Schema):
    class Meta:
        type_ = "accounts"

    id = fields.UUID()
    login = fields.String(required=True)
    invitation = fields.String(metadata={"create_only": True})
    password = fields.String(load_only=True)
    proof = fields.String(load_only=True, metadata={"create_only": True})
    key = fields.String(dump_only=True, metadata={"created": True})
    rank = fields.Relationship(type_="ranks", metadata={"permission": "ranks:award"})
    sponsor = fields.Relationship(type_="accounts", metadata={"create_only": True})
    sponsored = fields.Relationship(type_="accounts", many=True, dump_only=True)
    teams = fields.Relationship(type_="teams", many=True)
    badges = fields.Relationship(type_="badges", many=True)


class Rank(Base):
    __tablename__ = "ranks"
    __table_args__ = MARIADB

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(text(50))
    version: Mapped[int] = mapped_column(server_default="1")

    holders: Mapped[list[Account]] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class RankSchema(Schema):
    class Meta:
        type_ = "ranks"

    id = fields.Integer(dump_only=True)
    name = fields.String(required=True)
    holders = fields.Relationship(
        type_="accounts", many=True, metadata={"permission": "ranks:award"}
    )


class Team(Base):
    __tablename__ = "teams"
    __table_args__ = MARIADB

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(text(50))
    version: Mapped[int] = mapped_column(server_default="1")

    players: Mapped[list[Account]] = relationship(secondary=playing, viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class TeamSchema(Schema):
    class Meta:
        type_ = "teams"

    id = fields.Integer(dump_only=True)
    name = fields.String(required=True)
    players = fields.Relationship(type_="accounts", many=True)


class Badge(Base):
    __tablename__ = "badges"
    __table_args__ = MARIADB

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(text(50))
    holder_id: Mapped[UUID | None] = mapped_column(
        UUID_TYPE, ForeignKey("accounts.id", ondelete="SET NULL")
    )
    version: Mapped[int] = mapped_column(server_default="1")

    holder: Mapped[Account | None] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class BadgeSchema(Schema):
    class Meta:
        type_ = "badges"

    id = fields.Integer(dump_only=True)
    label = fields.String(required=True)
    holder = fields.Relationship(type_="accounts")


class PolicyByHeader:
    """Believes what two headers say: who sends the request, and what it may do."""

    def authenticated_userid(self, request: Any) -> str | None:
        return request.headers.get("X-Caller")

    def forget(self, request: Any, **_: Any) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", 'Bearer realm="club"')]

    def permits(self, request: Any, context: Any, permission: str) -> Allowed | Denied:
        if request.headers.get("X-Caller") == "forged":
            fault = Error(code="unauthorized", detail="Nobody is called forged.")
            raise JSONAPIError(fault, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        granted = request.headers.get("X-Permissions", "*").split()
        kind = permission.partition(":")[0]
        held = {permission, f"{kind}:*", "*"} & set(granted)
        return Allowed("The header has it.") if held else Denied("The header has it not.")


def club(
    rules: Rules | None = None, schema: type[Any] = AccountSchema, **more: Any
) -> Callable[[Configurator], None]:
    """An include of the club.

    :param rules: the rules of all its resources.
    :param schema: the schema of accounts.
    :param more: further arguments of the resource of accounts.
    """
    rules = rules or Rules()

    def include(config: Configurator) -> None:
        config.add_jsonapi_resource(Account, schema, rules=rules, **more)
        config.add_jsonapi_resource(Rank, RankSchema, rules=rules)
        config.add_jsonapi_resource(Team, TeamSchema, rules=rules)
        config.add_jsonapi_resource(Badge, BadgeSchema, rules=rules)

    return include
