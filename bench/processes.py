"""The processes of the contestants: started, measured from outside, and ended."""

import http.client
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.contestants import Contestant
from bench.postgresql import Database

LONGEST_START = 60.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """:param start: the seconds from its start to its first answer."""

    contestant: Contestant
    database: Database
    port: int
    pid: int
    start: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(
    contestant: Contestant, database: Database, path: str, log: Path, port: int | None = None
) -> Iterator[Running]:
    """Serve a database until the block ends.

    :param path: what is asked for until it is answered with 200.
    :param log: the file for what the process says.
    :param port: where others may serve already; a free one if it is not given.
    """
    port = port or _free_port()
    command = contestant.command(port)  # which may have to make an environment first
    with log.open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=contestant.folder,
            env=os.environ | contestant.environ(database),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the harness, which ends its processes itself
        )
    try:
        while _status(port, path) != 200:
            if process.poll() is not None or time.monotonic() - began > LONGEST_START:
                said = log.read_text(encoding="utf-8", errors="replace")[-3000:]
                raise RuntimeError(f"{contestant.name} does not serve {path}:\n{said}")
            time.sleep(0.005)
        start = time.monotonic() - began
        yield Running(
            contestant=contestant, database=database, port=port, pid=process.pid, start=start
        )
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started, and wait for it."""
    pids = tree(process.pid)
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        for pid in pids:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
        process.wait(timeout=15)


def tree(pid: int) -> list[int]:
    """The ids of a process and of all that descend from it."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [each for child in children.read_text().split() for each in tree(int(child))]
        except OSError:  # it ended meanwhile
            continue
    return found


def memory(pid: int, kind: str) -> float:
    """The MiB of a process and its descendants: `VmRSS` is what they have now, `VmHWM` the peak."""
    kilobytes = 0
    for each in tree(pid):
        status = Path(f"/proc/{each}/status").read_text(encoding="utf-8")
        if found := re.search(rf"^{kind}:\s+(\d+) kB", status, re.MULTILINE):
            kilobytes += int(found[1])
    return kilobytes / 1024
