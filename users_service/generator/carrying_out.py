"""Carries a plan out: tries it on a copy of the checkout first, then writes all files."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from users_service.generator.model import DescriptionError
from users_service.generator.plan import Plan
from users_service.generator.trial import try_out

# What a copy for a trial needs no more than the checkout does.
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache", "*.egg-info", "build"
)
DESCRIPTION = "docs/openapi.json"
PRINT = "from users_service.cli import main; main(['openapi', 'development.ini'])"


def carry_out(root: Path, made: Plan) -> list[str]:
    """Write what is planned.

    :returns: the engines that the migration was tried on.
    :raises DescriptionError: if a file that would be written has changes that are not committed.
    :raises TrialError: if the migration does not do what it should; nothing is written then.
    """
    files = made.changed()
    _check_committed(root, files)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(root, copy, ignore=LEFT_OUT)
        _write(copy, files)
        engines = try_out(copy, made.revision) if made.revision else []
        if (copy / DESCRIPTION).is_file():
            environ = os.environ | {"PYTHONPATH": str(copy)}
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-c", PRINT], cwd=copy, env=environ, capture_output=True, text=True
            )
            if done.returncode:
                raise DescriptionError(f"What is written does not start:\n{done.stderr.strip()}")
            files[DESCRIPTION] = done.stdout
    _write(root, files)
    return engines


def _check_committed(root: Path, files: Mapping[str, str | None]) -> None:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return
    status = [git, "status", "--porcelain", "--", *files]
    found = subprocess.run(  # noqa: S603
        status, cwd=root, capture_output=True, text=True, check=True
    ).stdout
    changed = [line[3:] for line in found.splitlines() if not line[3:].startswith("resources/")]
    if changed:
        raise DescriptionError(
            f"{', '.join(changed[:5])}: Has changes that are not committed, and would be written."
            " Commit them first, so that nothing can be lost."
        )


def _write(root: Path, files: Mapping[str, str | None]) -> None:
    """Write files, or none of them: what was there comes back if one cannot be written."""
    before = {path: _read(root / path) for path in files}
    try:
        for path, text in files.items():
            _put(root / path, None if text is None else text.encode())
    except BaseException:
        for path, content in before.items():
            _put(root / path, content)
        raise


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.new")
    half.write_bytes(content)
    half.replace(path)
