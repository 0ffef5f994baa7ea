"""Reads the settings from ini keys and environment variables, or reports all their faults."""

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from users_service.hosts import allowed_host_of
from users_service.settings.database_url import check_arguments, parse

INI_PREFIX = "users_service."
ENVIRONMENT_PREFIX = "USERS_SERVICE_"
DRIVERS = {
    "sqlite": ("sqlite3", ""),
    "postgresql+psycopg": ("psycopg", "postgresql"),
    "mysql+pymysql": ("pymysql", "mysql"),
}


# What each of many ids takes: a UUID, quotes and a comma in one parameter, and in a URL at most
# filter%5Bid%5D%5B%5D=<UUID>& and its share of what else the URL has.
ID_LENGTHS = {"max_filter_length": 40, "max_url_length": 64}


class SettingsError(Exception):
    """The settings have faults.

    :param faults: one sentence for each.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(["The settings have faults:", *(f"  - {f}" for f in faults)]))


def _database_url(text: str) -> URL:
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


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return text

    return parse


def _permissions(text: str) -> frozenset[str]:
    names = frozenset(text.replace(",", " ").split())
    for name in sorted(names):
        if not re.fullmatch(r"\*|[a-z][a-z0-9_-]*:(\*|read|create|update|delete)", name):
            raise ValueError(f"has {name!r}, which is neither * nor of the form users:read")
    return names


def _hosts(text: str) -> frozenset[str]:
    return frozenset(allowed_host_of(host) for host in text.replace(",", " ").split())


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}")
        return float(text)

    return parse


def _setting(parse: Callable[[str], Any], default: str | None, doc: str) -> Any:
    return field(metadata={"parse": parse, "default": default, "doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the service. A setting whose default is None is required."""

    database_url: URL = _setting(  # noqa: RUF009  # it is immutable
        _database_url,
        None,
        "the URL of the database: sqlite:///…, postgresql+psycopg://… or mysql+pymysql://…",
    )
    database_pooler: str = _setting(
        _one_of("none", "transaction"),
        "none",
        "transaction, if PgBouncer in its transaction mode stands before PostgreSQL",
    )
    anonymous_permissions: frozenset[str] = _setting(
        _permissions,
        "",
        "what a request without a token may do: nothing if empty, * for everything, "
        "or permissions such as users:read users:*",
    )
    allowed_hosts: frozenset[str] = _setting(
        _hosts,
        "",
        "the hosts that clients may name, and that links are made of: any valid one if empty, "
        "or hosts such as api.example.com *.example.com localhost:6543",
    )
    page_size: int = _setting(_whole(1, 10_000), "20", "resources on a page by default")
    max_page_size: int = _setting(_whole(1, 10_000), "1000", "most resources on one page")
    max_body_size: int = _setting(
        _whole(1024, 1 << 30), "1048576", "most bytes in a request's body; more gives 413"
    )
    max_url_length: int = _setting(
        _whole(256, 1 << 17), "16384", "most bytes in a request's path and query; more gives 414"
    )
    max_json_depth: int = _setting(
        _whole(4, 500), "32", "most levels of arrays and objects in a request's body"
    )
    max_include_depth: int = _setting(
        _whole(1, 20), "5", "most relationships that one path of include follows"
    )
    max_include_paths: int = _setting(_whole(1, 1000), "20", "most paths of include")
    max_included: int = _setting(
        _whole(1, 100_000), "10000", "most related resources in one document"
    )
    max_filter_length: int = _setting(
        _whole(16, 1 << 17), "8192", "most characters of one filter parameter"
    )
    max_filter_depth: int = _setting(
        _whole(1, 20), "10", "most levels of functions in a filter expression"
    )
    max_filter_values: int = _setting(
        _whole(1, 2000), "200", "most values of one condition of a filter"
    )
    max_operations: int = _setting(
        _whole(1, 10_000), "100", "most operations of one atomic request"
    )
    require_if_match: bool = _setting(
        _flag, "false", "whether changes and deletions need If-Match; 428 without it"
    )
    pool_size: int = _setting(
        _whole(1, 1000),
        "10",
        "database connections to keep open, and requests at once: for reads and for writes each",
    )
    pool_overflow: int = _setting(
        _whole(0, 1000), "5", "connections beyond these, for endpoints that take a second one"
    )
    pool_timeout: float = _setting(
        _seconds(0.1, 300), "5", "seconds to wait for a free connection before answering 503"
    )
    connect_timeout: int = _setting(_whole(1, 300), "5", "seconds to reach the database server")
    lock_timeout: float = _setting(
        _seconds(0.1, 300), "5", "seconds that a statement waits for another transaction's lock"
    )
    statement_timeout: float = _setting(
        _seconds(0.1, 3600), "30", "seconds that one statement may run"
    )
    retry_deadline: float = _setting(
        _seconds(0, 300), "10", "seconds in which a request may be retried after a conflict"
    )
    drain_delay: float = _setting(
        _seconds(0, 300), "5", "seconds after SIGTERM in which new clients are still served"
    )
    stop_timeout: float = _setting(
        _seconds(0, 3600), "30", "seconds after that in which requests that have begun may end"
    )


def load(ini: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Read all settings. An environment variable takes precedence over the ini file.

    :param ini: the keys of the ini file's `[app:main]`; those of other packages are ignored.
    :param environ: the environment variables. `USERS_SERVICE_<NAME>` is a value,
        `USERS_SERVICE_<NAME>_FILE` the path of a file that contains it.
    :raises SettingsError: with all faults.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    known = {f.name: f for f in fields(Settings)}
    for key in sorted(ini):
        if key.startswith(INI_PREFIX) and key.removeprefix(INI_PREFIX) not in known:
            faults.append(f"{key} is not a setting")
    for name, declared in known.items():
        try:
            values[name] = _value(declared, ini, environ)
        except ValueError as error:
            faults.append(f"{INI_PREFIX}{name} ({ENVIRONMENT_PREFIX}{name.upper()}) {error}")
    faults += _contradictions(values)
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def _contradictions(values: dict[str, Any]) -> Iterator[str]:
    """Find settings that do not agree with each other."""
    if values.get("page_size", 0) > values.get("max_page_size", 1 << 31):
        yield f"{INI_PREFIX}page_size must not exceed {INI_PREFIX}max_page_size"
    many = values.get("max_filter_values", 0)
    for name, length in ID_LENGTHS.items():
        if values.get(name, 1 << 31) < length * many:
            yield (
                f"{INI_PREFIX}{name} must be at least {length * many}, to have room for "
                f"{INI_PREFIX}max_filter_values = {many} ids of {length} each"
            )
    if values.get("database_pooler") == "transaction" and "database_url" in values:
        yield from _pooler_faults(values["database_url"])


def _pooler_faults(url: URL) -> Iterator[str]:
    pooler = f"{INI_PREFIX}database_pooler = transaction"
    if url.get_backend_name() != "postgresql":
        yield f"{pooler} is for PostgreSQL alone"
    elif "options" in url.query:
        change = "use ALTER ROLE … SET in the database"
        yield f"{pooler} passes no options of {INI_PREFIX}database_url on: {change}"


def _value(declared: Field[Any], ini: Mapping[str, str], environ: Mapping[str, str]) -> Any:
    variable = ENVIRONMENT_PREFIX + declared.name.upper()
    text = environ.get(variable, "").strip()
    path = environ.get(f"{variable}_FILE", "").strip()
    if text and path:
        raise ValueError(f"is given twice: {variable} and {variable}_FILE")
    if path:
        try:
            text = Path(path).read_text(encoding="utf-8-sig").strip()
        except OSError as error:
            raise ValueError(f"cannot be read from {variable}_FILE: {error}") from None
        except UnicodeDecodeError:
            raise ValueError(f"cannot be read from {variable}_FILE: it is not UTF-8") from None
    text = text or ini.get(INI_PREFIX + declared.name, "").strip() or declared.metadata["default"]
    if text is None:
        raise ValueError("is required")
    return declared.metadata["parse"](text)
