"""The tables of the models, for statements without the ORM."""

from typing import Any

from sqlalchemy import Table

from users_service.models.mail import Code, Mail
from users_service.models.roles import Role
from users_service.models.sign_in import Guard, SignInTries
from users_service.models.tokens import Token
from users_service.models.users import User


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


codes = _table(Code)
guards = _table(Guard)
outbox = _table(Mail)
roles = _table(Role)
sign_in_tries = _table(SignInTries)
tokens = _table(Token)
users = _table(User)
