"""The models. Importing this package registers all tables with `Base.metadata`."""

from users_service.models import tables
from users_service.models.base import JSON_TYPE, Base, Exact, Json, UTCDateTime, indexes
from users_service.models.groups import Group, managers, memberships
from users_service.models.mail import Code, Mail
from users_service.models.roles import Role
from users_service.models.sign_in import Guard, SignInTries
from users_service.models.text_columns import computed_values
from users_service.models.tokens import Token
from users_service.models.users import User
from users_service.texts import email_key

__all__ = [
    "JSON_TYPE",
    "Base",
    "Code",
    "Exact",
    "Group",
    "Guard",
    "Json",
    "Mail",
    "Role",
    "SignInTries",
    "Token",
    "UTCDateTime",
    "User",
    "computed_values",
    "email_key",
    "indexes",
    "managers",
    "memberships",
    "tables",
]
