"""The console script `users-service`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from paste.deploy import loadapp
from sqlalchemy import inspect

from tests.further import OWN
from tests.server import ROOT
from tests.service import dispose
from users_service.cli import main
from users_service.database import migrations
from users_service.jsonapi import resources_of
from users_service.models import User


def test_the_committed_description_is_that_of_the_service(capsys):
    main(["openapi", str(ROOT / "development.ini")])
    assert (ROOT / "docs" / "openapi.json").read_text() == capsys.readouterr().out


def test_the_description_needs_no_database_and_follows_the_settings(tmp_path, capsys):
    ini = tmp_path / "other.ini"
    ini.write_text(
        "[app:main]\n"
        "use = egg:users_service\n"
        "users_service.database_url = postgresql+psycopg://nobody@127.0.0.1:1/nothing\n"
        "users_service.max_operations = 7\n"
    )
    main(["openapi", str(ini)])
    schemas = json.loads(capsys.readouterr().out)["components"]["schemas"]
    assert schemas["AtomicRequest"]["properties"]["atomic:operations"]["maxItems"] == 7


@pytest.mark.parametrize("command", ["openapi", "migrate"])
def test_faults_of_the_settings_are_told_in_a_sentence_each(tmp_path, command):
    ini = tmp_path / "wrong.ini"
    ini.write_text("[app:main]\nuse = egg:users_service\nusers_service.max_operations = many\n")
    script = Path(sys.executable).parent / "users-service"
    done = subprocess.run([script, command, ini], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "users_service.max_operations" in done.stderr
    assert "users_service.database_url" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "start",
    [
        "from users_service.cli import main; main(['openapi', ini])",
        "from paste.deploy import loadapp; loadapp(f'config:{ini}')",
    ],
    ids=["openapi", "serve"],
)
def test_faults_of_the_resources_are_told_in_a_sentence_each(tmp_path, start):
    ini = Path(shutil.copy(ROOT / "development.ini", tmp_path))
    migrations.upgrade(str(ini))
    program = (
        "from marshmallow_jsonapi import fields\n"
        "from users_service import resources\n"
        "class UserSchema(resources.UserSchema):\n"
        "    full_name = fields.String()\n"
        "    office = fields.Relationship(type_='offices')\n"
        "resources.UserSchema = UserSchema\n"
        f"ini = {str(ini)!r}\n{start}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    types, ways = sorted(known_types(str(ini))), sorted(inspect(User).relationships.keys())
    assert {*OWN} <= {*types}
    assert {"groups", "managed_groups", "role", "tokens"} <= {*ways}
    assert done.stderr.splitlines() == [
        "UserSchema.full_name: User has no column full_name; it has creation_time, email,"
        " email_folded, email_key, id, is_active, modification_time, name, name_folded,"
        " password_hash, role_id, verification_time, version.",
        f"UserSchema.office: There is no resource of type offices; there are {', '.join(types)}.",
        f"UserSchema.office: User has no relationship office; it has {', '.join(ways)}.",
    ]


def known_types(ini: str) -> list[str]:
    """The types of all resources."""
    app = loadapp(f"config:{ini}")
    try:
        return [*resources_of(app.registry)]
    finally:
        dispose(app)
