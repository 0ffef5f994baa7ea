"""A host application that is not the users service: its own resources, and everything else."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pyramid_tm
import zope.sqlalchemy
from cornice.service import Service
from marshmallow import ValidationError, validates_schema
from marshmallow.validate import Length, Range
from marshmallow_jsonapi import Schema, fields
from pyramid.config import Configurator
from pyramid.httpexceptions import (
    HTTPConflict,
    HTTPForbidden,
    HTTPFound,
    HTTPGone,
    HTTPNotFound,
    HTTPServerError,
    HTTPUnauthorized,
)
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED, Allowed
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    MetaData,
    Numeric,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, validates

from users_service.jsonapi import (
    Compare,
    Hidden,
    Limits,
    Not,
    Or,
    Related,
    Rules,
    cornice_errors,
)

ARTICLES = "/toy/articles"
PEOPLE = "/toy/people"
TAGS = "/toy/tags"
COMMENTS = "/toy/comments"
OPERATIONS = "/toy/operations"
OUTCOMES = "/toy/outcomes"

MARIADB = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_nopad_bin"}


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A datetime in UTC; two of the engines have no type that keeps the zone."""

    impl = DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Cents(TypeDecorator[Decimal]):
    """A decimal of at most 8 digits, two of them behind the point; SQLite counts the cents."""

    impl = Numeric(8, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else self.impl)

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> Any:
        return int(value * 100) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return Decimal(value) / 100 if value is not None and dialect.name == "sqlite" else value


# MariaDB's own UUIDs sort by their parts, and not by their text as those of other engines do.
UUID_TYPE = Uuid().with_variant(Uuid(native_uuid=False), "mysql", "mariadb")


def text(length: int) -> String:
    return String(length).with_variant(String(length, collation="C"), "postgresql")


taggings = Table(
    "taggings",
    Base.metadata,
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    **MARIADB,
)

friendships = Table(
    "friendships",
    Base.metadata,
    Column("person_id", UUID_TYPE, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("friend_id", UUID_TYPE, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    **MARIADB,
)


class Article(Base):
    __tablename__ = "articles"
    __table_args__ = MARIADB

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(text(100))
    title_folded: Mapped[str] = mapped_column(
        text(300),
        default=lambda context: str.casefold(context.get_current_parameters()["title"]),
        info={"attribute": "title", "compute": str.casefold, "operator": "icontains"},
    )
    subtitle: Mapped[str | None] = mapped_column(text(100))
    rating: Mapped[int | None]
    is_public: Mapped[bool] = mapped_column(default=False)
    published: Mapped[datetime | None] = mapped_column(Instant)
    author_name: Mapped[str | None] = mapped_column("written_by", text(100))
    price: Mapped[Decimal | None] = mapped_column(Cents)
    keywords: Mapped[list[str] | None] = mapped_column(JSON)
    secret: Mapped[str | None] = mapped_column(text(100))
    revision: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[UUID | None] = mapped_column(
        UUID_TYPE, ForeignKey("people.id", ondelete="SET NULL")
    )
    version: Mapped[int] = mapped_column(server_default="1")

    author: Mapped["Person | None"] = relationship(viewonly=True)
    tags: Mapped[list["Tag"]] = relationship(secondary=taggings, viewonly=True)
    comments: Mapped[list["Comment"]] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}

    @validates("title")
    def _fold(self, _attribute: str, title: str) -> str:
        self.title_folded = title.casefold()
        return title


class ArticleSchema(Schema):
    class Meta:
        type_ = "articles"

    id = fields.Integer(dump_only=True, validate=Range(1, 2**31 - 1))
    title = fields.String(required=True, validate=Length(1, 100))
    subtitle = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True, strict=True, validate=Range(-(2**31), 2**31 - 1))
    is_public = fields.Boolean()
    published = fields.AwareDateTime(allow_none=True, default_timezone=UTC)
    byline = fields.String(attribute="author_name", data_key="by-line", validate=Length(max=100))
    price = fields.Decimal(as_string=True, places=2, allow_none=True)
    keywords = fields.List(fields.String())
    secret = fields.String(load_only=True)
    revision = fields.Integer(dump_only=True)
    author = fields.Relationship(type_="people")
    tags = fields.Relationship(type_="tags", many=True)
    comments = fields.Relationship(type_="comments", many=True)

    @validates_schema
    def _titles_differ(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("subtitle") and data["subtitle"] == data.get("title"):
            raise ValidationError("The subtitle repeats the title.")

    @validates_schema
    def _what_is_public_has_a_date(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("is_public") and "published" not in data:
            raise ValidationError("A public article has a date.", "published")


class Person(Base):
    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("team", "shirt"), MARIADB)

    id: Mapped[UUID] = mapped_column(UUID_TYPE, primary_key=True, default=uuid4)
    nickname: Mapped[str] = mapped_column(text(50), unique=True)
    email: Mapped[str | None] = mapped_column(text(50), unique=True, index=True)
    phone: Mapped[str | None] = mapped_column("telephone_number", text(50), unique=True)
    team: Mapped[str | None] = mapped_column(text(50))
    shirt: Mapped[int] = mapped_column(default=1)
    manager_id: Mapped[UUID | None] = mapped_column(
        UUID_TYPE, ForeignKey("people.id", ondelete="SET NULL")
    )
    version: Mapped[int] = mapped_column(server_default="1")

    manager: Mapped["Person | None"] = relationship(remote_side=[id], viewonly=True)
    reports: Mapped[list["Person"]] = relationship(viewonly=True)
    articles: Mapped[list[Article]] = relationship(viewonly=True)
    friends: Mapped[list["Person"]] = relationship(
        secondary=friendships,
        primaryjoin=id == friendships.c.person_id,
        secondaryjoin=id == friendships.c.friend_id,
        viewonly=True,
    )
    befriended_by: Mapped[list["Person"]] = relationship(
        secondary=friendships,
        primaryjoin=id == friendships.c.friend_id,
        secondaryjoin=id == friendships.c.person_id,
        viewonly=True,
    )

    __mapper_args__ = {"version_id_col": version}


class PersonSchema(Schema):
    class Meta:
        type_ = "people"

    id = fields.UUID()
    nickname = fields.String(required=True)
    email = fields.String(data_key="e-mail")
    phone = fields.String()
    team = fields.String()
    shirt = fields.Integer(strict=True)
    manager = fields.Relationship(type_="people")
    reports = fields.Relationship(type_="people", many=True)
    articles = fields.Relationship(type_="articles", many=True)
    friends = fields.Relationship(type_="people", many=True)
    fans = fields.Relationship(type_="people", many=True, attribute="befriended_by", dump_only=True)


class Tag(Base):
    __tablename__ = "tags"
    __table_args__ = MARIADB

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(text(50))
    version: Mapped[int] = mapped_column(server_default="1")

    articles: Mapped[list[Article]] = relationship(secondary=taggings, viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class TagSchema(Schema):
    class Meta:
        type_ = "tags"

    id = fields.Integer(dump_only=True, validate=Range(1, 2**31 - 1))
    label = fields.String(required=True)
    articles = fields.Relationship(type_="articles", many=True)


class Comment(Base):
    __tablename__ = "comments"
    __table_args__ = MARIADB

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(text(100))
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"))
    version: Mapped[int] = mapped_column(server_default="1")

    article: Mapped[Article] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}


class CommentSchema(Schema):
    class Meta:
        type_ = "comments"

    id = fields.Integer(dump_only=True, validate=Range(1, 2**31 - 1))
    body = fields.String(required=True)
    article = fields.Relationship(type_="articles", required=True)


class AllowEverything:
    def authenticated_userid(self, request: Any) -> str | None:
        return None

    def forget(self, request: Any, **_: Any) -> list[tuple[str, str]]:
        return []

    def permits(self, request: Any, context: Any, permission: str) -> Allowed:
        return Allowed("everything is allowed here")


def dbsession(request: Any) -> Session:
    session = Session(request.registry["toy.engine"])
    zope.sqlalchemy.register(session, initial_state="changed", transaction_manager=request.tm)
    return session


def dbconnection(request: Any) -> Connection:
    return request.dbsession.connection()


def crash(request: Any) -> None:
    raise RuntimeError("the safe opens with 1234")


def crash_after_write(request: Any) -> None:
    request.dbsession.add(Article(title="never stored"))
    request.dbsession.flush()
    crash(request)


def complain(request: Any) -> dict[str, str]:
    request.errors.add("querystring", "colour", "There is no such colour.")
    return {"status": "ok"}


def complain_as_missing(request: Any) -> dict[str, str]:
    request.errors.status = 404
    return complain(request)


def be_missing(request: Any) -> None:
    raise HTTPNotFound("the safe is behind the mirror")


def be_forbidden(request: Any) -> None:
    raise HTTPForbidden("the safe is behind the mirror")


def be_in_conflict(request: Any) -> None:
    raise HTTPConflict


def be_gone(request: Any) -> None:
    raise HTTPGone("the safe is behind the mirror")


class InsufficientStorageError(HTTPServerError):
    code = 507
    title = "Insufficient Storage"


def be_overtaxed(request: Any) -> None:
    raise InsufficientStorageError


def complain_as_locked(request: Any) -> dict[str, str]:
    request.errors.status = 423
    return complain(request)


def be_unauthorised(request: Any) -> None:
    raise HTTPUnauthorized(headers={"WWW-Authenticate": 'Bearer realm="toy"'})


def move(request: Any) -> None:
    raise HTTPFound("http://elsewhere.example/")


def vary(request: Any) -> dict[str, str]:
    request.response.headers["Vary"] = "Origin"
    return {"status": "ok"}


def crash_in_pyramid(request: Any) -> Response:
    raise RuntimeError("the safe opens with 1234")


def outcomes(config: Configurator) -> None:
    """What hand-written endpoints can do beside the resources, one URL for each."""
    for view in (
        crash,
        crash_after_write,
        complain,
        complain_as_missing,
        be_missing,
        be_forbidden,
        be_in_conflict,
        be_gone,
        be_overtaxed,
        complain_as_locked,
        be_unauthorised,
        move,
        vary,
    ):
        service = Service(
            name=view.__name__,
            path=f"/{view.__name__}",
            renderer="json",
            error_handler=cornice_errors,
        )
        service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
        config.add_cornice_service(service)
    config.add_route("crash_in_pyramid", "/crash_in_pyramid")
    config.add_view(crash_in_pyramid, route_name="crash_in_pyramid")


def seen_by_author(request: Any) -> Any:
    """An article is seen by its author. Whoever says not who it is sees everything."""
    caller = request.headers.get("X-Caller")
    if caller is None:
        return None
    people, articles = (request.jsonapi_resources[name] for name in ("people", "articles"))
    return Related(articles.relationships["author"], Compare(people, "id", "eq", (UUID(caller),)))


def unless_stranger(request: Any) -> Any:
    """Nobody of the team in the header is seen."""
    team = request.headers.get("X-Strangers")
    if team is None:
        return None
    return Not(Compare(request.jsonapi_resources["people"], "team", "eq", (team,)))


def unless_hidden(request: Any) -> Any:
    """No comment is seen by those who say so."""
    return Or(()) if "X-Comments" in request.headers else None


def hidden_of(kind: str) -> Callable[[Any], Hidden | None]:
    """What the header says is hidden of a type, but of the caller's own."""

    def hidden(request: Any) -> Hidden | None:
        paths = (path.split(".") for path in request.headers.get("X-Hidden", "").split())
        names = frozenset(name for type, name in paths if type == kind)
        caller = request.headers.get("X-Caller")
        own = (UUID(caller),) if kind == "people" and caller else ()
        return Hidden(names=names, own=own) if names else None

    return hidden


RULES = {
    "articles": Rules(visible=seen_by_author, hidden=hidden_of("articles")),
    "people": Rules(visible=unless_stranger, hidden=hidden_of("people")),
    "tags": Rules(),
    "comments": Rules(visible=unless_hidden),
}


def show_missing(request: Any) -> Response:
    return Response("The host has no such page.", status=404, content_type="text/plain")


def show_failure(request: Any) -> Response:
    return Response("The host failed.", status=500, content_type="text/plain")


def pages(config: Configurator) -> None:
    """What the host serves outside of the API, with its own answers to what goes wrong there."""
    for view in (crash, be_missing, be_forbidden):
        config.add_route(f"page:{view.__name__}", f"/{view.__name__}")
        config.add_view(view, route_name=f"page:{view.__name__}")
    config.add_notfound_view(show_missing)
    config.add_forbidden_view(show_missing)
    config.add_exception_view(show_failure)


def resources(rules: Mapping[str, Rules]) -> Callable[[Configurator], None]:
    """An include of the resources.

    :param rules: those of each type.
    """

    def include(config: Configurator) -> None:
        config.add_jsonapi_resource(Article, ArticleSchema, rules=rules["articles"])
        config.add_jsonapi_resource(Person, PersonSchema, rules=rules["people"])
        config.add_jsonapi_resource(Tag, TagSchema, rules=rules["tags"])
        config.add_jsonapi_resource(Comment, CommentSchema, rules=rules["comments"])

    return include


def start(config: Configurator) -> None:
    config.add_jsonapi_entry()


def make_toy(
    engine: Engine,
    limits: Limits | None = None,
    include: Callable[..., None] | None = None,
    policy: Any = None,
    *,
    entry: bool = True,
    rules: Mapping[str, Rules] | None = None,
) -> Any:
    """Make the WSGI application, with more of a test's own beside the resources.

    :param rules: the rules of types that have not those above.
    """
    config = Configurator(
        settings={"tm.manager_hook": pyramid_tm.explicit_manager, "tm.annotate_user": False}
    )
    config.include("pyramid_tm")
    config.set_security_policy(policy or AllowEverything())
    config.registry["toy.engine"] = engine
    config.add_request_method(dbsession, reify=True)
    config.add_request_method(dbconnection, reify=True)
    config.include("users_service.jsonapi")
    if limits is not None:
        config.set_jsonapi_limits(limits)
    config.include(resources(RULES | (rules or {})), route_prefix="/toy")
    if entry:
        config.include(start, route_prefix="/toy")
    if include is not None:
        config.include(include, route_prefix="/toy")
    config.include(outcomes, route_prefix=OUTCOMES)
    config.include(pages)
    return config.make_wsgi_app()
