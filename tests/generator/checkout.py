"""A copy of the checkout, of which all is committed, and that commands import."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.server import ROOT

BIN = Path(sys.executable).parent
IGNORED = shutil.ignore_patterns("__pycache__", "node_modules")
WHO = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}


def copied(folder: Path) -> Path:
    """Copy the checkout into a folder, and commit all of it there."""
    for name in ("users_service", "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=IGNORED)
    for name in ("development.ini", "pyproject.toml", "conftest.py", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    run(folder, "git init -q")
    commit(folder)
    return folder


def commit(tree: Path) -> None:
    run(tree, "git add .")
    run(tree, "git commit -qm Go")


def run(tree: Path, command: str, code: int = 0) -> str:
    """Run a command of the copy, and return what it prints.

    :param code: the exit code that it has to end with.
    """
    environ = {k: v for k, v in os.environ.items() if k != "COVERAGE_PROCESS_CONFIG"}
    done = subprocess.run(
        command.replace(".venv/bin", str(BIN)).split(),
        cwd=tree,
        env=environ | WHO | {"PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def resource(tree: Path, arguments: str, code: int = 0) -> str:
    """Run `users-service resource`."""
    return run(tree, f".venv/bin/users-service resource {arguments}", code)
