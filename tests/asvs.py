"""The pytest plugin that says which test shows which requirement of OWASP's ASVS 5.0.

A test carries the ids of its rows: `@pytest.mark.asvs("6.2.1")`. `make asvs` runs these tests with
`--asvs=write`, which writes the table of docs/security.md. A row is met by tests or by the reason
given here, or it is not met, and the reason says what is missing.
"""

from pathlib import Path

import pytest

from tests.conformance.conformance import Results, note

PAGE = Path("docs") / "security.md"
BEGIN, END = "<!-- asvs -->", "<!-- /asvs -->"

MET, NOT_MET, ELSEWHERE = "met", "not met", "elsewhere"

# Each row: its level, what it asks for in our words, and how it stands where no test shows it.
ROWS: dict[str, tuple[int, str, tuple[str, str] | None]] = {
    "3.3.1": (1, "cookies are Secure, with a prefix of their name", None),
    "3.3.2": (2, "cookies have SameSite", None),
    "3.3.4": (2, "scripts cannot read the cookie of a session", None),
    "3.4.1": (1, "HTTPS is to stay (HSTS)", None),
    "3.4.2": (1, "CORS allows listed origins alone", None),
    "3.5.1": (1, "requests of other origins do nothing with the cookie", None),
    "6.1.1": (1, "it is documented what stands against guessing", (MET, "this page")),
    "6.1.2": (2, "words that passwords may not be are documented", (MET, "this page")),
    "6.2.1": (1, "passwords have at least 8 characters", None),
    "6.2.2": (1, "users can change their password", None),
    "6.2.3": (1, "that needs the current one", None),
    "6.2.4": (1, "the 3,000 most common ones are refused", None),
    "6.2.5": (1, "any characters may be in them", None),
    "6.2.8": (2, "they are compared exactly as sent", None),
    "6.2.9": (2, "64 characters are allowed", None),
    "6.2.10": (2, "they need not be changed after a time", (MET, "there is no such rule")),
    "6.2.11": (2, "words of the context are refused", None),
    "6.2.12": (
        3,
        "breached passwords are refused",
        (NOT_MET, "only the lists of this page, and the operator's `password_blocklist`"),
    ),
    "6.3.1": (1, "guessing and stuffing of passwords are bounded", None),
    "6.3.2": (1, "there are no accounts by default", (MET, "a new database has no users")),
    "6.3.3": (2, "several factors", (NOT_MET, "a password is the only factor")),
    "6.3.5": (3, "users hear of suspicious sign-ins", (NOT_MET, "nobody is told")),
    "6.3.7": (
        3,
        "users hear of changes of their credentials",
        (NOT_MET, "only of an address that was changed by mail"),
    ),
    "6.3.8": (3, "failures do not tell which users there are", None),
    "6.4.1": (1, "codes of a sign-up are random, expire, and are used once", None),
    "6.4.2": (1, "there are no secret questions", (MET, "there are none")),
    "6.4.3": (2, "a forgotten password is reset in a secure way", None),
    "6.4.6": (
        3,
        "administrators cannot choose the passwords of users",
        (NOT_MET, "who has `users:update` sets them"),
    ),
    "7.1.1": (2, "the times of sessions are documented", (MET, "this page")),
    "7.1.2": (2, "so is how many there are at once", None),
    "7.2.1": (1, "tokens are verified by the service", None),
    "7.2.2": (1, "they are made for each session", None),
    "7.2.3": (1, "they are random, with 128 bits at least", None),
    "7.2.4": (1, "each sign-in makes a new one", None),
    "7.3.1": (2, "a session that is not used ends", None),
    "7.3.2": (2, "a session ends after a time", None),
    "7.4.1": (1, "signing out ends it", None),
    "7.4.2": (1, "so do deactivation and deletion of the user", None),
    "7.4.3": (2, "other sessions end with a new password", None),
    "7.4.5": (2, "administrators end the sessions of others", None),
    "7.5.1": (2, "changes of credentials need the password again", None),
    "7.5.2": (2, "users see and end their sessions", None),
    "8.1.1": (1, "the rules of access are documented", (MET, "this page and the README")),
    "8.1.2": (2, "so are those of fields", (MET, "this page")),
    "8.2.1": (1, "functions need permissions", None),
    "8.2.2": (1, "so do single resources", None),
    "8.2.3": (2, "so do fields", None),
    "8.3.1": (1, "the service enforces this", None),
    "8.3.2": (3, "changes of rights hold at once", None),
    "11.4.2": (2, "passwords are hashed by a function made for them", None),
    "14.2.4": (2, "secrets are protected as documented", None),
    "16.2.5": (2, "no secrets are logged", None),
}


def outcome(row: str, results: Results) -> str:
    _, _, otherwise = ROWS[row]
    if tests := results.get(row):
        return MET if all(tests.values()) else "failed"
    return "no test" if otherwise is None else f"{otherwise[0]}: {otherwise[1]}"


def table(results: Results) -> str:
    lines = ["| row | level | asks that | tests | outcome |", "| --- | --- | --- | --- | --- |"]
    for row, (level, asked, _) in ROWS.items():
        tests = "<br>".join(f"`{test}`" for test in sorted(results.get(row, ())))
        lines.append(f"| {row} | {level} | {asked} | {tests} | {outcome(row, results)} |")
    return "\n".join(lines)


def rows_of(text: str) -> dict[str, str]:
    """The rows of the page's table, each as it is written."""
    section = text.partition(BEGIN)[2].partition(END)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


class Recorder:
    """Notes what the tests of a run show, and writes the table at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.page = config.rootpath / PAGE
        self.results: Results = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        note(self.results, report, "asvs")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.shouldstop or session.shouldfail:
            return
        if unknown := self.results.keys() - ROWS.keys():
            raise pytest.UsageError(f"There are no rows {', '.join(sorted(unknown))}.")
        text = self.page.read_text()
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        made = f"{before}{BEGIN}\n\n{table(self.results)}\n\n{END}{after}"
        self.page.write_text(made)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--asvs", choices=("write",), help=f"write the table of {PAGE}")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.asvs and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config))


def pytest_itemcollected(item: pytest.Item) -> None:
    # In the report, since it is another process that hears of it.
    if rows := [row for mark in item.iter_markers("asvs") for row in mark.args]:
        item.user_properties.append(("asvs", rows))
