"""The tables. Importing this package registers all of them with Base.metadata."""

from users_service.models.users import User

__all__ = ["User"]
