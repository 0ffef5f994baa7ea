"""The schemas: one marshmallow-jsonapi schema for each resource, with what clients send and see."""

from users_service.schemas.assertions import AssertionSchema
from users_service.schemas.groups import GroupSchema
from users_service.schemas.roles import RoleSchema
from users_service.schemas.tokens import TokenSchema
from users_service.schemas.users import UserSchema

__all__ = [
    "AssertionSchema",
    "GroupSchema",
    "RoleSchema",
    "TokenSchema",
    "UserSchema",
]
