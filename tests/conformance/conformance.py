"""The pytest plugin that says which test shows which row of the checklist: docs/conformance.md.

A test carries the ids of its rows: `@pytest.mark.conformance("CN-01")`. `--conformance=write` makes
the page, and `--conformance=check` lets a run of the whole suite fail if the page is another one or
if a row that is required has no test. Parts of the suite show nothing, and are not checked.
"""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conformance.checklist import LEVELS, NOT_OFFERED, REQUIRED, SECTIONS

PAGE = Path("docs") / "conformance.md"

# What `make conformance` selects: every conformance test but those that need node.
PART = "conformance and not clients"

Results = dict[str, dict[str, bool]]
"""The tests of each row, and whether they passed: on every engine, and with all parameters."""

INTRODUCTION = """\
# Conformance

Which test shows which requirement of JSON:API 1.1, of its Atomic Operations extension, of the
Cursor Pagination profile and of HTTP, and of the service itself. What depends on the database is
shown on SQLite, PostgreSQL and MariaDB with the same expectations, the rest on SQLite. The
requirements and their ids are those of `tests/conformance/checklist.py`; their levels are M (must),
S (should), O (optional), H (of HTTP), R (recommended) and X (beyond the specification). Rows at M,
H and X are required.

This page is made by `make conformance`; `make check` fails if it is not what the tests show.
"""


def outcome(row: str, results: Results) -> str:
    """What is known of a row, in one word, or in the sentence that says why it is not offered."""
    if tests := results.get(row):
        return "passed" if all(tests.values()) else "failed"
    return f"not offered: {NOT_OFFERED[row]}" if row in NOT_OFFERED else "missing"


def gaps(results: Results) -> list[str]:
    """Why the tests do not show that the service conforms."""
    found = []
    for row, level in LEVELS.items():
        result = outcome(row, results)
        if result == "failed":
            failed = [test for test, passed in results[row].items() if not passed]
            found.append(f"{row} is not shown: {', '.join(failed)} failed")
        if result == "missing" and level in REQUIRED:
            found.append(f"{row} (level {level}) has no test, and is not in NOT_OFFERED")
        if row in results and row in NOT_OFFERED:
            found.append(f"{row} is in NOT_OFFERED, but {', '.join(results[row])} shows it")
    found += [f"{row} is no row of the checklist" for row in sorted(results.keys() - LEVELS.keys())]
    return found


def page(results: Results) -> str:
    """The page of what the tests show."""
    lines = [
        INTRODUCTION,
        "| level | rows | passed | not offered | missing |",
        "|---|---|---|---|---|",
    ]
    words = {row: outcome(row, results).partition(":")[0] for row in LEVELS}
    for level in (*"MSOHRX", "all"):
        rows = [row for row in LEVELS if level in (LEVELS[row], "all")]
        count = Counter(words[row] for row in rows)
        columns = [count[word] for word in ("passed", "not offered", "missing")]
        lines.append(f"| {' | '.join(map(str, [level, len(rows), *columns]))} |")
    for prefix, (title, _) in SECTIONS.items():
        lines += ["", f"## {title} ({prefix})", "", "| row | level | tests | outcome |"]
        lines.append("|---|---|---|---|")
        for row, level in LEVELS.items():
            if row.startswith(f"{prefix}-"):
                tests = "<br>".join(f"`{test}`" for test in sorted(results.get(row, ())))
                lines.append(f"| {row} | {level} | {tests} | {outcome(row, results)} |")
    return "\n".join(lines) + "\n"


def note(results: Results, report: pytest.TestReport, mark: str) -> None:
    """Note what a test shows of the rows that its mark names."""
    if not report.failed and (report.skipped or report.when != "call"):
        return
    path, _, test = report.nodeid.partition("::")
    name = f"{Path(path).name}::{test.partition('[')[0]}"
    for row in dict(report.user_properties).get(mark, ()):
        tests = results.setdefault(row, {})
        tests[name] = tests.get(name, True) and not report.failed


class Recorder:
    """Notes what the tests of a run show, and compares it with the page at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.page = config.rootpath / PAGE
        self.results: Results = {}
        self.problems: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        note(self.results, report, "conformance")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if session.shouldstop or session.shouldfail or not ended or not is_whole(self.config):
            return
        self.problems = gaps(self.results)
        text = page(self.results)
        if self.config.option.conformance == "write":
            self.page.parent.mkdir(exist_ok=True)
            self.page.write_text(text)
        elif not self.page.exists() or self.page.read_text() != text:
            self.problems.append(f"{PAGE} is not what the tests show: run `make conformance`")
        if self.problems:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if self.problems:
            terminalreporter.section("conformance")
            for problem in self.problems:
                terminalreporter.line(problem)


def is_whole(config: pytest.Config) -> bool:
    """Whether a run has every conformance test in it."""
    option, always = config.option, config.getini("addopts")
    marked = {"", PART, *(value for name, value in pairwise(always) if name == "-m")}
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    partial = option.keyword or option.deselect or option.collectonly
    return everything and option.markexpr in marked and not partial


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--conformance",
        choices=("write", "check"),
        help=f"make {PAGE}, or let a run of the whole suite fail if it is not what the tests show",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.option.conformance and not hasattr(config, "workerinput"):
        if config.option.conformance == "write" and not is_whole(config):
            raise pytest.UsageError("A part of the tests does not make the page.")
        config.pluginmanager.register(Recorder(config))


def pytest_itemcollected(item: pytest.Item) -> None:
    # In the report, since it is another process that hears of it.
    if rows := [row for mark in item.iter_markers("conformance") for row in mark.args]:
        item.user_properties.append(("conformance", rows))
