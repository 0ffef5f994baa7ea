"""Hashes passwords with argon2id (RFC 9106), and says which are weak."""

import base64
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from users_service.auth.common_passwords import CommonPasswords, fold
from users_service.auth.hashers import Hashers
from users_service.jsonapi import JSONAPIError
from users_service.settings import Settings

SALT_LENGTH, HASH_LENGTH = 16, 32


class Passwords:
    """Hashes and checks passwords, with the parameters of the settings.

    :param cores: returns the cores that hashing may use; empty for those of the process.
    :ivar hashers: the threads that do it.
    """

    def __init__(self, settings: Settings, cores: Callable[[], Collection[int]] = tuple) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory,
            parallelism=settings.argon2_parallelism,
            hash_len=HASH_LENGTH,
            salt_len=SALT_LENGTH,
            type=Type.ID,
        )
        self.hashers = Hashers(settings.password_hashers, settings.password_queue, cores)
        self._common = CommonPasswords(settings.password_blocklist)
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
        return self.hashers.run(lambda: self._hasher.hash(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password is the one of a stored hash.

        :param stored: the hash; None takes the same time, and is nobody's.
        :raises JSONAPIError: 503 if too many are hashed already.
        """
        return self.hashers.run(lambda: self._verify(stored or self._nobodys, password))

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def rehash(self, stored: str, password: str) -> str | None:
        """Hash a password again whose hash was made with other parameters than those of today.

        :returns: the new hash; None if the parameters are the same, or if too many passwords are
            hashed already: then the next sign-in may do it.
        """
        if not self._hasher.check_needs_rehash(stored):
            return None
        with suppress(JSONAPIError):
            return self.hash(password)
        return None

    def weakness(self, password: str, email: str, name: str) -> str | None:
        """Return why a password is weak; None if it is not.

        :param email: the user's address; empty if it is not known.
        :param name: the user's name; empty if it is not known.
        """
        folded = fold(password)
        if folded in {fold(text) for text in (email, email.rpartition("@")[0], name) if text}:
            return "Must not be the e-mail address or the name."
        if folded in self._common or len(set(folded)) == 1:
            return "Is a common password: others would guess it."
        return None
