"""The schemas: one marshmallow-jsonapi schema for each resource and form."""

from users_service.schemas import base
from users_service.schemas.assertions import AssertionSchema
from users_service.schemas.groups import GroupSchema
from users_service.schemas.mailed import (
    EmailChangeSchema,
    NewPasswordSchema,
    PasswordResetSchema,
    SignUpSchema,
    VerificationSchema,
)
from users_service.schemas.roles import RoleSchema
from users_service.schemas.tokens import TokenSchema
from users_service.schemas.users import UserSchema

__all__ = [
    "AssertionSchema",
    "EmailChangeSchema",
    "GroupSchema",
    "NewPasswordSchema",
    "PasswordResetSchema",
    "RoleSchema",
    "SignUpSchema",
    "TokenSchema",
    "UserSchema",
    "VerificationSchema",
    "base",
]
