"""What a client may send and see: one marshmallow-jsonapi schema for each resource."""

from users_service.schemas.groups import GroupSchema
from users_service.schemas.roles import RoleSchema
from users_service.schemas.users import UserSchema

__all__ = ["GroupSchema", "RoleSchema", "UserSchema"]
