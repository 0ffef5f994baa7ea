"""The URL of the database: which of its parameters the service takes, and what it makes of them.

The service sets parameters of the drivers itself. Those of the URL are merged with them, win over
them, or are refused: none is lost in silence. No error text repeats a part of the URL that could be
a password.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "sqlite:////srv/users.sqlite3"

# What PostgreSQL's `options` may not set, and why.
POSTGRESQL_LIMITS = {"lock_timeout", "statement_timeout"}
POSTGRESQL_FIXED = {
    "client_encoding",
    "datestyle",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "idle_in_transaction_session_timeout",
    "intervalstyle",
    "standard_conforming_strings",
    "timezone",
    "transaction_isolation",
    "transaction_read_only",
}
# Parameters of libpq that would break the service.
POSTGRESQL_REFUSED = {"replication"}
POSTGRESQL_NUMBERS = {
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "tcp_user_timeout",
}

# The arguments of PyMySQL that an operator may choose.
MARIADB_TEXTS = {
    "bind_address",
    "charset",
    "init_command",
    "program_name",
    "read_default_file",
    "read_default_group",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_cipher",
    "ssl_key",
    "ssl_key_password",
    "unix_socket",
}
MARIADB_FLAGS = {"ssl_check_hostname", "ssl_verify_cert", "ssl_verify_identity", "use_unicode"}
# What PyMySQL calls them in its argument `ssl`.
SSL = {
    "ssl_ca": "ca",
    "ssl_capath": "capath",
    "ssl_cert": "cert",
    "ssl_check_hostname": "check_hostname",
    "ssl_cipher": "cipher",
    "ssl_key": "key",
    "ssl_key_password": "password",
    "ssl_verify_cert": "verify_mode",
    "ssl_verify_identity": "check_hostname",
}
MARIADB_NUMBERS = {"connect_timeout", "read_timeout", "write_timeout"}
# What `init_command` may not set: the service does, and depends on it.
MARIADB_LIMITS = {
    "innodb_lock_wait_timeout": "lock_timeout",
    "max_statement_time": "statement_timeout",
}
MARIADB_FIXED = re.compile(
    r"\b(time_zone|sql_mode|max_sort_length|names|charset|character|character_set_\w+"
    r"|collation_connection|autocommit|isolation|tx_isolation|transaction_isolation"
    r"|foreign_key_checks|unique_checks)\b",
    re.IGNORECASE,
)

# Parameters of either driver that name a file.
FILES = {
    "read_default_file",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_key",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslrootcert",
}

SQLITE_PARAMETERS = {"cached_statements", "uri"}
# https://www.sqlite.org/uri.html#recognized_query_parameters
SQLITE_FILE_PARAMETERS = {"cache", "immutable", "mode", "modeof", "nolock", "psow", "vfs"}

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}

# Several hosts as libpq writes them: postgresql+psycopg://name@a:5432,b:5433/users
SEVERAL_HOSTS = re.compile(
    r"(?P<before>postgresql\+psycopg://(?:[^@]*@)?+)(?P<hosts>[^/?@]*,[^/?@]*)(?P<after>(?:[/?].*)?)"
)
HOST = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]*))?")


def parse(text: str) -> URL:
    """Return an SQLAlchemy URL, whose parameters the service takes.

    :raises ValueError: if it is none. The text begins with a verb, and does not repeat the URL.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8") from None
    try:
        url = _several_hosts(text) or make_url(text)
        check = CHECKS.get(url.get_backend_name())
    except (ArgumentError, ValueError):
        raise ValueError(f"is not a database URL such as {EXAMPLE}") from None
    if "�" in f"{url.username}{url.password}" and "�" not in text:
        raise ValueError("has a user name or a password that is not UTF-8")
    if "@" in (url.host or ""):
        raise ValueError("has two @: write that of a password as %40")
    return check(url) if check else url


def check_arguments(url: URL) -> None:
    """Let SQLAlchemy make the driver's arguments of a URL. Its driver has to be installed.

    :raises ValueError: if it cannot.
    """
    if url.get_backend_name() == "postgresql":
        _check_libpq(url)
    for name in sorted(FILES & url.query.keys()):
        file = Path(str(url.query[name])).expanduser()
        if not os.access(file, os.R_OK) and (name, str(file)) != ("sslrootcert", "system"):
            raise ValueError(f"has the parameter {name}, whose file {file} cannot be read")
    dialect: Any = url.get_dialect()
    try:
        dialect(dbapi=dialect.import_dbapi()).create_connect_args(url)
    except (ArgumentError, ValueError, TypeError):
        raise ValueError("has hosts, ports or parameters that cannot be read") from None


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite URL; None if it has to exist already."""
    name = url.database or ""
    if not name.startswith("file:"):
        return Path(name)
    parameters = _of_file(url)
    if parameters.get("mode", "rwc") != "rwc" or parameters.get("immutable", "0") in TRUE:
        return None
    return Path(unquote(urlsplit(name).path))


def _several_hosts(text: str) -> URL | None:
    if not (found := SEVERAL_HOSTS.fullmatch(text)):
        return None
    places = [HOST.fullmatch(place) for place in found["hosts"].split(",")]
    url = make_url(found["before"] + found["after"])
    if "host" in url.query or "port" in url.query or not all(places):
        raise ValueError
    hosts = ",".join((place["ipv6"] or place["host"]) for place in places if place)
    ports = ",".join((place["port"] or "") for place in places if place)
    return url.update_query_dict({"host": hosts, "port": ports})


def _one_each(url: URL, *several: str) -> dict[str, str]:
    for name, value in url.query.items():
        if not isinstance(value, str) and name not in several:
            raise ValueError(f"has the parameter {name} twice")
    return {name: value for name, value in url.query.items() if isinstance(value, str)}


def _check_numbers(query: Mapping[str, str], names: set[str]) -> None:
    for name in sorted(names & query.keys()):
        if not re.fullmatch("[0-9]{1,9}", query[name]):
            raise ValueError(f"has the parameter {name}, which must be a whole number")


def _sqlite(url: URL) -> URL:
    query = _one_each(url)
    if url.host or url.port or url.username or url.password:
        raise ValueError("has a host, which SQLite has not: an absolute path takes four slashes")
    if not url.database:
        raise ValueError("must name a database")
    taken = SQLITE_PARAMETERS
    is_file = url.database.startswith("file:")
    if is_file:
        if query.get("uri", "true") not in TRUE:
            raise ValueError("has a file: name, so uri must be true")
        url = url.update_query_dict({"uri": "true"})
        taken = SQLITE_PARAMETERS | SQLITE_FILE_PARAMETERS
    for name in sorted(query.keys() - taken):
        if name == "timeout":
            raise ValueError("has the parameter timeout: set users_service.lock_timeout instead")
        if name in SQLITE_FILE_PARAMETERS:
            raise ValueError(f"has the parameter {name}, which needs sqlite:///file:… before it")
        raise ValueError(f"has the parameter {name}, which the service does not take")
    _check_numbers(query, {"cached_statements"})
    parameters = _of_file(url)
    in_memory = parameters.get("mode") == "memory" or parameters.get("vfs") == "memdb"
    path = urlsplit(url.database).path if is_file else url.database
    if path in ("", ":memory:") or in_memory:
        raise ValueError("must name a database in a file, not in memory")
    return url


def _of_file(url: URL) -> dict[str, str]:
    """The parameters of a `file:` URL, which may be percent-encoded as part of its name."""
    named = dict(parse_qsl(urlsplit(url.database or "").query))
    return named | {name: value for name, value in url.query.items() if isinstance(value, str)}


def _postgresql(url: URL) -> URL:
    query = _one_each(url, "host", "port")
    _check_numbers(query, POSTGRESQL_NUMBERS)
    encoding = query.get("client_encoding", "utf8")
    if encoding.lower().replace("-", "") not in ("utf8", "auto"):
        raise ValueError("has the parameter client_encoding, which must be utf8")
    for name in options_of(query.get("options", "")):
        if name in POSTGRESQL_LIMITS:
            raise ValueError(f"has options that set {name}: set users_service.{name} instead")
        if name in POSTGRESQL_FIXED:
            raise ValueError(f"has options that set {name}, which the service sets itself")
    return url


def options_of(options: str) -> list[str]:
    """Return the names that libpq's `options` set: `-c name=value`, `-cname=value`, `--name=value`.

    A backslash escapes a blank. PostgreSQL takes names in any case, and a hyphen for an underscore.
    """
    words = re.sub(r"(?<!\S)-c\s+", "-c", options)
    names = re.findall(r"(?<!\S)(?:-c|--)((?:\\.|[^\s=\\])+)", words)
    return [name.replace("\\", "").replace("-", "_").lower() for name in names]


def _check_libpq(url: URL) -> None:
    from psycopg.pq import Conninfo

    known = {default.keyword.decode() for default in Conninfo.get_defaults()} - POSTGRESQL_REFUSED
    for name in sorted(url.query.keys() - known):
        raise ValueError(f"has the parameter {name}, which the service does not take")


def _mariadb(url: URL) -> URL:
    query = _one_each(url)
    for name in sorted(query.keys() - MARIADB_TEXTS - MARIADB_FLAGS - MARIADB_NUMBERS):
        raise ValueError(f"has the parameter {name}, which the service does not take")
    _check_numbers(query, MARIADB_NUMBERS)
    for name in sorted(MARIADB_FLAGS & query.keys()):
        if query[name].lower() not in TRUE | FALSE:
            raise ValueError(f"has the parameter {name}, which must be true or false")
    if query.get("charset", "utf8mb4").lower() != "utf8mb4":
        raise ValueError("has the parameter charset, which must be utf8mb4")
    if query.get("use_unicode", "true").lower() not in TRUE:
        raise ValueError("has the parameter use_unicode, which must be true")
    command = query.get("init_command", "")
    for name, setting in MARIADB_LIMITS.items():
        if name in command.lower():
            other = f"set users_service.{setting} instead"
            raise ValueError(f"has an init_command that sets {name}: {other}")
    if found := MARIADB_FIXED.search(command):
        raise ValueError(f"has an init_command that sets {found[0]}, which the service sets itself")
    return url


def ssl_of(url: URL) -> dict[str, Any]:
    """Return the arguments of PyMySQL about TLS: SQLAlchemy and PyMySQL lose `ssl_ca` between them
    if the certificate is to be verified too, and PyMySQL takes the text `false` for true.
    """
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    flags = {name: query[name].lower() in TRUE for name in MARIADB_FLAGS & query.keys()}
    values = {SSL[name]: flags.get(name, query[name]) for name in SSL if name in query}
    if values.get("check_hostname"):
        values.setdefault("verify_mode", True)
    return {"ssl": values} if values else {}


CHECKS: dict[str, Callable[[URL], URL]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mariadb,
}
