"""Users who sign in by password, and what their requests are."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from sqlalchemy import insert

from tests.client import API, Client
from users_service.models import User, email_key

PASSWORD = "sunny side of the street"
WRONG = "shady side of the street"
TOKENS = f"{API}/tokens"
HERE, THERE = "192.0.2.1", "198.51.100.1"
COSTS = {"memory_cost": 19456, "time_cost": 2, "parallelism": 1}


@cache
def hashed(password: str = PASSWORD, **costs: int) -> str:
    return PasswordHasher(**COSTS | costs).hash(password)


def add_user(service, name="ada", **values) -> None:
    row = {"email": f"{name}@example.com", "name": name, "is_active": True}
    row |= {"email_key": email_key(row["email"]), "password_hash": hashed()} | values
    with service.engine.begin() as connection:
        connection.execute(insert(User.__table__), row)


def sign_in(app, password=PASSWORD, name="ada", address=HERE):
    attributes = {"email": f"{name}@example.com", "password": password}
    document = {"data": {"type": "tokens", "attributes": attributes}}
    return Client(app).post(TOKENS, document, environ={"REMOTE_ADDR": address})


@contextmanager
def busy(app) -> Iterator[None]:
    """Hash something until the block ends: of an application that lets nobody wait, this takes the
    only place."""
    begun, end = threading.Event(), threading.Event()

    def hash_long() -> None:
        begun.set()
        end.wait(30)

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(app.registry["passwords"].hashers.run, hash_long)
        assert begun.wait(30)
        try:
            yield
        finally:
            end.set()
        done.result(30)
