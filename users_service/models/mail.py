"""The tables behind mail: codes that were mailed, and the outbox of mail to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from users_service.models.base import Base, Identified, UTCDateTime, now
from users_service.models.text_columns import text_column
from users_service.models.tokens import DIGEST_LENGTH


class Code(Base):
    """A code that was mailed, by its digest, and what it allows once.

    Of a sign-up it has the name and the password hash that the user will have; else the user, and
    the password hash that the user must still have.
    """

    __tablename__ = "codes"

    digest: Mapped[str] = text_column(DIGEST_LENGTH, primary_key=True)
    purpose: Mapped[str] = text_column(20)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = text_column(254)
    name: Mapped[str | None] = text_column(250)
    password_hash: Mapped[str | None] = text_column(255)
    expiration_time: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class Mail(Identified, Base):
    """A mail to be sent, or one that was. It never holds a code: the code is made when the mail is.

    `claim_time` is until when a worker has it, `done_time` when it was sent, or given up.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "done_time", "due_time"), Base.__table_args__)

    purpose: Mapped[str] = text_column(20)
    email: Mapped[str] = text_column(254)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    # What the mail needs besides, such as the name and the password hash of a sign-up.
    data: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )
    tries: Mapped[int] = mapped_column(default=0)
    creation_time: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    due_time: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    claim_time: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_time: Mapped[datetime | None] = mapped_column(UTCDateTime)
