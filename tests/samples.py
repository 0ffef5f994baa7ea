"""A resource beside those of the service, with a field of every type that resources can have."""

from datetime import date, datetime
from decimal import Decimal as Number
from typing import Any

from marshmallow.validate import Length
from pyramid.config import Configurator
from pyramid.router import Router
from sqlalchemy import BigInteger, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.client import API
from users_service import configure
from users_service.models import JSON_TYPE, Base, Exact, UTCDateTime, indexes
from users_service.models.base import NAMING_CONVENTION, Identified, Timestamped, Versioned
from users_service.models.text_columns import compute_on_assignment, folded_column, text_column
from users_service.schemas.base import (
    Boolean,
    Choice,
    Date,
    Decimal,
    Email,
    Identifier,
    Integer,
    Line,
    List,
    Object,
    Schema,
    Text,
    Timestamp,
    Url,
)

SAMPLES = f"{API}/samples"


class Tables(DeclarativeBase):
    """Its tables are not those of the service, which its migrations make."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        compute_on_assignment(cls)


class Sample(Identified, Timestamped, Versioned, Tables):
    __tablename__ = "samples"
    __table_args__ = (*indexes("amount", "rate", "count", "day"), Base.__table_args__)

    line: Mapped[str | None] = text_column(80)
    line_folded: Mapped[str | None] = folded_column("line", nullable=True)
    text: Mapped[str | None] = text_column(1000)
    email: Mapped[str | None] = text_column(254)
    url: Mapped[str | None] = text_column(2000)
    is_open: Mapped[bool | None]
    count: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[Number | None] = mapped_column(Exact(12, 2))
    limit: Mapped[Number | None] = mapped_column("most", Exact(12, 2))
    rate: Mapped[Number | None] = mapped_column(Exact(18, 18))
    day: Mapped[date | None]
    end: Mapped[date | None] = mapped_column("last_day")
    time: Mapped[datetime | None] = mapped_column(UTCDateTime)
    kind: Mapped[str] = text_column(5, default="squad")
    mood: Mapped[str | None] = text_column(5)
    tags: Mapped[list[str] | None] = mapped_column(JSON_TYPE)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON_TYPE)


class SampleSchema(Schema):
    class Meta:
        type_ = "samples"

    id = Identifier()
    line = Line(max_length=80, allow_none=True)
    text = Text(max_length=1000, allow_none=True)
    email = Email(allow_none=True)
    url = Url(allow_none=True)
    is_open = Boolean(allow_none=True)
    count = Integer(allow_none=True)
    amount = Decimal(digits=12, scale=2, allow_none=True)
    limit = Decimal(digits=12, scale=2, minimum=0, maximum="99.50", allow_none=True)
    rate = Decimal(digits=18, scale=18, allow_none=True)
    day = Date(allow_none=True)
    end = Date(allow_none=True)
    time = Timestamp(allow_none=True)
    kind = Choice({"squad": "Squad", "guild": "Guild"})
    mood = Choice({"glad": "Glad", "sad": "Sad"}, allow_none=True)
    tags = List(Line(max_length=20), validate=Length(max=3), allow_none=True)
    facts = Object(max_bytes=1000, allow_none=True)
    creation_time = Timestamp(dump_only=True)
    modification_time = Timestamp(dump_only=True)


def include(config: Configurator) -> None:
    """Add the resource to the service."""
    config.include(_add, route_prefix=API)


def _add(config: Configurator) -> None:
    config.add_jsonapi_resource(Sample, SampleSchema)


def main(_global: dict[str, str], **ini: str) -> Router:
    """The service with the resource, for `pserve`; it makes its table."""
    config = configure(ini)
    config.include(include)
    Tables.metadata.create_all(config.registry["engines"]["writing"])
    return config.make_wsgi_app()


def sample(**attributes: Any) -> dict[str, Any]:
    """A document with one sample in it."""
    return {"data": {"type": "samples", "attributes": attributes}}
