"""The tables. Importing this package registers all of them with Base.metadata."""

from users_service.models.groups import Group
from users_service.models.roles import Role
from users_service.models.users import User

__all__ = ["Group", "Role", "User"]
