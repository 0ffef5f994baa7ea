"""Bounds the tries to sign in, each reserved before the password is hashed; and mail.

A try counts for the account with the address it comes from, for the address, and for the account.
A success gives back what it has reserved, and makes the address a known one of the account: from
there, what others try elsewhere does not lock it out.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from pyramid.request import Request
from sqlalchemy import Connection

from users_service.auth.tries import (
    SECOND,
    TooManyTriesError,
    Tried,
    count_all,
    forget_all,
    give_all_back,
    key_of,
    keys_of,
    limits_of,
    network_of,
    reserve_all,
    settle,
)
from users_service.database import in_transaction
from users_service.jsonapi import Error, JSONAPIError
from users_service.settings import Settings

Result = TypeVar("Result")


def reserve(
    request: Request, account: str, read: Callable[[Connection], Result]
) -> tuple[Tried, Result]:
    """Reserve a try to sign in, in a transaction of its own.

    :param account: the key of the e-mail address that was sent, whether somebody has it or not.
    :param read: called in the same transaction if the try is let through. Reads over connections
        for reads would take those from other requests.
    :returns: what is reserved, and what was read.
    :raises JSONAPIError: 429 if there were too many.
    """
    keys = keys_of(account, request.client_addr or "", request.registry["settings"])

    def reserve_and_read(connection: Connection) -> tuple[Tried, Result]:
        return reserve_all(connection, keys, _now()), read(connection)

    with _refused("Too many tries to sign in"):
        return _alone(request, reserve_and_read)


def reserve_mail(request: Request, recipient: str) -> None:
    """Count a mail that a request asks for, for its recipient and for the client's address.

    :param recipient: the key of its e-mail address.
    :raises JSONAPIError: 429 if there were as many as there may be tries to sign in.
    """
    settings: Settings = request.registry["settings"]
    counts = {
        key_of("mail to", recipient): settings.sign_in_tries,
        key_of(
            "mail by", network_of(request.client_addr or "")
        ): settings.sign_in_tries_per_address,
    }
    count = partial(count_all, limits=limits_of(counts, settings), now=_now())
    with _refused("Too much mail was asked for"):
        _alone(request, count)


def reserve_current(request: Request, user_id: UUID) -> None:
    """Count a try of who has signed in to know its current password.

    :raises JSONAPIError: 429 if there were as many as there may be tries to sign in.
    """
    settings: Settings = request.registry["settings"]
    limits = limits_of({_current(user_id): settings.sign_in_tries}, settings)
    with _refused("Too many tries of the current password"):
        _alone(request, partial(count_all, limits=limits, now=_now()))


def forget_current(request: Request, user_id: UUID) -> None:
    """Forget these tries: one was right."""
    _alone(request, partial(forget_all, keys=[_current(user_id)], now=_now()))


def _current(user_id: UUID) -> str:
    return key_of("current password", str(user_id))


@contextmanager
def _refused(detail: str) -> Iterator[None]:
    """Answer with 429 where there were too many."""
    try:
        yield
    except TooManyTriesError as error:
        seconds = -(-error.wait // SECOND)
        fault = Error(code="too_many_requests", detail=f"{detail}; try again in {seconds} seconds.")
        raise JSONAPIError(fault, headers={"Retry-After": str(seconds)}) from None


def give_back(request: Request, tried: Tried) -> None:
    """Give back the try of a success, forget the failures of the account from its address, and let
    the address be a known one."""
    _alone(request, partial(settle, tried=tried, now=_now()))


def withdraw(request: Request, tried: Tried) -> None:
    """Give back a try that was not made, as too many passwords are hashed already."""
    _alone(request, partial(give_all_back, tried=tried, now=_now()))


def _alone(request: Request, work: Callable[[Connection], Result]) -> Result:
    deadline = request.registry["settings"].retry_deadline
    return in_transaction(request.registry["writing"], work, deadline)


def _now() -> int:
    return time.time_ns() // 1000
