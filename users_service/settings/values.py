"""How the values of settings are read: each function takes a text, or says what is wrong."""

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import URL

from users_service.addresses import LONGEST as LONGEST_ADDRESS
from users_service.addresses import fault_of as fault_of_address
from users_service.hosts import allowed_host_of, host_of, is_loopback
from users_service.permissions import LONGEST, fault_of
from users_service.settings.database_url import check_arguments, parse

DRIVERS = {
    "sqlite": ("sqlite3", ""),
    "postgresql+psycopg": ("psycopg", "postgresql"),
    "mysql+pymysql": ("pymysql", "mysql"),
}
# The schemes of mail servers, with their usual ports.
SMTP_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}

# What the browser UI can speak.
LANGUAGES = ("en", "de", "es", "fr", "it", "zh-Hans", "fa", "ur")
LONGEST_TITLE = 80
# Control characters, separators of lines, and what is no character of UTF-8.
NOT_IN_LINES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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


def text(value: str) -> str:
    return value


def title(value: str) -> str:
    """Read a title, which is one line."""
    if len(value) > LONGEST_TITLE or NOT_IN_LINES.search(value):
        raise ValueError(f"must have at most {LONGEST_TITLE} characters, and no control characters")
    return value


def languages(text: str) -> tuple[str, ...]:
    """Read languages of the browser UI, by their tags (BCP 47)."""
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for name in found:
        if name not in LANGUAGES:
            raise ValueError(f"has {name[:40]!r}, and there are {' '.join(LANGUAGES)}")
    return found


def origins(text: str) -> frozenset[str]:
    """Read origins (RFC 6454 §6.1), as browsers write them in `Origin`."""
    found = frozenset(text.replace(",", " ").split())
    for origin in sorted(found):
        scheme, _, host = origin.partition("://")
        port = {"http": ":80", "https": ":443"}.get(scheme)
        if port is None or host_of(host) != host or host.endswith(port):
            raise ValueError(f"has {origin!r}, which is no origin such as https://app.example.com")
    return found


def link(text: str) -> str:
    """Read the URL of a page that takes a code."""
    if not text:
        return ""
    parts = urlsplit(text)
    is_page = parts.scheme in ("https", "http") and parts.hostname and text.isascii()
    if not is_page or text.count("{code}") != 1:
        raise ValueError("must be the http or https URL of a page, with {code} once")
    return text


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server.

    :param scheme: `smtp`, `smtps`, or `smtp+starttls`, where TLS begins by a command (RFC 3207).
    :param user: whom to sign in as; empty for nobody.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


def mail_server(text: str) -> MailServer | None:
    """Read the URL of a mail server. Error texts do not repeat it: it may have a password."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        valid = parts.scheme in SMTP_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "must be of the form smtp://host:port, smtps://user:password@host or smtp+starttls://…"
        )
    host = parts.hostname or ""
    if parts.username and parts.scheme == "smtp" and not is_loopback(host):
        raise ValueError("would send its password unencrypted: use smtps:// or smtp+starttls://")
    return MailServer(
        scheme=parts.scheme,
        host=host,
        port=parts.port or SMTP_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def address(text: str) -> str:
    """Read an e-mail address, which may have a name: `Users <users@example.com>`."""
    if not text:
        return ""
    name, found = parseaddr(text)
    if not found or len(found) > LONGEST_ADDRESS or fault_of_address(found):
        raise ValueError("must be an e-mail address, such as Users <users@example.com>")
    return formataddr((name, found))


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
