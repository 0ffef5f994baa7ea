"""The users table, and what makes two e-mail addresses the same."""

from __future__ import annotations

import unicodedata
from uuid import UUID

import idna
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from users_service.models.base import Base, Identified, Timestamped, Versioned, text_column
from users_service.models.groups import Group, memberships
from users_service.models.roles import Role


def email_key(email: str) -> str:
    """Return what two spellings of one address have in common.

    The local part is compared by canonical caseless matching (Unicode §3.13, D145), the domain in
    its ASCII form (UTS #46), so that `José@Bücher.example`, its decomposed form and
    `josé@xn--bcher-kva.example` have one key, while `jose@` and `mıke@` keep their own.
    """
    if email.isascii():  # of which the rules below leave no more than this
        return email.lower()
    local, at, domain = email.rpartition("@")
    local = unicodedata.normalize("NFD", local).casefold()
    try:
        domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        domain = unicodedata.normalize("NFD", domain).casefold()
    return unicodedata.normalize("NFC", local + at + domain)


class User(Identified, Timestamped, Versioned, Base):
    __tablename__ = "users"
    # One for each field that users are sorted by, in either direction, and for the users of a role;
    # migration 0003 says more, and adds those for searching within texts.
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
    # Computed here and not by the engine, whose lower() differs from one to the next. Case folding
    # can triple a local part of 64 characters; a domain in ASCII has at most 253.
    email_key: Mapped[str] = text_column(
        450, unique=True, info={"attribute": "email", "compute": email_key}
    )
    name: Mapped[str] = text_column(250)
    is_active: Mapped[bool] = mapped_column(default=False)
    # A role that users hold cannot be deleted.
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id", ondelete="RESTRICT"))

    role: Mapped[Role | None] = relationship(viewonly=True)
    groups: Mapped[list[Group]] = relationship(secondary=memberships, viewonly=True)

    @validates("email")
    def _compute_key(self, _attribute: str, email: str) -> str:
        self.email_key = email_key(email)
        return email
