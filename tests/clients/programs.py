"""Programs that are no part of the virtual environment: installed below it, once for each lock."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.server import ROOT, pserve
from users_service.database.migrations import upgrade


class Ended(NamedTuple):
    """How a program ended: its status, what it printed, and what it complained about."""

    status: int
    printed: str
    complaint: str


def run(command: list[str | Path], folder: Path, **environ: str) -> Ended:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"no_proxy": "127.0.0.1"} | environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def must(command: list[str | Path], folder: Path) -> None:
    ended = run(command, folder)
    assert ended.status == 0, ended.printed + ended.complaint


def installed(lock: Path, install: Callable[[Path], None], config: pytest.Config) -> Path:
    """The folder below the virtual environment that has a program in it; made once for each lock.

    :param install: puts into an empty folder what the lock file names.
    """
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = Path(sys.prefix, "clients", f"{lock.parent.name}-{digest}")
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # workers of pytest-xdist install one after the other
        if not (folder / "installed").exists():
            capture = config.pluginmanager.get_plugin("capturemanager")
            with capture.global_and_fixture_disabled():
                sys.stdout.write(f"\n== Installing what {lock.relative_to(ROOT)} names\n")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            (folder / "installed").touch()
    return folder


def node_packages(source: Path, config: pytest.Config) -> Path:
    """The folder that has the npm packages installed that a folder's lock file names."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: the packages of {source} cannot be run.")

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        must(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    return installed(source / "package-lock.json", install, config)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve development.ini from an empty folder; yields the address."""
    ini = Path(shutil.copy(ROOT / "development.ini", folder))
    upgrade(str(ini))
    with pserve(ini, {}) as address:
        yield address


def token_of_an_administrator(ini: Path, environ: Mapping[str, str] | None = None) -> str:
    """Make an administrator by the service's own commands, and return a token of it."""
    command = Path(sys.executable).with_name("users-service")
    email = ("--email", "admin@example.com")
    for arguments in (
        ("user", "create", ini, *email, "--name", "Admin", "--role", "admin"),
        ("token", "create", ini, *email, "--name", "Tests"),
    ):
        said = subprocess.run(
            [command, *arguments],
            env=os.environ | (environ or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    return said.stdout.strip()
