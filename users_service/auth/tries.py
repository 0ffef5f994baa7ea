"""Counts tries, by the generic cell rate algorithm (GCRA).

It needs one row for each thing that is counted: the time at which all tries so far are forgotten.
Rows that are missing are made; then all are locked in the order of their keys, and written.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite

from users_service.database import delete_some, in_transaction
from users_service.models.tables import sign_in_tries
from users_service.settings import Settings

SECOND = 1_000_000  # microseconds, the unit of all times here

# How long an address stays a known one after a success.
KNOWN_FOR = 182 * 86_400 * SECOND

IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tries may be made at once with one key.

    :param interval: microseconds after which one more may be made.
    """

    most: int
    interval: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a try is counted for.

    :param limits: by key.
    :param both: the key of the account with the address.
    :param account: the key of the account.
    :param known: the key of the row that says until when the address is a known one.
    """

    limits: Mapping[str, Limit]
    both: str
    account: str
    known: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that is reserved, with the arrival time that it has made, by key."""

    keys: Keys
    until: Mapping[str, int]


class TooManyTriesError(Exception):
    """There were too many tries.

    :param wait: microseconds until the next one may be made.
    """

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


def keys_of(account: str, address: str, settings: Settings) -> Keys:
    """Return what a try is counted for.

    :param address: that of the client; of IPv6 its first 64 bits count, which one subscriber has.
    """
    network = network_of(address)
    both, alone = key_of("both", account, network), key_of("account", account)
    counts = {
        both: settings.sign_in_tries,
        key_of("address", network): settings.sign_in_tries_per_address,
        alone: settings.sign_in_tries_per_account,
    }
    known = key_of("known", account, network)
    return Keys(limits=limits_of(counts, settings), both=both, account=alone, known=known)


def limits_of(counts: Mapping[str, int], settings: Settings) -> dict[str, Limit]:
    """Return the limits of keys that may be counted so often in the window."""
    window = round(settings.sign_in_window * SECOND)
    return {key: Limit(most, window // most) for key, most in counts.items()}


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


def key_of(*parts: str) -> str:
    """The key of the row of what is named by these parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def reserve_all(connection: Connection, keys: Keys, now: int) -> Tried:
    """Reserve a try for all that it is counted for.

    From a known address it is not counted for the account.

    :param now: microseconds since 1970.
    :raises TooManyTriesError: if there were too many. The transaction is then to be rolled back, so
        that tries that are refused store nothing.
    """
    stored = _locked(connection, keys.limits, keys.known, now)
    is_known = stored.get(keys.known, now) > now
    counted = {k: limit for k, limit in keys.limits.items() if not is_known or k != keys.account}
    return Tried(keys, _count(connection, counted, stored, now))


def count_all(connection: Connection, limits: Mapping[str, Limit], now: int) -> None:
    """Count something for all keys of the limits.

    :raises TooManyTriesError: as `reserve_all`.
    """
    _count(connection, limits, _locked(connection, limits, None, now), now)


def forget_all(connection: Connection, keys: Iterable[str], now: int) -> None:
    """Forget what was counted for some keys."""
    _store(connection, dict.fromkeys(_locked(connection, keys, None, now), now))


def _count(
    connection: Connection, limits: Mapping[str, Limit], stored: Mapping[str, int], now: int
) -> dict[str, int]:
    until = {key: max(stored[key], now) + limit.interval for key, limit in limits.items()}
    wait = max(until[key] - now - limit.most * limit.interval for key, limit in limits.items())
    if wait > 0:
        raise TooManyTriesError(wait)
    _store(connection, until)
    return until


def give_all_back(connection: Connection, tried: Tried, now: int) -> None:
    """Give back what `reserve_all` has reserved, as far as it is not forgotten already."""
    stored = _locked(connection, tried.until, None, now)
    _store(connection, _without(tried, stored, now))


def settle(connection: Connection, tried: Tried, now: int) -> None:
    """Give back what `reserve_all` has reserved, and what the account has tried from the address;
    from now on, the address is a known one."""
    keys = tried.keys
    stored = _locked(connection, [*tried.until, keys.known], None, now)
    times = _without(tried, stored, now)
    _store(connection, times | {keys.both: now, keys.known: now + KNOWN_FOR})


def _without(tried: Tried, stored: Mapping[str, int], now: int) -> dict[str, int]:
    return {
        key: stored[key] - max(0, min(tried.keys.limits[key].interval, until - now))
        for key, until in tried.until.items()
    }


def _locked(
    connection: Connection, keys: Iterable[str], more: str | None, now: int
) -> dict[str, int]:
    """Make the rows that are missing, and lock all of them in the order of their keys.

    :param more: the key of one that may be missing.
    :returns: the arrival times by key.
    """
    needed = sorted(keys)
    rows = [{"key": key, "arrival_time": now} for key in needed]
    found = select(sign_in_tries.c.key, sign_in_tries.c.arrival_time)
    found = found.where(sign_in_tries.c.key.in_([*needed, *([more] if more else [])]))
    found = found.order_by(sign_in_tries.c.key).with_for_update()
    stored: dict[str, int] = {}
    while not stored.keys() >= set(needed):  # a purge may delete a row before it is locked
        connection.execute(_insert_missing(connection).values(rows))
        stored = {row.key: row.arrival_time for row in connection.execute(found)}
    return stored


def _insert_missing(connection: Connection) -> Any:
    match connection.dialect.name:
        case "postgresql":
            return postgresql.insert(sign_in_tries).on_conflict_do_nothing()
        case "sqlite":
            return sqlite.insert(sign_in_tries).on_conflict_do_nothing()
        case _:
            # INSERT IGNORE would take gap locks, which deadlock.
            insert = mysql.insert(sign_in_tries)
            return insert.on_duplicate_key_update(key=sign_in_tries.c.key)


def _store(connection: Connection, times: Mapping[str, int]) -> None:
    statement = update(sign_in_tries).where(sign_in_tries.c.key == bindparam("of"))
    statement = statement.values(arrival_time=bindparam("at"))
    connection.execute(statement, [{"of": key, "at": times[key]} for key in sorted(times)])


def purge_tries(engine: Engine, now: int, deadline: float) -> int:
    """Delete the rows that say nothing any more, in short transactions.

    :param now: microseconds since 1970.
    :param deadline: seconds in which a transaction may begin again after a conflict.
    :returns: how many were deleted.
    """
    is_over = sign_in_tries.c.arrival_time <= now
    some = partial(delete_some, key=sign_in_tries.c.key, is_over=is_over)
    return sum(iter(lambda: in_transaction(engine, some, deadline), 0))
