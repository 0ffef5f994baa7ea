"""jsonapi without the service: its tests run where nothing else of the package is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
JSONAPI = Path("users_service", "jsonapi")
TESTS = Path("tests")
# What its tests need beside their own folder.
SHARED = (
    "__init__.py",
    "conftest.py",
    "client.py",
    "description.py",
    "engines.py",
    "interference.py",
)

# An editable installation finds the modules of the checkout that a copy does not have.
CONFTEST = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("users_service.") and name.split(".")[1] != "jsonapi":
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Refusing())
"""


@pytest.fixture
def alone(tmp_path, monkeypatch) -> Path:
    """A folder with jsonapi and its tests, which a process imports in place of the checkout."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in (JSONAPI, TESTS / "jsonapi"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for name in SHARED:
        shutil.copy(ROOT / TESTS / name, tmp_path / TESTS)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / JSONAPI.parent / "__init__.py").touch()
    (tmp_path / "conftest.py").write_text(CONFTEST)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # The copy is not what coverage is measured of.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    return tmp_path


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_its_tests_run_without_the_service(alone):
    imported = python(alone, "-c", "import conftest, users_service.jsonapi, users_service.models")
    assert "No module named 'users_service.models'" in imported.stderr
    # All of its tests are collected, which imports them; those of one module run.
    run = python(
        alone, "-m", "pytest", "-p", "no:xdist", "tests/jsonapi", "-k", "test_resources and sqlite"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
