"""Ends tokens: a change of a user that ends them, and the token of a request."""

from collections.abc import Sequence
from uuid import UUID

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy import Connection, delete

from users_service.auth.credentials import SECURE_COOKIE, cookie_name
from users_service.jsonapi import Change
from users_service.models.tables import tokens


def end_tokens_of(connection: Connection, user_id: UUID, but: UUID | None = None) -> None:
    """End the tokens of a user.

    :param but: the id of a token that stays.
    """
    statement = delete(tokens).where(tokens.c.user_id == user_id)
    connection.execute(statement if but is None else statement.where(tokens.c.id != but))


def end_tokens(request: Request, changes: Sequence[Change]) -> None:
    """End the tokens of users who have been deactivated, or have got another password.

    A user who changes its own password keeps the token that it did so with. (The database deletes
    tokens together with their user.)
    """
    for change in changes:
        if change.resource.type == "users" and _ends_tokens(change):
            caller = request.caller
            own = change.id == caller.user_id
            end_tokens_of(request.dbconnection, change.id, caller.token_id if own else None)
        elif _is_own_end(request, change):
            request.add_response_callback(forget_cookie)


def _is_own_end(request: Request, change: Change) -> bool:
    """Whether a change ends the token of the request."""
    is_end = change.resource.type == "tokens" and change.kind == "delete"
    return is_end and bool(change.id == request.caller.token_id)


def _ends_tokens(change: Change) -> bool:
    if change.kind != "update":
        return False
    return change.after.get("is_active") is False or "password" in change.sent


def set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    """Put a token into the cookie of the browser UI (RFC 6265bis §4.1.3).

    :param seconds: the lifetime of the token.
    """
    name = cookie_name(request)
    response.set_cookie(
        name,
        token,
        max_age=seconds,
        path="/",
        secure=name == SECURE_COOKIE,
        httponly=True,
        samesite="Strict",
    )


def forget_cookie(request: Request, response: Response) -> None:
    if request.caller.is_cookie:
        set_cookie(request, response, "", 0)


def includeme(config: Configurator) -> None:
    config.add_jsonapi_change_handler(end_tokens)
