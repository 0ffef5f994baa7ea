"""The file of Ed25519 keys that sign assertions for other services: how it is read and made.

It has private keys in PEM, one after the other (PKCS #8, RFC 5958; RFC 7468 §10). The first one
signs; all are published, so that what others have signed is still believed.

`cryptography` is imported where a key is needed, as most services have none.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LARGEST = 65_536
MOST_KEYS = 16
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
LABEL = b"PRIVATE KEY"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs.

    :param x: the public key, in base64url (RFC 8037 §2).
    """

    private: Ed25519PrivateKey = field(repr=False)
    x: str

    @property
    def kid(self) -> str:
        """Its thumbprint (RFC 7638 §3)."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": self.x}
        text = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return _base64url(hashlib.sha256(text.encode()).digest())

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, as a JSON Web Key (RFC 7517 §4, RFC 8037 §2)."""
        known = {"kty": "OKP", "crv": "Ed25519", "x": self.x}
        return known | {"kid": self.kid, "use": "sig", "alg": "EdDSA"}


def signing_keys(text: str) -> tuple[SigningKey, ...]:
    """Read the keys of a file.

    :param text: its path; no keys if it is empty.
    :raises ValueError: if it is no such file, or others than its owner and group may read it. What
        is said of it repeats nothing of what is in it.
    """
    if not text:
        return ()
    if text.startswith("-----BEGIN"):
        raise ValueError("must be the path of a file of keys, and no key")
    return _keys_of(_content(Path(text)))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ValueError("is no file")
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if os.name == "posix" and mode & stat.S_IRWXO:
        # Its group may: that is how Kubernetes gives secrets to processes that are not root.
        raise ValueError("is a file that everyone may read or change; chmod o= makes it safe")
    if len(content) > LARGEST:
        raise ValueError(f"is a file of more than {LARGEST} bytes")
    return content


def _keys_of(content: bytes) -> tuple[SigningKey, ...]:
    keys: list[SigningKey] = []
    for place, block in enumerate(BLOCK.finditer(content), 1):
        if block[1] != LABEL:
            raise ValueError(f"has no {LABEL.decode()} in its PEM block {place}")
        key = _key(block[0])
        if key is None:
            raise ValueError(f"has no Ed25519 key in its PEM block {place}")
        if key.x in {known.x for known in keys}:
            raise ValueError(f"has in its PEM block {place} a key that it had before")
        keys.append(key)
    if not keys:
        raise ValueError("is a file that has no Ed25519 key in PEM")
    if len(keys) > MOST_KEYS:
        raise ValueError(f"has more than {MOST_KEYS} keys")
    return tuple(keys)


def _key(pem: bytes) -> SigningKey | None:
    """The Ed25519 key of a PEM block; None if it has none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(private, Ed25519PrivateKey):
        return None
    return SigningKey(private, _base64url(private.public_key().public_bytes_raw()))


def add_signing_key(path: Path, *, append: bool) -> SigningKey:
    """Make a key, and write it into a file that only its owner may read.

    :param append: whether it goes to the end of a file that is there, whose first key still signs;
        otherwise the file is made, and must not be there.
    :raises ValueError: if there is no such file of keys, or a full one.
    :raises OSError: if the file cannot be written, or is there already.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    flags = os.O_WRONLY | (os.O_APPEND if append else os.O_CREAT | os.O_EXCL)
    if append:
        content = _content(path)
        if len(_keys_of(content)) == MOST_KEYS:
            raise ValueError(f"has {MOST_KEYS} keys already: take out the oldest")
        pem = pem if content.endswith(b"\n") else b"\n" + pem
    with os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0) as file:
        file.write(pem)
        os.fsync(file.fileno())
    return SigningKey(private, _base64url(private.public_key().public_bytes_raw()))


def _base64url(octets: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
