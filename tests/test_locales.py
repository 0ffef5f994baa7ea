"""Nothing depends on the locale: also where it knows ASCII alone."""

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engines import database
from tests.server import ROOT, pserve

BIN = Path(sys.executable).parent
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
INI = ["development.ini", "production.ini"]


@pytest.mark.parametrize("name", INI)
def test_ini_files_are_ascii(name):
    assert (ROOT / name).read_bytes().isascii()


@pytest.fixture
def environ(tmp_path):
    """Of commands where the locale is ASCII, and the name of the database is not."""
    file = tmp_path / "url"
    with database("postgresql", f"Übung_{uuid4().hex}", tmp_path) as url:
        file.write_text(f"{url}\n", encoding="utf-8")
        yield ASCII | {"USERS_SERVICE_DATABASE_URL_FILE": str(file)}


def run(environ: dict[str, str], *command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, env=os.environ | environ, capture_output=True
    )


def test_the_service_is_migrated_and_served(environ):
    for command in (
        ("alembic", "-c", "production.ini", "upgrade", "head"),
        ("users-service", "migrate", "production.ini"),
    ):
        done = run(environ, *command)
        assert (done.returncode, done.stderr) == (0, b"")
    with pserve(ROOT / "production.ini", environ) as address:
        assert re.match("http://", address)


def test_the_description_is_written_in_utf_8(environ):
    done = run(environ, "users-service", "openapi", "development.ini")
    assert done.stdout == (ROOT / "docs" / "openapi.json").read_bytes()


def test_an_ini_file_that_this_locale_cannot_read_is_named(environ, tmp_path):
    ini = tmp_path / "other.ini"
    text = (ROOT / "production.ini").read_text(encoding="utf-8")
    ini.write_text(f"# für alle\n{text}", encoding="utf-8")
    done = run(environ, "users-service", "migrate", str(ini))
    assert done.returncode == 1
    assert b"other.ini cannot be read: it is not ASCII" in done.stderr
    assert b"Traceback" not in done.stderr
