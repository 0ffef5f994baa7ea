"""A walk: all users of a large table, by the links of page after page, and the process's memory."""

import argparse
import http.client
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import contestants, options, postgresql, processes, report, workloads
from bench.options import say
from bench.processes import Running

SIZE = 1000
WARM = 20  # pages until the process has what it needs to serve


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--users", type=options.positive, default=1_000_000, help="in the database")
    options.add_page(parser)
    chosen = parser.parse_args()
    options.end_on_sigterm()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = contestants.service()
        database = stack.enter_context(postgresql.new_database(server, "bench_walk"))
        say(f"Seeding {chosen.users:,} users")
        postgresql.seed(database, service.environ(database), chosen.users, 1000)
        path = f"{service.prefix}/users/{workloads.people(database).sample[0]['id']}"
        running = stack.enter_context(processes.running(service, database, path, folder / "log"))
        text = f"{report.machine()}. {_walk(running, chosen.users)}"
    print(text)
    if chosen.write:
        report.write(chosen.write, "walk", text)


def _walk(running: Running, users: int) -> str:
    started = processes.memory(running.pid, "VmRSS")
    warm, seen, pages, began = started, 0, 0, time.monotonic()
    last = ""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    url: str | None = f"{running.contestant.prefix}/users?page%5Bsize%5D={SIZE}"
    while url:
        connection.request("GET", url.removeprefix(running.url))
        response = connection.getresponse()
        document = json.loads(response.read())
        if response.status != 200:
            raise workloads.WrongAnswerError(f"{url}: {document}")
        for user in document["data"]:
            if user["id"] <= last:
                raise workloads.WrongAnswerError(f"{url}: {user['id']} comes after {last}")
            last = user["id"]
        seen, pages = seen + len(document["data"]), pages + 1
        url = document["links"]["next"]
        if pages == WARM:
            warm = processes.memory(running.pid, "VmRSS")
        if pages % 100 == 0:
            say(f"{seen:,} users, {processes.memory(running.pid, 'VmRSS'):.1f} MiB")
    connection.close()
    if seen != users:
        raise workloads.WrongAnswerError(f"The walk met {seen} users of {users}")
    return (
        f"{seen:,} users in {pages:,} pages, each once and in order, in "
        f"{time.monotonic() - began:.0f} s. The process had {started:.1f} MiB when it had started, "
        f"{warm:.1f} MiB after {min(WARM, pages)} pages, and "
        f"{processes.memory(running.pid, 'VmRSS'):.1f} MiB at the end; its peak was "
        f"{processes.memory(running.pid, 'VmHWM'):.1f} MiB."
    )


if __name__ == "__main__":
    main()
