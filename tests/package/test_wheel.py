"""The wheel: built, installed without the checkout, and served from a folder with an ini file."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.client import MEDIA_TYPE, user
from tests.server import ROOT, pserve
from users_service.ui.files import read

pytestmark = pytest.mark.package

STATIC = "users_service/ui/static"


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_is_served_from_an_empty_folder(tmp_path):
    python = Path(sys.executable)
    tree, venv, folder = tmp_path / "tree", tmp_path / "venv", tmp_path / "folder"
    run("git", "clone", "--quiet", ROOT, tree, cwd=tmp_path)
    run(python, "-m", "build", "--no-isolation", "--wheel", tree, cwd=tmp_path)
    (wheel,) = (tree / "dist").glob("*.whl")
    run(python, "-m", "venv", venv, cwd=tmp_path)
    bin_folder = venv / "bin"
    pip = [bin_folder / "python", "-m", "pip", "--disable-pip-version-check", "install"]
    constraints = ["--constraint", ROOT / "constraints.txt"]
    run(*pip, "--quiet", *constraints, f"{wheel}", cwd=tmp_path)

    folder.mkdir()
    ini = Path(shutil.copy(ROOT / "production.ini", folder))
    environ = {
        "USERS_SERVICE_DATABASE_URL": f"sqlite:///{folder}/users.sqlite3",
        "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "*",
    }
    run(bin_folder / "alembic", "-c", ini, "upgrade", "head", cwd=folder, **environ)
    run(bin_folder / "alembic", "-c", ini, "check", cwd=folder, **environ)
    assert "up to date" in run(bin_folder / "users-service", "migrate", ini, cwd=folder, **environ)
    with pserve(ini, environ, bin_folder) as address:
        request = urllib.request.Request(
            f"{address}/api/v1/users.json",
            json.dumps(user(email="ada@example.com", name="Ada")).encode(),
            {"Content-Type": MEDIA_TYPE},
        )
        with urllib.request.urlopen(request) as response:
            location = response.headers["Location"]
            created = json.load(response)
        with urllib.request.urlopen(location) as response:
            assert json.load(response) == created
        for name in ("docs", "docs/page.js", "docs/swagger-ui.js", "openapi.json"):
            with urllib.request.urlopen(f"{address}/api/v1/{name}") as response:
                assert response.read()
        with urllib.request.urlopen(f"{address}/ui/") as response:
            page = response.read().decode()
        loaded = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page)
        (assets,) = re.findall(r'<meta name="assets" content="([^"]+)"', page)
        # The digest is of all scripts, style sheets and texts, so the wheel has them all.
        found = read(tree / STATIC)
        assert assets == f"/ui/assets/{found.digest}"
        assert set(loaded) <= {f"{assets}/{name}" for name in found.copies}
        for name, copy in found.copies.items():
            with urllib.request.urlopen(f"{address}{assets}/{name}") as response:
                assert response.read() == copy.body
