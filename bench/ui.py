"""The browser UI among many users: from a keystroke, a click on a header or a page to the rows."""

import argparse
import statistics
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import chromium

from bench import contestants, options, postgresql, processes, report, workloads
from bench.options import say

# Does something, and tells the milliseconds until the rows that it asks for are painted.
TIMED = """
const done = arguments[arguments.length - 1];
const rows = document.querySelector(".rows");
let began = 0;
new MutationObserver((_, observer) => {
  if (rows.hasAttribute("aria-busy")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
}).observe(rows, { attributes: true, childList: true, subtree: true });
began = performance.now();
"""
TYPE = """
const input = document.querySelector("input[type=search]");
input.value = arguments[0];
input.dispatchEvent(new Event("input", { bubbles: true }));
"""
CLICK = "document.querySelector(arguments[0]).click();"

# Whole words and beginnings, of names and of addresses; the last one is found nowhere.
WORDS = ["anna", "kowal", "müller", "li wei", "zoe", "garcia", "alice.w", "example", "xqzv"]
SHOWN = "return document.querySelectorAll('.rows tbody tr').length > 0"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--users", type=options.positive, default=1_000_000, help="in the database")
    parser.add_argument("--rounds", type=options.positive, default=5, help="of sorts and pages")
    options.add_page(parser)
    chosen = parser.parse_args()
    options.end_on_sigterm()
    load = report.load()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = contestants.service()
        database = stack.enter_context(postgresql.new_database(server, "bench_ui"))
        say(f"Seeding {chosen.users:,} users")
        postgresql.seed(database, service.environ(database), chosen.users, 1000)
        path = f"{service.prefix}/users/{workloads.people(database).sample[0]['id']}"
        running = stack.enter_context(processes.running(service, database, path, folder / "log"))
        browser = stack.enter_context(chromium())
        found = measured(browser, f"{running.url}/ui/users", chosen.rounds)
    rows = [
        [name, str(len(times)), *map(report.number, (statistics.median(times), p95(times)))]
        for name, times in found.items()
    ]
    heading = ["", "times", "median, ms", "p95, ms"]
    text = (
        f"{report.machine()}, load {load}. {chosen.users:,} users on PostgreSQL; one process, and"
        f" Chromium without a screen on the same cores.\n\n{report.table(heading, rows)}"
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "ui", text)


def measured(browser: WebDriver, url: str, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    browser.set_script_timeout(60)
    opened(browser, url)
    for word in WORDS:
        for end in range(1, len(word) + 1):
            found["keystroke to rows"].append(timed(browser, TYPE, word[:end]))
        timed(browser, TYPE, "")
    for number in range(rounds):
        opened(browser, url)
        headers = browser.execute_script(
            "return [...document.querySelectorAll('[data-sort]')].map((each) => each.dataset.sort)"
        )
        for name in headers:
            for order in ("first", "again"):
                took = timed(browser, CLICK, f"[data-sort={name}]")
                found[f"sort by {name}, {order}"].append(took)
        opened(browser, url)
        for page in range(2, 11):
            took = timed(browser, CLICK, "[data-page=next]")
            if page == 10:
                found["tenth page"].append(took)
        found["last page"].append(timed(browser, CLICK, "[data-page=last]"))
        say(f"Round {number + 1}")
    return found


def opened(browser: WebDriver, url: str) -> None:
    browser.get(url)
    WebDriverWait(browser, 60).until(lambda b: b.execute_script(SHOWN))


def timed(browser: WebDriver, script: str, argument: str) -> float:
    took: float = browser.execute_async_script(TIMED + script, argument)
    return took


def p95(times: list[float]) -> float:
    return sorted(times)[max(0, round(0.95 * len(times)) - 1)]


if __name__ == "__main__":
    main()
