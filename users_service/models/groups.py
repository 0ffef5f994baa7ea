"""The groups table, and the association tables of their members and managers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, Index, Table
from sqlalchemy.orm import Mapped, relationship

from users_service.models.base import UUID_TYPE, Base, Identified, Timestamped, Versioned
from users_service.models.text_columns import folded_column, name_key_column, text_column

if TYPE_CHECKING:
    from users_service.models.users import User

# The database deletes a membership together with its user or its group.
memberships = Table(
    "memberships",
    Base.metadata,
    Column("user_id", UUID_TYPE, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", UUID_TYPE, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "group_id", "user_id"),
    **Base.__table_args__,
)

managers = Table(
    "group_managers",
    Base.metadata,
    Column("user_id", UUID_TYPE, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", UUID_TYPE, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "group_id", "user_id"),
    **Base.__table_args__,
)


class Group(Identified, Timestamped, Versioned, Base):
    __tablename__ = "groups"

    name: Mapped[str] = text_column(250, unique=True)
    name_key: Mapped[str] = name_key_column("name")
    name_folded: Mapped[str] = folded_column("name")
    description: Mapped[str | None] = text_column(10_000)
    description_folded: Mapped[str | None] = folded_column("description", nullable=True)

    members: Mapped[list[User]] = relationship(secondary=memberships, viewonly=True)
    managers: Mapped[list[User]] = relationship(secondary=managers, viewonly=True)
