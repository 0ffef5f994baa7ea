"""wrk: load on one address for a few seconds, and what it measured."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Seconds for which nothing is measured twice.
LONGEST = 30

SCRIPT = Path(__file__).with_name("requests.lua")


class LoadError(Exception):
    """A measurement that means nothing, because some requests failed."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """:param rate: answers in a second.
    :param p50: the time that half of the answers took at most, in milliseconds.
    :param p99: the time that all but a hundredth of them took at most, in milliseconds.
    """

    rate: float
    p50: float
    p99: float


def require() -> None:
    """Make sure that wrk is there.

    :raises SystemExit: if it is not.
    """
    if shutil.which("wrk") is None:
        sys.exit("The benchmarks need wrk on the PATH (Debian: apt-get install wrk).")


def version() -> str:
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return said.split(" [")[0].removeprefix("wrk ")


def measure(
    url: str,
    method: str,
    media_type: str,
    lines: Sequence[str],
    *,
    seconds: int,
    connections: int = 8,
    headers: Sequence[str] = (),
) -> Measurement:
    """Send requests over and over, over several connections at once.

    If the first answers take longer than `seconds`, it is measured for twice as long, and so on.

    :param lines: paths, each with a tabulator and a body if there is one, in which `{n}` becomes
        the number of the request.
    :param headers: further header fields of all requests.
    :raises LoadError: if an answer is no success, or fails to come.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".requests", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10", "-s", SCRIPT]
        options += [part for header in headers for part in ("-H", header)]
        finished = subprocess.run(
            ["wrk", *options, url, "--", method, media_type, file.name],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
    said = [line.split()[1:] for line in finished.stdout.splitlines() if line.startswith("RESULT")]
    if finished.returncode or not said:
        raise LoadError(f"wrk failed: {finished.stderr or finished.stdout}")
    requests, microseconds, p50, p99, refused, broken = map(int, said[0])
    if not (requests or refused or broken) and seconds < LONGEST:
        return measure(
            url,
            method,
            media_type,
            lines,
            seconds=2 * seconds,
            connections=connections,
            headers=headers,
        )
    if refused or broken or not requests:
        raise LoadError(
            f"{method} {lines[0].partition(chr(9))[0]}: of {requests} requests {refused} were "
            f"answered with an error, and {broken} not at all"
        )
    return Measurement(rate=requests / microseconds * 1e6, p50=p50 / 1e3, p99=p99 / 1e3)


def median(measurements: Sequence[Measurement]) -> Measurement:
    """The median of each figure over several rounds."""
    return Measurement(
        rate=statistics.median(m.rate for m in measurements),
        p50=statistics.median(m.p50 for m in measurements),
        p99=statistics.median(m.p99 for m in measurements),
    )
