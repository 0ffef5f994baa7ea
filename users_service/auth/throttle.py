"""Bounds the tries to sign in: each is reserved before the password is hashed.

A try counts for the account with the address it comes from, for the address, and for the account.
It is reserved by the generic cell rate algorithm (GCRA): for each of these, one row has the time at
which all tries so far are forgotten. A success gives back what it has reserved, and makes the
address one that the account has signed in from: nobody else can lock the account out there.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from pyramid.request import Request
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from users_service.database import is_conflict
from users_service.jsonapi import Error, JSONAPIError, begin_changes
from users_service.models.tables import sign_in_tries
from users_service.settings import Settings

# Times that a transaction is tried which the engine gives up because of another one.
ATTEMPTS = 20

# Seconds that an address stays one that an account has signed in from: half a year.
KNOWN_FOR = 182 * 86_400.0

IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many tries with one key there may be in the window.

    :param increment: seconds after which one of them is forgotten.
    :param burst: seconds after which all of them are.
    """

    increment: float
    burst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """The tries that a request has reserved: limits by key, and the key of the known address."""

    limits: Mapping[str, Limit]
    both: str
    account: str
    known: str


def reserve(request: Request, account: str) -> Tries:
    """Reserve a try to sign in.

    :param account: the key of the e-mail address that was sent, whether somebody has it or not.
    :raises JSONAPIError: 429 if there were too many.
    """
    settings = request.registry["settings"]
    tries = tries_of(account, request.client_addr or "", settings)
    now = time.time()
    wait = _in_transaction(request, lambda connection: reserve_all(connection, tries, now))
    if wait > 0:
        seconds = int(wait) + 1
        detail = f"Too many tries to sign in; try again in {seconds} seconds."
        fault = Error(code="too_many_requests", detail=detail)
        raise JSONAPIError(fault, headers={"Retry-After": str(seconds)})
    return tries


def give_back(request: Request, tries: Tries) -> None:
    """Give back what a success has reserved, and forget the failures of the account from there."""
    now = time.time()
    _in_transaction(request, lambda connection: give_all_back(connection, tries, now))


def tries_of(account: str, address: str, settings: Settings) -> Tries:
    """Return the keys of a try with their limits.

    :param address: that of the client; of IPv6 its first 64 bits count, which one subscriber has.
    """
    network = network_of(address)
    window = settings.sign_in_window
    both, alone = _key("both", account, network), _key("account", account)
    counts = {
        both: settings.sign_in_tries,
        _key("address", network): settings.sign_in_tries_per_address,
        alone: settings.sign_in_tries_per_account,
    }
    limits = {key: Limit(increment=window / n, burst=window) for key, n in counts.items()}
    known = _key("known", account, network)
    return Tries(limits=limits, both=both, account=alone, known=known)


def network_of(address: str) -> str:
    """Return the address, or for IPv6 the network, that tries are counted for."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Network((found, IPV6_PREFIX), strict=False))
    return str(found)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def reserve_all(connection: Connection, tries: Tries, now: float) -> float:
    """Reserve a try with all of its keys, or with none.

    :param now: seconds since 1970.
    :returns: the seconds to wait; 0 if the try is reserved.
    """
    stored = _locked(connection, [*tries.limits, tries.known], now)
    limits = dict(tries.limits)
    if stored[tries.known] > now:  # the account has signed in from there
        del limits[tries.account]
    later, wait = {}, 0.0
    for key, limit in limits.items():
        later[key] = max(stored[key], now) + limit.increment
        wait = max(wait, later[key] - limit.burst - now)
    if wait > 1e-6:
        return wait
    _store(connection, later)
    return 0.0


def give_all_back(connection: Connection, tries: Tries, now: float) -> None:
    """Give back what `reserve_all` has reserved, and note the address as a known one."""
    stored = _locked(connection, [*tries.limits, tries.known], now)
    less = {key: stored[key] - limit.increment for key, limit in tries.limits.items()}
    if stored[tries.known] > now:
        del less[tries.account]  # it was not reserved
    _store(connection, less | {tries.both: now, tries.known: now + KNOWN_FOR})


def _locked(connection: Connection, keys: Sequence[str], now: float) -> dict[str, float]:
    """Make the rows that are missing, and lock all of them in the order of their keys."""
    _insert_missing(connection, [{"key": key, "arrival_time": now} for key in sorted(keys)])
    found = select(sign_in_tries.c.key, sign_in_tries.c.arrival_time)
    found = found.where(sign_in_tries.c.key.in_(keys)).order_by(sign_in_tries.c.key)
    return {row.key: row.arrival_time for row in connection.execute(found.with_for_update())}


def _insert_missing(connection: Connection, rows: list[dict[str, Any]]) -> None:
    statement: Any
    match connection.dialect.name:
        case "postgresql":
            statement = postgresql.insert(sign_in_tries).on_conflict_do_nothing()
        case "sqlite":
            statement = sqlite.insert(sign_in_tries).on_conflict_do_nothing()
        case _:
            # INSERT IGNORE would take gap locks, which deadlock.
            insert = mysql.insert(sign_in_tries)
            statement = insert.on_duplicate_key_update(key=sign_in_tries.c.key)
    for row in rows:
        connection.execute(statement, row)


def _store(connection: Connection, times: Mapping[str, float]) -> None:
    for key in sorted(times):
        statement = update(sign_in_tries).where(sign_in_tries.c.key == key)
        connection.execute(statement.values(arrival_time=times[key]))


def _in_transaction(request: Request, work: Any) -> Any:
    """Do something in a transaction of its own, and again if the engine gives it up."""
    engine = request.registry["writing"]
    for attempt in range(ATTEMPTS):
        try:
            with engine.connect() as connection:
                begin_changes(connection)
                result = work(connection)
                connection.commit()
                return result
        except DBAPIError as error:
            if attempt + 1 == ATTEMPTS or not is_conflict(error):
                raise
    raise AssertionError


def purge_tries(connection: Connection, now: float, most: int) -> int:
    """Delete rows that say nothing any more.

    :param most: how many at once.
    :returns: how many were deleted.
    """
    found = select(sign_in_tries.c.key).where(sign_in_tries.c.arrival_time <= now).limit(most)
    keys = connection.execute(found).scalars().all()
    if keys:
        connection.execute(
            delete(sign_in_tries).where(
                sign_in_tries.c.key.in_(keys), sign_in_tries.c.arrival_time <= now
            )
        )
    return len(keys)
