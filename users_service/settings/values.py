"""How the values of settings are read: each function takes a text, or says what is wrong."""

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import URL

from users_service.hosts import allowed_host_of, host_of
from users_service.permissions import LONGEST, fault_of
from users_service.settings.database_url import check_arguments, parse

DRIVERS = {
    "sqlite": ("sqlite3", ""),
    "postgresql+psycopg": ("psycopg", "postgresql"),
    "mysql+pymysql": ("pymysql", "mysql"),
}


def database_url(text: str) -> URL:
    """Check the URL of the database. Error texts do not repeat it: it may have a password."""
    url = parse(text)
    if url.drivername not in DRIVERS:
        raise ValueError(f"must start with one of {', '.join(f'{d}://' for d in DRIVERS)}")
    module, extra = DRIVERS[url.drivername]
    try:
        importlib.import_module(module)
    except ImportError:
        raise ValueError(f"needs a driver: {_install(extra)}") from None
    check_arguments(url)
    if not url.database:
        raise ValueError("must name a database")
    return url


def _install(extra: str) -> str:
    """Return the command that installs what an extra of this package needs.

    It works in a checkout too: no index has this package.
    """
    marker = re.compile(rf"\s*;\s*extra == ['\"]{extra}['\"]$")
    required = importlib.metadata.requires("users_service") or ()
    needed = [marker.sub("", line) for line in required if marker.search(line)]
    return " ".join([sys.executable, "-m pip install", *(f"'{line}'" for line in needed)])


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return text

    return parse


def permissions(text: str) -> frozenset[str]:
    names = frozenset(text.replace(",", " ").split())
    for name in sorted(names):
        if fault := fault_of(name):
            raise ValueError(f"has {name[:LONGEST]!r}. {fault}")
    return names


def hosts(text: str) -> frozenset[str]:
    return frozenset(allowed_host_of(host) for host in text.replace(",", " ").split())


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}")
        return float(text)

    return parse


def origins(text: str) -> frozenset[str]:
    """Read origins (RFC 6454 §6.1), as browsers write them in `Origin`."""
    found = frozenset(text.replace(",", " ").split())
    for origin in sorted(found):
        scheme, _, host = origin.partition("://")
        port = {"http": ":80", "https": ":443"}.get(scheme)
        if port is None or host_of(host) != host or host.endswith(port):
            raise ValueError(f"has {origin!r}, which is no origin such as https://app.example.com")
    return found


def issuer(text: str) -> str:
    """Read the issuer of assertions: a URL without query and fragment (RFC 9068 §2.2, RFC 8414 §2).

    Plain HTTP is for trying it.
    """
    if not text:
        return ""
    parts = urlsplit(text)
    known = parts.scheme in ("https", "http") and bool(parts.hostname)
    if not known or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise ValueError("must be an https URL without query and fragment")
    return text


def file(text: str) -> Path | None:
    """Read the path of a file that can be read."""
    if not text:
        return None
    path = Path(text)
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return path


def setting(parse: Callable[[str], Any], default: str | None, doc: str) -> Any:
    return field(metadata={"parse": parse, "default": default, "doc": doc})
