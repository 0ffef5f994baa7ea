"""Hashes passwords with argon2id (RFC 9106), and says which are weak."""

import base64
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from users_service.jsonapi import Error, JSONAPIError
from users_service.settings import Settings

Result = TypeVar("Result")

# Shorter words are no passwords anyway.
SHORTEST = 8

SALT_LENGTH, HASH_LENGTH = 16, 32

RETRY_AFTER = {"Retry-After": "1"}


class Passwords:
    """Hashes and checks passwords, with the parameters of the settings.

    A password is hashed by threads of its own, so that hashing never takes the threads of other
    requests. So many hash at once, so many wait, and the rest is refused at once: without a bound,
    clients that sign in would leave no time for anything else.
    """

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory,
            parallelism=settings.argon2_parallelism,
            hash_len=HASH_LENGTH,
            salt_len=SALT_LENGTH,
            type=Type.ID,
        )
        hashers = settings.password_hashers
        self._threads = ThreadPoolExecutor(hashers, thread_name_prefix="hasher")
        self._places = BoundedSemaphore(hashers + settings.password_queue)
        self._blocklist = settings.password_blocklist
        # What no password has: it takes the time of one that somebody has.
        salt, digest = (
            base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
            for length in (SALT_LENGTH, HASH_LENGTH)
        )
        costs = (settings.argon2_memory, settings.argon2_time, settings.argon2_parallelism)
        self._nobodys = "$argon2id$v=19$m={},t={},p={}${}${}".format(*costs, salt, digest)

    def hash(self, password: str) -> str:
        """Hash a password.

        :returns: a string in the PHC format, with its parameters and its salt.
        :raises JSONAPIError: 503 if too many are hashed already.
        """
        return self._run(lambda: self._hasher.hash(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password is the one of a stored hash.

        :param stored: the hash; None takes the same time, and is nobody's.
        :raises JSONAPIError: 503 if too many are hashed already.
        """
        return self._run(lambda: self._verify(stored or self._nobodys, password))

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def needs_rehash(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    def _run(self, function: Callable[[], Result]) -> Result:
        if not self._places.acquire(blocking=False):
            detail = "Too many passwords are checked at the moment; try again later."
            raise JSONAPIError(Error(code="busy", detail=detail), headers=RETRY_AFTER)
        try:
            return self._threads.submit(function).result()
        finally:
            self._places.release()

    def weakness(self, password: str, email: str, name: str) -> str | None:
        """Return why a password is weak; None if it is not."""
        folded = _fold(password)
        if folded in {_fold(text) for text in (email, email.rpartition("@")[0], name) if text}:
            return "Must not be the e-mail address or the name."
        if folded in self._common or len(set(folded)) == 1:
            return "Is a common password: others would guess it."
        return None

    @cached_property
    def _common(self) -> frozenset[str]:
        """Common passwords and words, and those of the operator's list: read when first needed."""
        return frozenset(_fold(word) for word in self._words() if len(word) >= SHORTEST)

    def _words(self) -> Iterator[str]:
        from zxcvbn.frequency_lists import FREQUENCY_LISTS

        for words in FREQUENCY_LISTS.values():
            yield from words
        if self._blocklist is not None:
            with self._blocklist.open(encoding="utf-8", errors="replace") as lines:
                yield from (line.rstrip("\r\n") for line in lines)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
