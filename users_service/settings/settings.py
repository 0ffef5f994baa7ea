"""Reads the settings from ini keys and environment variables, or reports all their faults."""

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from users_service.settings import values
from users_service.settings.sign_in import LEAST_MEMORY, SignInSettings
from users_service.settings.values import setting

INI_PREFIX = "users_service."
ENVIRONMENT_PREFIX = "USERS_SERVICE_"

# What each of many ids takes: a UUID, quotes and a comma in one parameter, and in a URL at most
# filter%5Bid%5D%5B%5D=<UUID>& and its share of what else the URL has.
ID_LENGTHS = {"max_filter_length": 40, "max_url_length": 64}


# What sends mail, and the page that its mail links to.
MAILED = {
    "sign_up": "sign_up_link",
    "password_reset": "reset_link",
    "email_change": "email_link",
}


class SettingsError(Exception):
    """The settings have faults.

    :param faults: one sentence for each.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(["The settings have faults:", *(f"  - {f}" for f in faults)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SignInSettings):
    """The settings of the service. A setting whose default is None is required."""

    database_url: URL = setting(  # noqa: RUF009  # it is immutable
        values.database_url,
        None,
        "the URL of the database: sqlite:///…, postgresql+psycopg://… or mysql+pymysql://…",
    )
    database_pooler: str = setting(
        values.one_of("none", "transaction"),
        "none",
        "transaction, if PgBouncer in its transaction mode stands before PostgreSQL",
    )
    anonymous_permissions: frozenset[str] = setting(
        values.permissions,
        "",
        "what a request without a token may do: nothing if empty, * for everything, "
        "or permissions such as users:read users:*",
    )
    allowed_hosts: frozenset[str] = setting(
        values.hosts,
        "",
        "the hosts that clients may name, and that links are made of: any valid one if empty, "
        "or hosts such as api.example.com *.example.com localhost:6543",
    )
    page_size: int = setting(values.whole(1, 10_000), "20", "resources on a page by default")
    max_page_size: int = setting(values.whole(1, 10_000), "1000", "most resources on one page")
    max_body_size: int = setting(
        values.whole(1024, 1 << 30), "1048576", "most bytes in a request's body; more gives 413"
    )
    max_url_length: int = setting(
        values.whole(256, 1 << 17),
        "16384",
        "most bytes in a request's path and query; more gives 414",
    )
    max_json_depth: int = setting(
        values.whole(4, 500), "32", "most levels of arrays and objects in a request's body"
    )
    max_include_depth: int = setting(
        values.whole(1, 20), "5", "most relationships that one path of include follows"
    )
    max_include_paths: int = setting(values.whole(1, 1000), "20", "most paths of include")
    max_included: int = setting(
        values.whole(1, 100_000), "10000", "most related resources in one document"
    )
    max_filter_length: int = setting(
        values.whole(16, 1 << 17), "8192", "most characters of one filter parameter"
    )
    max_filter_depth: int = setting(
        values.whole(1, 20), "10", "most levels of functions in a filter expression"
    )
    max_filter_values: int = setting(
        values.whole(1, 2000), "200", "most values of one condition of a filter"
    )
    max_operations: int = setting(
        values.whole(1, 10_000), "100", "most operations of one atomic request"
    )
    require_if_match: bool = setting(
        values.flag, "false", "whether changes and deletions need If-Match; 428 without it"
    )
    pool_size: int = setting(
        values.whole(1, 1000),
        "10",
        "database connections to keep open, and requests at once: for reads and for writes each",
    )
    pool_overflow: int = setting(
        values.whole(0, 1000), "5", "connections beyond these, for endpoints that take a second one"
    )
    pool_timeout: float = setting(
        values.seconds(0.1, 300), "5", "seconds to wait for a free connection before answering 503"
    )
    connect_timeout: int = setting(
        values.whole(1, 300), "5", "seconds to reach the database server"
    )
    lock_timeout: float = setting(
        values.seconds(0.1, 300),
        "5",
        "seconds that a statement waits for another transaction's lock",
    )
    statement_timeout: float = setting(
        values.seconds(0.1, 3600), "30", "seconds that one statement may run"
    )
    retry_deadline: float = setting(
        values.seconds(0, 300), "10", "seconds in which a request may be retried after a conflict"
    )
    drain_delay: float = setting(
        values.seconds(0, 300), "5", "seconds after SIGTERM in which new clients are still served"
    )
    stop_timeout: float = setting(
        values.seconds(0, 3600),
        "30",
        "seconds after that in which requests that have begun may end",
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
    yield from _sign_in_faults(values)
    if values.get("database_pooler") == "transaction" and "database_url" in values:
        yield from _pooler_faults(values["database_url"])


def _sign_in_faults(values: dict[str, Any]) -> Iterator[str]:
    time, memory = values.get("argon2_time"), values.get("argon2_memory")
    if time and memory and memory < (least := LEAST_MEMORY[min(time, max(LEAST_MEMORY))]):
        yield (
            f"{INI_PREFIX}argon2_memory must be at least {least} with"
            f" {INI_PREFIX}argon2_time = {time}: less is not safe"
        )
    if memory and memory < 8 * values.get("argon2_parallelism", 1):
        yield f"{INI_PREFIX}argon2_memory must be 8 for each of {INI_PREFIX}argon2_parallelism"
    for name, its_link in MAILED.items():
        if values.get(name):
            for needed in ("smtp_url", "mail_from", its_link):
                if not values.get(needed, True):
                    yield f"{INI_PREFIX}{name} = true needs {INI_PREFIX}{needed}"
    if values.get("assertion_key") and not values.get("assertion_issuer", True):
        yield f"{INI_PREFIX}assertion_key needs {INI_PREFIX}assertion_issuer"


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
