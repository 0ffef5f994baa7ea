"""The page of conformance: what is not shown is said, and lets a run of the tests fail."""

import os
import subprocess
import sys

import pytest

from tests.conformance.checklist import LEVELS, NOT_OFFERED, REQUIRED, SECTIONS
from tests.conformance.conformance import PAGE, PART, gaps, page
from tests.server import ROOT

SHOWN = [row for row, level in LEVELS.items() if level in REQUIRED and row not in NOT_OFFERED]

SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "--strict-markers -p no:cacheprovider -p tests.conformance.conformance -m 'not slow'"
markers = ["conformance(*ids): rows", "clients: need node", "slow: left out"]
"""
SUITE = """
import pytest

@pytest.mark.conformance(*{rows})
@pytest.mark.parametrize("number", range(3))
def test_rows(number):
    assert number < {limit}

@pytest.mark.conformance("SO-03")
def test_another():
    pass
"""


@pytest.fixture
def results():
    return {row: {"test_a.py::test_rows": True} for row in SHOWN}


def test_rows_that_are_all_shown_leave_no_gap(results):
    assert gaps(results) == []


@pytest.mark.parametrize("row", ["CN-01", "OB-08"])
def test_a_row_without_a_test_is_a_gap_and_is_missing_on_the_page(results, row):
    shown = page(results)
    del results[row]
    assert [gap.partition(" ")[0] for gap in gaps(results)] == [row]
    assert f"| {row} | {LEVELS[row]} |  | missing |" in page(results)
    assert page(results) != shown


@pytest.mark.parametrize("row", ["CN-01", "SO-03"])
def test_a_row_with_a_test_that_fails_is_a_gap(results, row):
    results[row] = {"test_a.py::test_rows": True, "test_b.py::test_other": False}
    assert gaps(results) == [f"{row} is not shown: test_b.py::test_other failed"]
    assert "`test_a.py::test_rows`<br>`test_b.py::test_other` | failed |" in page(results)


def test_what_is_not_offered_has_its_reason_on_the_page_and_no_test(results):
    row, reason = next(iter(NOT_OFFERED.items()))
    assert f"| not offered: {reason} |" in page(results)
    results[row] = {"test_a.py::test_rows": True}
    assert gaps(results) == [f"{row} is in NOT_OFFERED, but test_a.py::test_rows shows it"]


def test_a_row_that_the_checklist_does_not_have_is_a_gap(results):
    results["XX-01"] = {"test_a.py::test_rows": True}
    assert gaps(results) == ["XX-01 is no row of the checklist"]


def test_the_checklist_has_every_section_on_the_page_with_all_of_its_rows(results):
    lines = page(results).splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        f"## {title} ({prefix})" for prefix, (title, _) in SECTIONS.items()
    ]
    assert [line[2:7] for line in lines if line[2:7] in LEVELS] == list(LEVELS)
    assert NOT_OFFERED.keys() <= LEVELS.keys()
    assert all(reason.endswith(".") and "|" not in reason for reason in NOT_OFFERED.values())


class Suite:
    """Tests of their own, in a folder of their own."""

    def __init__(self, folder) -> None:
        self.folder = folder
        (folder / "tests").mkdir()
        (folder / "pyproject.toml").write_text(SETTINGS)
        self.page = folder / PAGE
        self.write(SHOWN)

    def write(self, rows: list[str], limit: int = 3) -> None:
        (self.folder / "tests" / "test_a.py").write_text(SUITE.format(rows=rows, limit=limit))

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        """The exit status, and what is said of conformance."""
        code = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pytest; sys.exit(pytest.main())"
        )
        command = [sys.executable, "-B", "-c", code, "-rN", "-p", "xdist", *arguments]
        # The plugins that these tests have no use for take longer to import than the tests run.
        environ = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True)
        _, _, said = done.stdout.partition(" conformance ===")
        lines = [line for line in said.splitlines()[1:] if line and not line.startswith("=")]
        return done.returncode, lines


@pytest.fixture
def suite(tmp_path) -> Suite:
    return Suite(tmp_path)


DIFFERS = f"{PAGE} is not what the tests show: run `make conformance`"


def test_a_run_fails_as_soon_as_a_test_no_longer_shows_its_row(suite):
    assert suite.run("--conformance=check") == (1, [DIFFERS])
    assert suite.run("--conformance=write", "-m", PART) == (0, [])
    assert "| SO-03 | S | `test_a.py::test_another` | passed |" in suite.page.read_text()
    assert suite.run("--conformance=check") == (0, [])
    suite.write([row for row in SHOWN if row != "CN-01"])
    status, problems = suite.run("--conformance=check")
    assert (status, problems[1:]) == (1, [DIFFERS])
    assert problems[0].startswith("CN-01 (level M) has no test")
    suite.write(SHOWN, limit=2)
    status, problems = suite.run("--conformance=check")
    assert (status, len(problems)) == (1, len(SHOWN) + 1)


def test_workers_show_what_one_process_does(suite):
    workers = ("--numprocesses", "2")
    assert suite.run("--conformance=write", "-m", PART) == (0, [])
    assert suite.run("--conformance=check", *workers) == (0, [])
    suite.write(SHOWN, limit=2)
    status, problems = suite.run("--conformance=check", *workers)
    assert (status, len(problems)) == (1, len(SHOWN) + 1)


@pytest.mark.parametrize("selection", [("-k", "another"), ("tests/test_a.py",), ("-m", "no")])
def test_a_part_of_the_tests_is_not_checked_and_makes_no_page(suite, selection):
    assert suite.run("--conformance=check", *selection)[1] == []
    assert suite.run("--conformance=write", *selection)[0] == pytest.ExitCode.USAGE_ERROR
    assert not suite.page.exists()
