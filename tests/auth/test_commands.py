"""The commands for users and tokens: the first administrator, passwords, tokens, and purging."""

import io
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from tests.auth.world import PASSWORD, as_holder
from tests.client import API, Client
from tests.server import ROOT
from users_service.cli import main
from users_service.models.tables import sign_in_tries, tokens

TOKENS = f"{API}/tokens"
EMAIL = "grace@example.com"


@pytest.fixture
def command(service, tmp_path, monkeypatch, capsys):
    """Run a command on the service's database, whose ini file is INI; return what it prints."""
    ini = tmp_path / "service.ini"
    ini.write_text((ROOT / "production.ini").read_text())
    monkeypatch.setenv("USERS_SERVICE_DATABASE_URL", service.url)

    def run(*arguments: str, stdin: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        main([str(ini) if part == "INI" else part for part in arguments])
        return capsys.readouterr().out

    return run


def create(command, *more: str, stdin: str = f"{PASSWORD}\n") -> str:
    return command("user", "create", "INI", "--email", EMAIL, "--name", "Grace", *more, stdin=stdin)


def sign_in(service, password=PASSWORD):
    sent = {"email": EMAIL, "password": password}
    document = {"data": {"type": "tokens", "attributes": sent}}
    return Client(service.guarded_app).post(TOKENS, document)


def test_the_first_administrator_is_made_and_signs_in(service, command):
    assert create(command, "--role", "admin", "--password-stdin").startswith("The user ")
    signed_in = sign_in(service)
    assert signed_in.status_int == 201
    client = as_holder(signed_in.json["data"]["attributes"]["secret"], service.guarded_app)
    assert client.get(API).json["meta"]["permissions"] == ["*", "self:*"]


def test_without_a_password_nobody_signs_in_and_an_inactive_user_neither(service, command):
    create(command, stdin="")
    assert sign_in(service).status_int == 401
    with pytest.raises(SystemExit, match="already"):
        create(command)
    command("user", "password", "INI", "--email", EMAIL.upper(), "--password-stdin", stdin=PASSWORD)
    assert sign_in(service).status_int == 201


def test_an_inactive_user_does_not_sign_in(service, command):
    create(command, "--inactive", "--password-stdin")
    assert sign_in(service).status_int == 401


def test_a_token_is_printed_once_and_ends_with_a_new_password(service, command):
    create(command, "--role", "admin", "--password-stdin")
    arguments = ("token", "create", "INI", "--email", EMAIL, "--name", "Nightly")
    token = command(*arguments, "--permissions", "users:read", "self:read", "--days", "3").strip()
    client = as_holder(token, service.guarded_app)
    assert client.get(API).json["meta"]["permissions"] == ["self:read", "users:read"]
    command(
        "user", "password", "INI", "--email", EMAIL, "--password-stdin", stdin="a wholly new one"
    )
    assert client.get(API).status_int == 401
    assert sign_in(service, "a wholly new one").status_int == 201


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (
            ("user", "create", "INI", "--email", EMAIL, "--name", "G", "--password-stdin"),
            "",
            "no password on standard input",
        ),
        (("user", "create", "INI", "--email", "x", "--name", "X"), "", "--email"),
        (("user", "create", "INI", "--email", EMAIL, "--name", " "), "", "--name"),
        (("user", "create", "INI", "--email", EMAIL, "--name", "G", "--role", "no"), "", "no role"),
        (
            ("user", "create", "INI", "--email", EMAIL, "--name", "G", "--password-stdin"),
            "password1",
            "common",
        ),
        (
            ("user", "create", "INI", "--email", EMAIL, "--name", "G", "--password-stdin"),
            "short",
            "at least 8",
        ),
        (("user", "password", "INI", "--email", EMAIL, "--password-stdin"), PASSWORD, "no user"),
        (("token", "create", "INI", "--email", EMAIL, "--name", "N"), "", "no user"),
        (
            (
                "token",
                "create",
                "INI",
                "--email",
                EMAIL,
                "--name",
                "N",
                "--permissions",
                "users:fly",
            ),
            "",
            "--permissions",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(command, arguments, stdin, said):
    with pytest.raises(SystemExit) as ended:
        command(*arguments, stdin=stdin)
    text = str(ended.value)
    assert said in text
    assert "\n" not in text
    assert stdin == "" or stdin not in text


def test_a_token_is_not_good_for_longer_than_the_setting(service, command):
    create(command)
    for days in ("0", "367"):
        with pytest.raises(SystemExit, match="token_max_lifetime"):
            command("token", "create", "INI", "--email", EMAIL, "--name", "N", "--days", days)


def test_what_is_over_is_purged(service, command, world):
    now = datetime.now(UTC)
    world.token("self", expiration_time=now - timedelta(seconds=1))
    kept = world.token("self")
    with service.engine.begin() as connection:
        connection.execute(insert(sign_in_tries).values(key="0" * 64, arrival_time=1))
    before = count(service, tokens)
    assert command("purge", "INI") == (
        "Removed 1 expired tokens, 0 expired codes, 0 mails that are done, and 1 rows of tries.\n"
    )
    assert count(service, tokens) == before - 1
    assert as_holder(kept, service.guarded_app).get(API).status_int == 200


def count(service, table) -> int:
    with service.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()
