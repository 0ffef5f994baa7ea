"""The URL of the database: its parameters are merged with ours or refused, and none is lost."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from tests import engines
from tests.serving.processes import Freezer
from users_service.database.engine import make_engine
from users_service.database.migrations import SchemaError, check_schema
from users_service.settings import SettingsError, load, read

POSTGRESQL = "postgresql+psycopg://ada:secret@127.0.0.1:1/users"
MARIADB = "mysql+pymysql://ada:secret@127.0.0.1:1/users"


def settings(url: str, **more: str):
    ini = {"database_url": url} | more
    return load({f"users_service.{name}": value for name, value in ini.items()}, {})


def fault(url: str, **more: str) -> str:
    with pytest.raises(SettingsError) as error:
        settings(url, **more)
    (said,) = error.value.faults
    assert "secret" not in said
    return said


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"{POSTGRESQL}?options=-c%20timezone=CET", "timezone, which the service sets itself"),
        (f"{POSTGRESQL}?options=-cTimeZone=CET", "timezone"),
        (f"{POSTGRESQL}?options=--default-transaction-isolation=serializable", "isolation"),
        (f"{POSTGRESQL}?options=-c%20work_mem=1MB%20-c%20lock_timeout=1", "service.lock_timeout"),
        (f"{POSTGRESQL}?client_encoding=latin1", "client_encoding, which must be utf8"),
        (f"{POSTGRESQL}?isolation_level=SERIALIZABLE", "isolation_level"),
        (f"{POSTGRESQL}?prepare_threshold=0", "prepare_threshold"),
        (f"{POSTGRESQL}?plugin=other", "plugin"),
        (f"{POSTGRESQL}?connect_timeout=soon", "connect_timeout, which must be a whole number"),
        (f"{POSTGRESQL}?connect_timeout=1&connect_timeout=2", "connect_timeout twice"),
        (f"{POSTGRESQL}?sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem"),
        (f"{POSTGRESQL}?host=a:1&host=b:2&port=3", "hosts, ports"),
        ("postgresql+psycopg://ada:secret@a:one,b:2/users", "is not a database URL"),
        ("postgresql+psycopg://ada:very@secret@a/users", "write that of a password as %40"),
        ("postgresql+psycopg://ada:secret%ff@a/users", "not UTF-8"),
        ("postgresql+psycopg://ada:secret\udcff@a/users", "is not UTF-8"),
        (f"{MARIADB}?charset=latin1", "charset, which must be utf8mb4"),
        (f"{MARIADB}?init_command=SET%20time_zone%3D'CET'", "time_zone"),
        (f"{MARIADB}?init_command=SET%20max_statement_time%3D1", "service.statement_timeout"),
        (f"{MARIADB}?init_command=SET%20NAMES%20latin1", "NAMES"),
        (f"{MARIADB}?autocommit=1", "autocommit"),
        (f"{MARIADB}?sql_mode=ANSI", "sql_mode"),
        (f"{MARIADB}?read_timeout=x", "read_timeout, which must be a whole number"),
        (f"{MARIADB}?ssl_verify_cert=maybe", "must be true or false"),
        (f"{MARIADB}?ssl_ca=/nowhere.pem", "/nowhere.pem"),
        ("sqlite:////x.sqlite3?timeout=3", "service.lock_timeout"),
        ("sqlite:////x.sqlite3?mode=ro", "sqlite:///file:"),
        ("sqlite:////x.sqlite3?isolation_level=IMMEDIATE", "isolation_level"),
        ("sqlite:///file:x.sqlite3?uri=false", "uri must be true"),
        ("sqlite:///file:x.sqlite3?mode=memory", "not in memory"),
        ("sqlite:///file::memory:?cache=shared&uri=true", "not in memory"),
        ("sqlite://server/x.sqlite3", "four slashes"),
    ],
)
def test_what_would_break_the_service_is_refused(url, why):
    assert why in fault(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:////x.sqlite3", "is for PostgreSQL alone"),
        (f"{POSTGRESQL}?options=-csearch_path=a", "ALTER ROLE"),
    ],
)
def test_what_a_pooler_cannot_do_is_refused(url, why):
    assert why in fault(url, database_pooler="transaction")


@pytest.fixture
def scalars():
    """Ask an engine of the service for values."""

    def ask(url: str, *statements: str) -> list:
        engine = make_engine(settings(url, statement_timeout="7", connect_timeout="9"))
        try:
            with engine.connect() as connection:
                return [connection.scalar(text(statement)) for statement in statements]
        finally:
            engine.dispose()

    return ask


@pytest.fixture
def address(request, tmp_path):
    name = f"test_{uuid4().hex}"
    if engines.server_url(request.param) is None:
        pytest.skip(f"no {request.param} answers")
    with engines.database(request.param, name, tmp_path) as url:
        yield make_url(url)


def whole(url) -> str:
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
def test_the_options_of_an_operator_are_merged_with_ours(address, scalars):
    found = scalars(
        whole(
            address.update_query_dict(
                {"options": "-csearch_path=mine\\ ,public", "application_name": "users"}
            )
        ),
        "SHOW search_path",
        "SHOW application_name",
        "SHOW statement_timeout",
        "SHOW timezone",
    )
    assert found == ["mine ,public", "users", "7s", "UTC"]


@pytest.mark.parametrize("address", ["mariadb"], indirect=True)
def test_the_init_command_of_an_operator_is_merged_with_ours(address, scalars):
    found = scalars(
        whole(address.update_query_dict({"init_command": "SET @mine = 5, wait_timeout = 77"})),
        "SELECT @mine",
        "SELECT @@wait_timeout",
        "SELECT @@max_statement_time",
        "SELECT @@time_zone",
    )
    assert found == [5, 77, 7, "+00:00"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{POSTGRESQL}?connect_timeout=3&keepalives_idle=4", {"connect_timeout": "3"}),
        (POSTGRESQL, {"connect_timeout": 5}),
        (f"{MARIADB}?connect_timeout=3&read_timeout=4", {"connect_timeout": 3, "read_timeout": 4}),
        (MARIADB, {"connect_timeout": 5, "read_timeout": 35, "password": b"secret"}),
        (
            f"{MARIADB}?ssl_ca={__file__}&ssl_verify_identity=true&ssl_verify_cert=no",
            {"ssl": {"ca": __file__, "check_hostname": True, "verify_mode": False}},
        ),
    ],
)
def test_what_an_operator_chooses_is_what_the_driver_gets(url, expected, monkeypatch):
    engine = make_engine(settings(url))
    got = {}

    def connect(*_arguments, **options):
        got.update(options)
        raise OSError

    monkeypatch.setattr(engine.dialect, "connect", connect)
    with pytest.raises(SchemaError):
        check_schema(engine)
    assert {name: got.get(name) for name in expected} == expected


SEVERAL = [
    "postgresql+psycopg://{user}@127.0.0.1:1,127.0.0.1:{port}/{name}?target_session_attrs=read-write",
    "postgresql+psycopg://{user}@/{name}?host=127.0.0.1:1&host=127.0.0.1:{port}",
    "postgresql+psycopg://{user}@/{name}?host=127.0.0.1,127.0.0.1&port=1,{port}",
    "postgresql+psycopg://{user}@/{name}?host={socket}&port={socket_port}",
]


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
@pytest.mark.parametrize("form", SEVERAL)
def test_one_of_several_hosts_is_found(address, scalars, relay, form):
    url = form.format(
        user=address.username,
        name=address.database,
        port=relay(whole(address)),
        socket=address.query.get("host"),
        socket_port=address.query.get("port"),
    )
    assert scalars(url, "SELECT current_database()") == [address.database]


@pytest.fixture
def relay():
    made = []

    def port(url: str) -> int:
        made.append(Freezer(url))
        return make_url(made[-1].url).port

    yield port
    for each in made:
        each.close()


PASSWORD = "p@:/%ü€ß' 日"


@pytest.mark.parametrize("address", ["mariadb"], indirect=True)
def test_a_password_may_have_any_letter(address, tmp_path, scalars):
    """PostgreSQL's own driver takes UTF-8; PyMySQL takes texts for Latin-1."""
    name = f"test_{uuid4().hex[:20]}"
    server = create_engine(address)
    with server.begin() as connection:
        connection.execute(text(f"CREATE USER {name}@'%' IDENTIFIED BY :word"), {"word": PASSWORD})
        connection.execute(text(f"GRANT ALL ON `{address.database}`.* TO {name}@'%'"))
    try:
        url = whole(address.set(username=name, password=PASSWORD))
        assert scalars(url, "SELECT 1") == [1]
        # The same from an ini file, where a % is doubled, and from a file of its own.
        ini = tmp_path / "x.ini"
        ini.write_text(
            "[app:main]\nuse = egg:users_service\n"
            f"users_service.database_url = {url.replace('%', '%%')}\n",
            encoding="utf-8",
        )
        assert load(read(str(ini)), {}).database_url.password == PASSWORD
        (tmp_path / "url").write_text(url, encoding="utf-8")
        variables = {"USERS_SERVICE_DATABASE_URL_FILE": str(tmp_path / "url")}
        assert load({}, variables).database_url.password == PASSWORD
    finally:
        with server.begin() as connection:
            connection.execute(text(f"DROP USER {name}@'%'"))
        server.dispose()


@pytest.mark.parametrize("password", ["a,b", "a,/b:c", "a#b", "a?b=c"])
def test_a_password_is_no_list_of_hosts(password):
    url = settings(f"postgresql+psycopg://ada:{password}@h:5/users").database_url
    assert (url.password, url.host, url.port, url.query) == (password, "h", 5, {})


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///file:a.sqlite3",
        "sqlite:///file:deep/er/a.sqlite3?uri=true",
        "sqlite:///file:{folder}/b/a.sqlite3?mode=rwc&uri=true",
        "sqlite:///file://localhost{folder}/c/a.sqlite3",
        "sqlite:///deep/a.sqlite3",
    ],
)
def test_a_file_is_made_where_its_url_says(url, tmp_path, monkeypatch, scalars):
    monkeypatch.chdir(tmp_path)
    scalars(url.format(folder=tmp_path), "SELECT count(*) FROM sqlite_master")
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in made] == ["a.sqlite3"]
    assert not list(tmp_path.glob("file:*"))


def test_a_file_that_has_to_exist_is_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = make_engine(settings("sqlite:///file:no/a.sqlite3?mode=ro"))
    with pytest.raises(SchemaError, match="unable to open"):
        check_schema(engine)
    assert list(Path().iterdir()) == []


def test_a_driver_that_is_missing_is_installed_by_the_command_that_is_named(monkeypatch):
    monkeypatch.setattr("importlib.import_module", _missing)
    said = fault(MARIADB)
    assert re.search(r"needs a driver: \S+ -m pip install 'PyMySQL[^']*>=1.1.1[^']*'$", said)


def _missing(name: str):
    raise ImportError(name)
