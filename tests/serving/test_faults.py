"""What is wrong with the environment is said in one sentence, and what waitress promises works."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.server import ROOT, process
from tests.serving.processes import exchange, free_port
from users_service.cli import main
from users_service.database.migrations import upgrade
from users_service.serving import make_server

COMMANDS = {
    "pserve": ("{ini}", "http_port=0"),
    "users-service": ("migrate", "{ini}"),
    "alembic": ("-c", "{ini}", "current"),
}
CLOSED = "postgresql+psycopg://ada:se%25cret@127.0.0.1:1/users"


def all_say(ini: Path, **environ: str) -> list[str]:
    """Run each command with an ini file that it has to refuse; return what they say."""

    def run(name: str) -> str:
        arguments = [each.format(ini=ini) for each in COMMANDS[name]]
        done = subprocess.run(
            [Path(sys.executable).with_name(name), *arguments],
            env=os.environ | environ,
            cwd=ini.parent,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (1, ""), name
        return done.stderr

    with ThreadPoolExecutor() as pool:
        return list(pool.map(run, COMMANDS))


def changed(folder: Path, **lines: str) -> Path:
    """The ini file of development with other lines in its [server:main] and [app:main]."""
    text = (ROOT / "development.ini").read_text(encoding="utf-8")
    for name, line in lines.items():
        begin = f"users_service.{name} = "
        assert begin in text
        text = "".join(
            f"{begin}{line}\n" if each.startswith(begin) else each
            for each in text.splitlines(keepends=True)
        )
    ini = folder / "development.ini"
    ini.write_text(text, encoding="utf-8")
    return ini


def test_a_database_that_cannot_be_reached_is_named_by_each_command():
    for said in all_say(ROOT / "development.ini", USERS_SERVICE_DATABASE_URL=CLOSED):
        assert said.startswith("The database ")
        assert 'server at "127.0.0.1", port 1 failed: Connection refused' in said
        assert said.count("\n") == 1
        assert "cret" not in said


def test_a_percent_sign_in_an_ini_file_does_not_show_the_password(tmp_path):
    ini = changed(tmp_path, database_url="postgresql+psycopg://ada:se%cret@h/users")
    for said in all_say(ini):
        assert "users_service.database_url in [app:main]" in said
        assert "write % as %%" in said
        assert "cret" not in said
        assert "Traceback" not in said


def test_an_unknown_key_is_named_by_each_command(tmp_path):
    ini = changed(tmp_path, drain_delay="0\nusers_service.drain = 1")
    for said in all_say(ini):
        assert "users_service.drain is not a setting" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql+psycopg://ada:secret@nowhere.invalid/users", "nowhere.invalid"),
        ("mysql+pymysql://ada:secret@nowhere.invalid/users", "nowhere.invalid"),
        ("mysql+pymysql://ada:secret@127.0.0.1:1/users", "Connection refused"),
        ("mysql+pymysql://ada:secret@" + "a" * 70 + ".example/users", "label"),
        ("sqlite:///{file}/users.sqlite3", "cannot be made"),
        ("sqlite:///{folder}", "unable to open"),
    ],
)
def test_what_is_wrong_with_the_database_is_said(tmp_path, monkeypatch, url, expected):
    (tmp_path / "file").touch()
    url = url.format(file=tmp_path / "file", folder=tmp_path)
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", url)
    with pytest.raises(SystemExit) as stopped:
        main(["migrate", str(ROOT / "development.ini")])
    assert expected in str(stopped.value)
    assert "secret" not in str(stopped.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("missing.ini", None, "No such file or directory"),
        ("empty.ini", b"", "no [app:main]"),
        ("plain.ini", b"secret\n", "no ini file, see line 1"),
        ("twice.ini", b"[app:main]\na = secret\na = secret\n", "no ini file, see line 3"),
        ("latin1.ini", b"[app:main]\na = secret\xff\n", "not ASCII"),
        ("other.cfg", b"[app:main]\n", "does not end in .ini"),
    ],
)
def test_an_ini_file_that_cannot_be_read_is_named(tmp_path, name, content, expected):
    ini = tmp_path / name
    if content is not None:
        ini.write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main(["migrate", str(ini)])
    assert f"{ini} cannot be read" in str(stopped.value)
    assert expected in str(stopped.value)
    assert "secret" not in str(stopped.value)


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


HERE = {"host": "127.0.0.1", "port": "0"}


@pytest.mark.parametrize(
    ("options", "moved", "expected"),
    [
        ({"host": "127.0.0.1", "port": "{taken}"}, {}, "127.0.0.1:{taken}: Address already in use"),
        ({"host": "127.0.0.1"}, {"http_port": "{taken}"}, "Address already in use"),
        ({"host": "203.0.113.1", "port": "0"}, {}, "203.0.113.1:0: Cannot assign"),
        ({"host": "nowhere.invalid", "port": "0"}, {}, "nowhere.invalid:0: there is no such host"),
        ({"listen": "127.0.0.1:0 nowhere.invalid:0"}, {}, "there is no such host"),
        ({"host": "127.0.0.1", "port": "65536"}, {}, "a port is at most 65535"),
        (HERE, {"http_port": "many"}, "port = many: must be a whole number"),
        ({"listen": "127.0.0.1:0"}, {"http_port": "1"}, "http_port on the command line"),
        ({"unix_socket": "x"}, {"http_port": "1"}, "http_port on the command line"),
        ({"listen": "127.0.0.1:0", "host": "127.0.0.1"}, {}, "if listen is set"),
        ({"unix_socket": "x", "host": "127.0.0.1"}, {}, "unix_socket may not be set"),
        ({"unix_socket": "{folder}/no/x"}, {}, "/no/x: No such file or directory"),
        ({"unix_socket": "{folder}/" + "x" * 200}, {}, "too long"),
        ({"unix_socket": "{folder}/x", "unix_socket_perms": "9"}, {}, "must be an octal number"),
        ({**HERE, "treads": "4"}, {}, "treads is no argument of waitress"),
        ({**HERE, "threads": "x"}, {}, "threads = x: must be a whole number"),
        ({**HERE, "threads": "0"}, {}, "threads = 0: must be at least 1"),
        (
            {**HERE, "trusted_proxy": "127.0.0.1", "trusted_proxy_count": "0"},
            {},
            "trusted_proxy_count = 0: must be at least 1",
        ),
        ({**HERE, "ipv6": "maybe"}, {}, "ipv6 = maybe: must be true or false"),
        ({**HERE, "reuse_port": "maybe"}, {}, "reuse_port = maybe: must be true or false"),
        ({**HERE, "ipv4": "false"}, {}, "127.0.0.1:0: there is no such host"),
        ({**HERE, "trusted_proxy_count": "2"}, {}, "trusted_proxy_count has no meaning"),
        ({**HERE, "transfer_timeout": "soon"}, {}, "transfer_timeout = soon: must be a number"),
        ({"sockets": "3"}, {}, "sockets cannot be told in an ini file"),
    ],
)
def test_what_is_wrong_with_the_server_is_said(tmp_path, taken, options, moved, expected):
    def filled(text: str) -> str:
        return text.format(taken=taken, folder=tmp_path)

    options, moved = (
        {name: filled(value) for name, value in each.items()} for each in (options, moved)
    )
    with pytest.raises(SystemExit) as stopped:
        make_server({"cpu": "any", **moved}, **options)
    said = str(stopped.value)
    assert said.startswith("[server:main] cannot be used: ")
    assert filled(expected) in said
    assert "\n" not in said


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("addresses")
    upgrade(str(shutil.copy(ROOT / "development.ini", made)))
    return made


def served(folder: Path, *lines: str) -> Path:
    text = (folder / "development.ini").read_text(encoding="utf-8")
    ini = folder / "served.ini"
    place = "host = 127.0.0.1\nport = 6543\n"
    assert place in text
    ini.write_text(text.replace(place, "".join(f"{line}\n" for line in lines)), encoding="utf-8")
    return ini


@pytest.mark.parametrize(
    "lines",
    [
        ["host = *", "port = {ports[0]}"],
        ["host = localhost", "port = {ports[0]}"],
        ["listen = *:{ports[0]} 127.0.0.1:{ports[1]}"],
        ["listen = 127.0.0.1:{ports[0]} 127.0.0.1:{ports[1]}", "reuse_port = true"],
    ],
)
def test_each_address_is_served(folder, lines):
    ports = [free_port(), free_port()]
    ini = served(folder, *(line.format(ports=ports) for line in lines))
    with process(ini, {}, options=()):
        for place, port in enumerate(ports):
            if f"ports[{place}]" in lines[0] + lines[-1]:
                assert exchange(port, "GET", "/livez")[1] == {"status": "ok"}


def test_a_unix_socket_is_served(folder):
    path = folder / "socket"
    ini = served(folder, f"unix_socket = {path}", "unix_socket_perms = 660")
    for _ in range(2):  # a socket that is left over is replaced
        with process(ini, {}, options=()):
            assert path.stat().st_mode & 0o777 == 0o660
            connection = http.client.HTTPConnection("localhost")
            with closing(connection), socket.socket(socket.AF_UNIX) as connection.sock:
                connection.sock.connect(str(path))
                connection.request("GET", "/readyz")
                assert connection.getresponse().status == 200


def test_a_prefix_and_a_scheme_are_those_of_links(folder):
    ini = served(
        folder, "host = 127.0.0.1", "port = 6543", "url_prefix = /base", "url_scheme = https"
    )
    with process(ini, {}) as (address, _):
        port = int(address.rpartition(":")[2])
        assert exchange(port, "GET", "/base/livez")[0].status == 200
        _, document = exchange(port, "GET", "/base/api/v1/users")
        assert document["links"]["self"] == f"https://127.0.0.1:{port}/base/api/v1/users"
