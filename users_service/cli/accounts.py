"""The commands about users and their tokens, for the first administrator and for emergencies.

No password or token is an argument, where other users of the machine could see it.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from getpass import getpass
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from users_service import database
from users_service.auth import Passwords, digest, end_tokens_of, new_token, take_role
from users_service.faults import CommandFailedError
from users_service.models import Role, Token, User, email_key
from users_service.permissions import ALL, fault_of
from users_service.schemas import TokenSchema, UserSchema
from users_service.settings import Settings

ADMIN = "admin"


class AccountError(CommandFailedError):
    """What an account command cannot do, as one sentence."""


def add_commands(commands: Any) -> None:
    """Add the commands to the sub-parsers of `users-service`."""
    user = commands.add_parser("user", help="make users, and set their passwords")
    users = user.add_subparsers(title="commands", required=True)
    create = _command(users, "create", "make a user", create_user)
    create.add_argument("--email", required=True, help="the e-mail address")
    create.add_argument("--name", required=True, help="the name")
    create.add_argument(
        "--role", help=f"the name of the role; {ADMIN} is made with all permissions if needed"
    )
    create.add_argument("--inactive", action="store_true", help="the user cannot sign in yet")
    password = _command(users, "password", "set a password, and end all tokens", set_password)
    password.add_argument("--email", required=True, help="the e-mail address")
    for command in (create, password):
        command.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
    token = commands.add_parser("token", help="make tokens")
    tokens = token.add_subparsers(title="commands", required=True)
    create = _command(tokens, "create", "make a token, and print it once", create_token)
    create.add_argument("--email", required=True, help="the e-mail address of its user")
    create.add_argument("--name", required=True, help="what the token is for")
    create.add_argument(
        "--permissions", nargs="+", metavar="P", help="narrow it to these, such as users:read"
    )
    create.add_argument("--days", type=int, metavar="D", help="for how long it is good")


def _command(commands: Any, name: str, help: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=run.__doc__)
    parser.add_argument("ini", help="the ini file of the service, such as production.ini")
    parser.set_defaults(run=run)
    return parser


def create_user(options: argparse.Namespace) -> None:
    """Make a user. Its password is asked for; without one it cannot sign in by password."""
    schema = UserSchema()
    email, name = _loaded(schema, "email", options.email), _loaded(schema, "name", options.name)
    with _session(options.ini) as (session, settings):
        role_id = None if options.role is None else _take_role(session, options.role)
        hashed = _password(options, settings, email, name)
        user = User(
            email=email,
            name=name,
            is_active=not options.inactive,
            password_hash=hashed,
            role_id=role_id,
        )
        session.add(user)
        try:
            session.flush()
        except IntegrityError:
            raise AccountError(f"There is a user with the address {email} already.") from None
        print(f"The user {user.id} is made.")


def set_password(options: argparse.Namespace) -> None:
    """Set the password of a user, which is asked for, and end all of the user's tokens."""
    with _session(options.ini) as (session, settings):
        user = _user(session, options.email)
        hashed = _password(options, settings, user.email, user.name)
        if hashed is None:
            raise AccountError("A password is needed.")
        user.password_hash = hashed
        end_tokens_of(session.connection(), user.id)
        print(f"The password of {user.email} is set, and its tokens have ended.")


def create_token(options: argparse.Namespace) -> None:
    """Make a token of a user, and print it: it is shown nowhere else."""
    name = _loaded(TokenSchema(), "name", options.name)
    for permission in options.permissions or ():
        if fault := fault_of(permission):
            raise AccountError(f"--permissions {permission}: {fault}")
    with _session(options.ini) as (session, settings):
        user = _user(session, options.email)
        days = settings.token_lifetime if options.days is None else options.days
        if not 1 <= days <= settings.token_max_lifetime:
            most = settings.token_max_lifetime
            raise AccountError(f"--days must be from 1 to {most}, the setting token_max_lifetime.")
        secret = new_token()
        session.add(
            Token(
                name=name,
                digest=digest(secret),
                permissions=options.permissions,
                expiration_time=datetime.now(UTC) + timedelta(days=days),
                user_id=user.id,
            )
        )
        session.flush()
    print(secret)


@contextmanager
def _session(ini: str) -> Iterator[tuple[Session, Settings]]:
    """A session on the database of an ini file, committed at the end; and the settings."""
    settings = database.settings_of(ini)
    engine = database.make_engine(settings)
    try:
        database.check_schema(engine)
        with Session(engine) as session, session.begin():
            yield session, settings
    finally:
        engine.dispose()


def _loaded(schema: Any, name: str, text: str, said: str = "") -> Any:
    try:
        return schema.fields[name].deserialize(text)
    except ValidationError as error:
        messages: Any = error.messages
        raise AccountError(f"{said or f'--{name}'}: {' '.join(map(str, messages))}") from None


def _user(session: Session, email: str) -> User:
    user = session.scalar(select(User).where(User.email_key == email_key(email.strip())))
    if user is None:
        raise AccountError(f"There is no user with the address {email}.")
    return user


def _take_role(session: Session, name: str) -> UUID:
    """Take the role with a name for a new user; `admin` is made if there is none."""
    role_id = take_role(session.connection(), name)
    if role_id is not None:
        return role_id
    if name != ADMIN:
        raise AccountError(f"There is no role {name}.")
    role = Role(name=name, permissions=sorted(ALL))
    session.add(role)
    session.flush()
    return role.id


def _password(options: argparse.Namespace, settings: Settings, email: str, name: str) -> str | None:
    """Read a password, and hash it; None if there is none."""
    text = _read_password(options)
    if text is None:
        return None
    password = _loaded(UserSchema(), "password", text, "The password")
    passwords = Passwords(settings)
    if fault := passwords.weakness(password, email, name):
        raise AccountError(f"The password is refused. {fault}")
    return passwords.hash(password)


def _read_password(options: argparse.Namespace) -> str | None:
    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\n")
        if not password:
            raise AccountError("There is no password on standard input.")
        return password
    if not sys.stdin.isatty():
        return None
    password = getpass("Password (empty for none): ")
    if password and getpass("The same again: ") != password:
        raise AccountError("The two passwords are not the same.")
    return password or None
