"""Tries to sign in are counted in rows that all processes share, and never more than the limit."""

from contextlib import ExitStack
from functools import partial

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, func, select

from users_service.auth.tries import (
    KNOWN_FOR,
    SECOND,
    Keys,
    Limit,
    TooManyTriesError,
    Tried,
    give_all_back,
    keys_of,
    network_of,
    purge_tries,
    reserve_all,
    settle,
)
from users_service.database import in_transaction
from users_service.models.tables import sign_in_tries
from users_service.settings import load

NOW = 1_800_000_000 * SECOND
HERE, THERE, ELSEWHERE = "192.0.2.1", "198.51.100.1", "203.0.113.1"


class Tries:
    """Tries to sign in, at any time.

    :param limits: of an account from one address; of an address; of an account.
    """

    def __init__(self, engine, limits=(3, 100, 100), window=900):
        self.engine = engine
        names = ("sign_in_tries", "sign_in_tries_per_address", "sign_in_tries_per_account")
        ini = dict(
            zip(names, limits, strict=True), sign_in_window=window, database_url="sqlite:///none"
        )
        self.settings = load({f"users_service.{name}": str(ini[name]) for name in ini}, {})

    def reserve(self, address=HERE, account="ada", now=NOW) -> Tried:
        keys = keys_of(account, address, self.settings)
        return in_transaction(self.engine, partial(reserve_all, keys=keys, now=now), 10)

    def wait(self, address=HERE, account="ada", now=NOW) -> float:
        """The seconds that a refused try has to wait."""
        with pytest.raises(TooManyTriesError) as refused:
            self.reserve(address, account, now)
        return refused.value.wait / SECOND

    def settle(self, tried: Tried, now=NOW) -> None:
        in_transaction(self.engine, partial(settle, tried=tried, now=now), 10)

    def withdraw(self, tried: Tried, now=NOW) -> None:
        in_transaction(self.engine, partial(give_all_back, tried=tried, now=now), 10)

    def stored(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(sign_in_tries)).scalar_one()


@pytest.fixture
def tries(service) -> Tries:
    return Tries(service.engine)


def test_all_tries_of_a_window_can_be_made_at_once_and_then_one_in_each_part_of_it(tries):
    for _ in range(3):
        tries.reserve()
    assert tries.wait() == 300
    assert tries.wait(now=NOW + 299 * SECOND) == 1
    tries.reserve(now=NOW + 300 * SECOND)
    assert tries.wait(now=NOW + 300 * SECOND) == 300
    for _ in range(3):
        tries.reserve(now=NOW + 1200 * SECOND)
    assert tries.wait(now=NOW + 1200 * SECOND) == 300


@pytest.mark.parametrize("most", [7, 100, 999_983])
def test_the_last_try_of_a_limit_is_not_lost_to_rounding(most):
    limit = keys_of("ada", HERE, Tries(None, (most, most, most), window=1).settings).limits
    assert {(each.most, each.interval) for each in limit.values()} == {(most, SECOND // most)}


def test_an_address_is_limited_over_all_accounts(service):
    tries = Tries(service.engine, (3, 5, 100))
    for number in range(5):
        tries.reserve(account=f"account {number}")
    assert tries.wait(account="ada") == 180
    tries.reserve(THERE, "ada")


def test_an_account_is_limited_over_all_addresses_but_those_it_has_signed_in_from(service):
    tries = Tries(service.engine, (3, 100, 5))
    tries.settle(tries.reserve(HERE))
    for number in range(5):
        tries.reserve(f"203.0.113.{number}")
    assert tries.wait(THERE) == 180
    tries.settle(tries.reserve(HERE))
    for _ in range(3):
        tries.reserve(HERE)
    assert tries.wait(HERE) == 300


def test_what_a_known_address_fails_does_not_count_for_the_account(service):
    tries = Tries(service.engine, (3, 100, 3))
    tries.settle(tries.reserve(HERE))
    for _ in range(3):
        tries.reserve(HERE)
    tries.reserve(THERE)


def test_an_address_is_known_for_half_a_year_after_a_success(service):
    tries = Tries(service.engine, (3, 100, 1))
    tries.settle(tries.reserve(HERE))
    tries.reserve(THERE, now=NOW + KNOWN_FOR - 2)
    tries.reserve(HERE, now=NOW + KNOWN_FOR - 1)
    assert tries.wait(HERE, now=NOW + KNOWN_FOR) > 0


def test_a_success_forgets_the_failures_of_the_account_from_there(tries):
    for _ in range(2):
        tries.reserve(HERE)
    for _ in range(3):
        tries.reserve(THERE)
    tries.settle(tries.reserve(HERE))
    for _ in range(3):
        tries.reserve(HERE)
    tries.wait(HERE)
    tries.wait(THERE)


def test_a_success_gives_back_its_own_try_of_the_address_and_of_the_account(service):
    tries = Tries(service.engine, (3, 4, 2))
    for _ in range(5):
        tries.settle(tries.reserve(HERE))
    tries.reserve(THERE)
    tries.reserve(ELSEWHERE)
    tries.wait("192.0.2.99")
    for account in ("ada", "grace", "grace", "edsger"):
        tries.reserve(HERE, account)
    tries.wait(HERE, "barbara")


def test_a_try_that_was_not_made_is_given_back_and_nothing_else(tries):
    for _ in range(2):
        tries.reserve()
    tries.withdraw(tries.reserve())
    tries.reserve()
    assert tries.wait() == 300


def test_a_try_that_is_forgotten_already_gives_nothing_back(tries):
    slow = tries.reserve()
    later = NOW + 400 * SECOND
    for _ in range(3):
        tries.reserve(now=later)
    tries.withdraw(slow, now=later)
    assert tries.wait(now=later) == 300


def test_tries_that_are_refused_store_nothing(service):
    tries = Tries(service.engine, (3, 1, 100))
    tries.reserve()
    before = tries.stored()
    for number in range(3):
        tries.wait(account=f"account {number}")
    assert tries.stored() == before


def test_a_purge_deletes_what_says_nothing_any_more(service):
    tries = Tries(service.engine, (1, 10, 100), window=1000)
    tries.settle(tries.reserve(HERE))  # leaves that this address is known
    tries.reserve(THERE, "grace")  # forgotten after 1000, 100 and 10 seconds
    assert purge_tries(tries.engine, NOW, 10) == 3
    assert purge_tries(tries.engine, NOW + 100 * SECOND - 1, 10) == 1
    assert purge_tries(tries.engine, NOW + 100 * SECOND, 10) == 1
    assert tries.wait(THERE, "grace", NOW + 100 * SECOND) == 900
    assert purge_tries(tries.engine, NOW + 1000 * SECOND, 10) == 1
    assert purge_tries(tries.engine, NOW + KNOWN_FOR - 1, 10) == 0
    assert purge_tries(tries.engine, NOW + KNOWN_FOR, 10) == 1
    assert tries.stored() == 0


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_row_that_is_purged_before_it_is_locked_is_made_again(tries):
    """The other engines lock the row by the statement that would have made it."""
    tries.reserve()
    later = NOW + 1000 * SECOND
    other = create_engine(tries.engine.url)
    purged = []

    @event.listens_for(tries.engine, "after_cursor_execute")
    def purge(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT") and not purged:
            purged.append(purge_tries(other, later, 10))

    with ExitStack() as stack:
        stack.callback(other.dispose)
        stack.callback(event.remove, tries.engine, "after_cursor_execute", purge)
        tries.reserve(now=later)
    assert purged == [3]
    assert tries.stored() == 3


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_ipv6_is_counted_by_the_network_that_one_subscriber_has(address, network):
    assert network_of(address) == network


class Bucket:
    """A plain model of one limit: each try is a debt of one interval, which time pays off."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.debt, self.counted = 0, NOW

    def takes_one(self, now: int) -> bool:
        debt = max(0, self.debt - (now - self.counted))
        return debt + self.limit.interval <= self.limit.most * self.limit.interval

    def add(self, tries: int, now: int) -> None:
        self.debt = max(0, self.debt - (now - self.counted)) + tries * self.limit.interval
        self.counted = now


class Model:
    """A plain model of all limits, and of the addresses that an account has signed in from."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.known: set[str] = set()

    def of(self, keys: Keys) -> dict[str, Bucket]:
        """What a try is counted for, by key."""
        for key, limit in keys.limits.items():
            self.buckets.setdefault(key, Bucket(limit))
        exempt = {keys.account} if keys.known in self.known else set()
        return {key: self.buckets[key] for key in keys.limits.keys() - exempt}


steps = st.lists(
    st.tuples(
        st.integers(0, 500),  # seconds since the step before
        st.sampled_from([HERE, THERE]),
        st.sampled_from(["ada", "grace"]),
        st.sampled_from(["fails", "fails", "fails", "succeeds", "is busy"]),
    ),
    max_size=25,
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(steps=steps, limits=st.tuples(*[st.integers(1, 6)] * 3))
@pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
def test_what_is_let_through_is_what_a_plain_model_lets_through(running_service, steps, limits):
    running_service.empty()
    tries, model, now = Tries(running_service.engine, limits), Model(), NOW
    for seconds, address, account, outcome in steps:
        now += seconds * SECOND
        keys = keys_of(account, address, tries.settings)
        buckets = model.of(keys)
        if not all(bucket.takes_one(now) for bucket in buckets.values()):
            then = now + round(tries.wait(address, account, now) * SECOND)
            assert all(bucket.takes_one(then) for bucket in buckets.values())
            assert not all(bucket.takes_one(then - 1) for bucket in buckets.values())
            continue
        tried = tries.reserve(address, account, now)
        for bucket in buckets.values():
            bucket.add(1, now)
        if outcome != "fails":
            for bucket in buckets.values():
                bucket.add(-1, now)
        if outcome == "is busy":
            tries.withdraw(tried, now)
        if outcome == "succeeds":
            tries.settle(tried, now)
            model.known.add(keys.known)
            buckets[keys.both].debt = 0
