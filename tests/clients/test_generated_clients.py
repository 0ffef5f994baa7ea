"""Clients that generators make of the API's description, and what they do with the service."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.programs import Ended, node_packages, run, serving, token_of_an_administrator

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent

SEEN = {
    "created": {"email": "ada@example.com", "is_active": False},
    "read": "Ada",
    "filtered": ["Grace"],
    "sorted": ["Mary", "Grace"],
    "total": 4,  # and the administrator
    "updated": {"name": "Ada Lovelace", "is_active": True},
    "groups": ["Press"],
    "deleted": 204,
    "missing": {"status": 404, "code": "not_found"},
}


class Client(NamedTuple):
    """A client from its generator to its work."""

    generated: Ended
    checked: Ended
    worked: Ended


def python(address: str, token: str, folder: Path, config: pytest.Config) -> Client:
    """A package of openapi-python-client; mypy checks the program that uses it."""
    program = HERE / "openapi_python" / "drive.py"
    generator = [BIN / "openapi-python-client", "generate", "--meta", "none"]
    source = ["--url", f"{address}/api/v1/openapi.json"]
    checker = [BIN / "mypy", "--strict", "--config-file=", "--follow-imports=silent"]
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # it puts the package in order with ruff
    return Client(
        run([*generator, *source, "--output-path", "users_client"], folder, PATH=path),
        run([*checker, program], folder, MYPYPATH=f"{folder}"),
        run([sys.executable, program, address, token], folder, PYTHONPATH=f"{folder}"),
    )


def typescript(address: str, _token: str, folder: Path, config: pytest.Config) -> Client:
    """The types of openapi-typescript under openapi-fetch; TypeScript compiles the program."""
    source = HERE / "openapi_typescript"
    packages = node_packages(source, config) / "node_modules"
    (folder / "node_modules").symlink_to(packages)
    for name in ("package.json", "tsconfig.json", "drive.ts", "wrong.ts"):
        shutil.copy(source / name, folder)
    generator = [packages / ".bin" / "openapi-typescript", f"{address}/api/v1/openapi.json"]
    return Client(
        run([*generator, "--default-non-nullable=false", "--output", "api.ts"], folder),
        run([packages / ".bin" / "tsc", "--project", "tsconfig.json"], folder),
        run(["node", "drive.js", address], folder),
    )


@pytest.fixture(scope="module", params=[python, typescript], ids=["python", "typescript"])
def client(request, tmp_path_factory) -> Client:
    """What became of a client of a service of development.ini."""
    folder = tmp_path_factory.mktemp("generated")
    with serving(folder) as address:
        token = token_of_an_administrator(folder / "development.ini")
        return request.param(address, token, folder, request.config)


def test_a_generator_has_nothing_to_complain_of(client):
    said = client.generated.printed + client.generated.complaint
    assert client.generated.status == 0, said
    assert not re.search("warn|error|⚠", said, re.IGNORECASE), said


def test_the_types_take_what_is_right_and_nothing_else(client):
    assert client.checked.status == 0, client.checked.printed + client.checked.complaint


def test_a_client_gets_its_work_done(client):
    assert client.worked.status == 0, client.worked.complaint
    assert json.loads(client.worked.printed) == SEEN
