"""The users table, and the key by which e-mail addresses are compared."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from users_service.models.base import Base, Identified, Timestamped, UTCDateTime, Versioned
from users_service.models.groups import Group, managers, memberships
from users_service.models.roles import Role
from users_service.models.text_columns import folded_column, key_column, text_column
from users_service.texts import email_key

if TYPE_CHECKING:
    from users_service.models.tokens import Token


class User(Identified, Timestamped, Versioned, Base):
    __tablename__ = "users"
    # One for each sort field, which serves both directions, and one for the users of a role.
    # Migration 0003 explains them; 0004 adds those for searching within texts.
    __table_args__ = (
        Index(None, "email", "id"),
        Index(None, "name", "id"),
        Index(None, "is_active", "id"),
        Index(None, "creation_time", "id"),
        Index(None, "modification_time", "id"),
        Index(None, "role_id", "id"),
        Base.__table_args__,
    )

    email: Mapped[str] = text_column(254)
    # Computed here, because lower() differs between engines. Case folding can triple a local part
    # of 64 characters; a domain in ASCII has at most 253.
    email_key: Mapped[str] = key_column(450, "email", email_key, operator="eq", unique=True)
    email_folded: Mapped[str] = folded_column("email")
    name: Mapped[str] = text_column(250)
    name_folded: Mapped[str] = folded_column("name")
    is_active: Mapped[bool] = mapped_column(default=False)
    # A role that a user has cannot be deleted.
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id", ondelete="RESTRICT"))

    # argon2id in the form of PHC strings; without one the user cannot sign in by password.
    password_hash: Mapped[str | None] = text_column(255)
    # When it was proven that the address is the user's.
    verification_time: Mapped[datetime | None] = mapped_column(UTCDateTime)

    role: Mapped[Role | None] = relationship(viewonly=True)
    groups: Mapped[list[Group]] = relationship(secondary=memberships, viewonly=True)
    managed_groups: Mapped[list[Group]] = relationship(secondary=managers, viewonly=True)
    tokens: Mapped[list[Token]] = relationship(viewonly=True)

    # What a client sends and is never stored.
    password: ClassVar[str | None] = None
    current_password: ClassVar[str | None] = None

    @validates("email")
    def _is_not_verified(self, _attribute: str, email: str) -> str:
        """Forget that the address was proven, if another one takes its place."""
        if vars(self).get("email") not in (None, email):
            self.verification_time = None
        return email
