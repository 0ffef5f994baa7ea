"""The Makefile: a checkout gets the driver that the URL of its database needs."""

import os
import subprocess

import pytest

from tests.server import ROOT

SHOW = "show: ; @printenv USERS_SERVICE_DATABASE_URL"


def make(*arguments: str, **environ: str) -> str:
    """Run make in the checkout, without what the make around these tests tells it."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=around | environ, capture_output=True, text=True, check=True
    )
    return done.stdout


POSTGRESQL, MARIADB = "postgresql+psycopg://a@h/x", "mysql+pymysql://a@h/x"


@pytest.mark.parametrize(
    ("argument", "variable", "extras"),
    [
        ("", "", []),
        ("sqlite:////srv/users.sqlite3", "", []),
        (POSTGRESQL, "", ["postgresql"]),
        ("", POSTGRESQL, ["postgresql"]),
        (MARIADB, POSTGRESQL, ["mysql"]),
    ],
)
def test_the_driver_is_installed_once(tmp_path, argument, variable, extras):
    given = [f"DATABASE_URL={argument}"] if argument else []
    environ = {"USERS_SERVICE_DATABASE_URL": variable} if variable else {}
    serve = ["serve", "--dry-run", f"VENV={tmp_path}", *given]
    said = make(*serve, **environ)
    assert [each for each in ("postgresql", "mysql") if f"--editable '.[{each}]'" in said] == extras
    stamps = ["bin/python", "installed", *(f"installed-{each}" for each in extras)]
    (tmp_path / "bin").mkdir()
    for stamp in stamps:
        (tmp_path / stamp).touch()
    assert "pip" not in make(*serve, **environ)


def test_the_driver_is_found_by_a_url_in_a_file(tmp_path):
    file = tmp_path / "url"
    file.write_text(POSTGRESQL)
    said = make("serve", "-n", f"VENV={tmp_path}", USERS_SERVICE_DATABASE_URL_FILE=str(file))
    assert "--editable '.[postgresql]'" in said


def test_it_says_where_the_api_its_docs_and_its_ui_are(tmp_path):
    said = make("serve", "-n", f"VENV={tmp_path}", "PORT=8080")
    for path in ("/api/v1/users", "/api/v1/docs", "/ui/"):
        assert f"http://127.0.0.1:8080{path}" in said


def test_serving_needs_no_node(tmp_path):
    said = make("serve", "-n", f"VENV={tmp_path}")
    assert [word for word in ("node", "npm", "tsc") if word in said.split()] == []


@pytest.mark.parametrize("url", ["mysql+pymysql://a:b$c%40#d'\"e f@h/x", MARIADB])
def test_the_url_is_passed_on_as_it_is(url):
    assert make(f"--eval={SHOW}", "show", f"DATABASE_URL={url}") == f"{url}\n"
    assert make(f"--eval={SHOW}", "show", USERS_SERVICE_DATABASE_URL=url) == f"{url}\n"
