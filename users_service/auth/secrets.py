"""Makes tokens and codes, recognises tokens, and digests both: only digests are stored."""

import hashlib
import re
import secrets
import zlib
from string import ascii_letters, digits

ALPHABET = digits + ascii_letters

PREFIX = "ust_"
# Characters of base 62: 30 have 178 random bits, and 6 hold a CRC-32.
RANDOM_LENGTH, CHECKSUM_LENGTH = 30, 6
FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")

# 27 characters of base 62 have 160 bits.
CODE_LENGTH = 27


def new_token() -> str:
    """Make a token: what scanners for leaked secrets recognise by its prefix and its checksum."""
    text = PREFIX + _random(RANDOM_LENGTH)
    return text + _checksum(text)


def is_token(text: str) -> bool:
    """Whether a text has the form and the checksum of a token."""
    if not FORM.fullmatch(text):
        return False
    return text.endswith(_checksum(text[:-CHECKSUM_LENGTH]))


def new_code() -> str:
    """Make a code that is mailed, and can be used once."""
    return _random(CODE_LENGTH)


def digest(text: str) -> str:
    """Return the SHA-256 of a token or a code, in hexadecimal.

    These are random, so that nothing is gained by a slow hash or a salt.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number, found = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        found = ALPHABET[digit] + found
    return found
