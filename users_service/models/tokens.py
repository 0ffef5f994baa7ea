"""The tokens table: what users sign in with. Of a token only a digest is stored."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from users_service.models.base import (
    JSON_TYPE,
    Base,
    Identified,
    Timestamped,
    UTCDateTime,
    Versioned,
)
from users_service.models.text_columns import folded_column, text_column
from users_service.models.users import User

DIGEST_LENGTH = 64
"""Characters of a SHA-256 in hexadecimal."""


class Token(Identified, Timestamped, Versioned, Base):
    """A token of a user. One without a name is a sign-in."""

    __tablename__ = "tokens"
    __table_args__ = (
        Index(None, "user_id", "id"),
        Index(None, "expiration_time", "id"),
        Base.__table_args__,
    )

    name: Mapped[str | None] = text_column(80)
    name_folded: Mapped[str | None] = folded_column("name", nullable=True)
    digest: Mapped[str] = text_column(DIGEST_LENGTH, unique=True)
    permissions: Mapped[list[str] | None] = mapped_column(JSON_TYPE)
    expiration_time: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_time: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str | None] = text_column(45)
    address_folded: Mapped[str | None] = folded_column("address", nullable=True)
    user_agent: Mapped[str | None] = text_column(500)
    user_agent_folded: Mapped[str | None] = folded_column("user_agent", nullable=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship(viewonly=True)

    # What a client sends to sign in, and gets once: never stored.
    email: ClassVar[str | None] = None
    password: ClassVar[str | None] = None
    transport: ClassVar[str | None] = None
    secret: ClassVar[str | None] = None
