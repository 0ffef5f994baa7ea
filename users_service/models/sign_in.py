"""The tables behind sign-in that are no resources: tries, codes, mail to be sent, and guards."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from users_service.models.base import Base, Identified, UTCDateTime, now
from users_service.models.text_columns import text_column
from users_service.models.tokens import DIGEST_LENGTH


class SignInTries(Base):
    """The tries to sign in that have one key: of an account, of an address, or of both."""

    __tablename__ = "sign_in_tries"

    key: Mapped[str] = text_column(DIGEST_LENGTH, primary_key=True)
    # Microseconds since 1970: when all tries so far are forgotten (GCRA's theoretical arrival
    # time). Whole numbers, so that the last try of a limit is not lost to rounding.
    arrival_time: Mapped[int] = mapped_column(BigInteger, index=True)


class Code(Base):
    """A code that was mailed, by its digest, and what it allows once."""

    __tablename__ = "codes"

    digest: Mapped[str] = text_column(DIGEST_LENGTH, primary_key=True)
    purpose: Mapped[str] = text_column(20)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = text_column(254)
    name: Mapped[str | None] = text_column(250)
    password_hash: Mapped[str | None] = text_column(255)
    creation_time: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expiration_time: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class Mail(Identified, Base):
    """A mail to be sent. It never holds a code: the code is made when the mail is."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "sent_time", "due_time"), Base.__table_args__)

    purpose: Mapped[str] = text_column(20)
    email: Mapped[str] = text_column(254)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    data: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )
    tries: Mapped[int] = mapped_column(default=0)
    creation_time: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    due_time: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    sent_time: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Guard(Base):
    """A row to be locked by those whose changes must not meet, such as of the administrators."""

    __tablename__ = "guards"

    name: Mapped[str] = text_column(40, primary_key=True)
