"""What a run has found, as tables of Markdown, and where they stand in the documentation."""

import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import wrk
from bench.wrk import Measurement

Results = Mapping[tuple[str, str], Sequence[Measurement]]
"""The rounds of each workload and contestant, by their names."""


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is of text and whose others are of numbers."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """A number with three digits that count."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rates(results: Results, workloads: Mapping[str, str], contestants: Mapping[str, str]) -> str:
    """Answers in a second; the arguments are the titles by the names."""
    return _by_workload(workloads, contestants, lambda w, c: number(wrk.median(results[w, c]).rate))


def latencies(
    results: Results, workloads: Mapping[str, str], contestants: Mapping[str, str]
) -> str:
    def cell(workload: str, contestant: str) -> str:
        found = wrk.median(results[workload, contestant])
        return f"{number(found.p50)} / {number(found.p99)}"

    return _by_workload(workloads, contestants, cell)


def ratios(
    results: Results, workloads: Mapping[str, str], contestants: Mapping[str, str], of: str
) -> str:
    """How many times as fast as each of the others one contestant is."""

    def cell(workload: str, contestant: str) -> str:
        # Round by round: what disturbs one of a round disturbs its neighbours.
        pairs = zip(results[workload, of], results[workload, contestant], strict=True)
        return number(statistics.median(mine.rate / theirs.rate for mine, theirs in pairs))

    others = {name: title for name, title in contestants.items() if name != of}
    return _by_workload(workloads, others, cell)


def _by_workload(workloads, contestants, cell) -> str:
    rows = [
        [title, *(cell(workload, contestant) for contestant in contestants)]
        for workload, title in workloads.items()
    ]
    return table(["", *contestants.values()], rows)


def machine() -> str:
    """When and where a run was."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    total = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores of "
        f"{cpu[1] if cpu else platform.machine()}, {int(total[1]) / 1048576 if total else 0:.0f} "
        f"GiB, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, wrk {wrk.version()}"
    )


def load() -> str:
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def write(page: Path, section: str, text: str) -> None:
    """Put a text between the two comments that mark its section of a page.

    :raises ValueError: if the page has no such section.
    """
    old = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    if begin not in old or end not in old:
        raise ValueError(f"{page} has no section {section!r}: {begin} … {end}")
    before, rest = old.split(begin, 1)
    after = rest.split(end, 1)[1]
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
