"""Signing in while others guess: bounded, the same for all who fail, and kept up to date."""

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import event, func, select

from tests.auth.signing import PASSWORD, THERE, WRONG, add_user, busy, hashed, sign_in
from tests.client import API, Client
from users_service.models import User
from users_service.models.tables import sign_in_tries

# Accounts whose passwords are guessed, on each engine.
TRIALS = int(os.environ.get("TRIALS", "1"))


def stored_hash(service, name="ada") -> str:
    found = select(User.password_hash).where(User.email == f"{name}@example.com")
    with service.engine.connect() as connection:
        return connection.execute(found).scalar_one()


def codes(response) -> list[str]:
    return [error["code"] for error in response.json["errors"]]


@pytest.fixture
def app(app_with):
    return app_with(anonymous_permissions="")


@pytest.mark.asvs("6.3.1")
def test_of_100_tries_at_once_over_two_processes_exactly_the_limit_is_hashed(service, process_with):
    # However slow the machine is, everybody gets a connection and a lock.
    patience = {"pool_timeout": "120", "lock_timeout": "120", "retry_deadline": "120"}
    processes = [process_with(**patience, pool_size="20", password_queue="100") for _ in range(2)]
    for trial in range(TRIALS):
        name, address = f"victim-{trial}", f"192.0.2.{trial + 1}"
        add_user(service, name)
        answers = guess_at_once(processes, name, address)
        assert Counter(answer.status_code for answer in answers) == {401: 10, 429: 90}
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {codes(answer)[0] for answer in refused} == {"too_many_requests"}
        # One is free 90 seconds after the first that was let through; some have come before it.
        assert {1 <= int(answer.headers["Retry-After"]) <= 100 for answer in refused} == {True}
        assert sign_in(processes[0], name=name, address=address).status_code == 429
        assert sign_in(processes[1], name=name, address=THERE).status_code == 201


def guess_at_once(apps, name: str, address: str) -> list:
    """Send 100 wrong passwords from one address."""
    barrier = threading.Barrier(100)

    def guess(number: int):
        barrier.wait()
        return sign_in(apps[number % len(apps)], WRONG, name, address)

    with ThreadPoolExecutor(100) as threads:
        return list(threads.map(guess, range(100)))


def test_whoever_has_signed_in_gets_in_while_others_guess_from_many_addresses(service, app_with):
    add_user(service)
    app = app_with(anonymous_permissions="", sign_in_tries_per_account="3")
    assert sign_in(app).status_code == 201
    for number in range(3):
        assert sign_in(app, WRONG, address=f"203.0.113.{number}").status_code == 401
    assert sign_in(app, address=THERE).status_code == 429
    assert sign_in(app).status_code == 201


def test_a_success_starts_the_count_again(service, app_with):
    add_user(service)
    app = app_with(anonymous_permissions="", sign_in_tries="2")
    for _ in range(3):
        assert sign_in(app, WRONG).status_code == 401
        assert sign_in(app).status_code == 201


def test_an_address_is_counted_however_it_is_spelled(service, app_with):
    add_user(service)
    app = app_with(anonymous_permissions="", sign_in_tries="2")
    for name in ("ada", "ADA"):
        assert sign_in(app, WRONG, name).status_code == 401
    assert sign_in(app, name="Ada").status_code == 429


class Statements:
    """The statements that an application sends, in order."""

    def __init__(self, app, stack) -> None:
        self.sent: list[str] = []
        for engine in app.registry["engines"].values():
            event.listen(engine, "before_cursor_execute", self._note)
            stack.callback(event.remove, engine, "before_cursor_execute", self._note)

    def _note(self, _connection, _cursor, statement, *_) -> None:
        self.sent.append(statement)

    def of(self, action) -> list[str]:
        self.sent.clear()
        action()
        return list(self.sent)


@pytest.mark.asvs("6.3.8")
def test_who_is_unknown_inactive_without_a_password_or_wrong_is_answered_the_same(service, app):
    add_user(service)
    add_user(service, "inactive", is_active=False)
    add_user(service, "without", password_hash=None)
    tries = {"ada": WRONG, "inactive": PASSWORD, "without": PASSWORD, "unknown": PASSWORD}
    with ExitStack() as stack:
        statements, answers, sent = Statements(app, stack), [], []
        for name, password in tries.items():
            sent.append(
                statements.of(lambda n=name, p=password: answers.append(sign_in(app, p, n)))
            )
    assert len(sent[0]) >= 3
    assert sent == [sent[0]] * 4
    documents = [answer.json["errors"][0] | {"id": ""} for answer in answers]
    assert documents == [documents[0]] * 4
    assert {answer.status_code for answer in answers} == {401}
    assert codes(answers[0]) == ["invalid_credentials"]


def test_a_password_is_hashed_again_when_the_parameters_have_changed(service, app):
    old = hashed(memory_cost=9216, time_cost=4)
    add_user(service, password_hash=old)
    assert sign_in(app, WRONG).status_code == 401
    assert stored_hash(service) == old
    assert sign_in(app).status_code == 201
    assert stored_hash(service).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(app).status_code == 201


def test_who_finds_all_places_taken_is_told_so_at_once_and_has_not_tried(service, app_with):
    add_user(service)
    app = app_with(anonymous_permissions="", password_queue="0", sign_in_tries="1")
    with busy(app):
        for name in ("ada", "ada", "unknown"):
            refused = sign_in(app, name=name)
            assert (refused.status_code, codes(refused)) == (503, ["busy"])
            assert refused.headers["Retry-After"] == "1"
        assert Client(app).get(API).status_code == 200
    assert sign_in(app, WRONG).status_code == 401
    assert sign_in(app).status_code == 429


def test_guesses_that_are_refused_make_no_rows(service, app_with):
    app = app_with(anonymous_permissions="", sign_in_tries_per_address="1")
    answers = [sign_in(app, name=f"user-{number}").status_code for number in range(4)]
    assert answers == [401, 429, 429, 429]
    with service.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(sign_in_tries)).scalar() == 3
