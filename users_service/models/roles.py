"""The roles table: what the users with a role may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Mapped, mapped_column, relationship

from users_service.models.base import JSON_TYPE, Base, Identified, Timestamped, Versioned
from users_service.models.text_columns import folded_column, name_key_column, text_column

if TYPE_CHECKING:
    from users_service.models.users import User


class Role(Identified, Timestamped, Versioned, Base):
    __tablename__ = "roles"

    name: Mapped[str] = text_column(80, unique=True)
    name_key: Mapped[str] = name_key_column("name")
    name_folded: Mapped[str] = folded_column("name")
    description: Mapped[str | None] = text_column(10_000)
    description_folded: Mapped[str | None] = folded_column("description", nullable=True)
    permissions: Mapped[list[str]] = mapped_column(JSON_TYPE, default=list)

    users: Mapped[list[User]] = relationship(viewonly=True)
