"""Hot spots: where the service spends the time of its interpreter on one workload, by py-spy."""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench import contestants, environments, options, postgresql, processes, report, workloads, wrk
from bench.options import say
from bench.processes import Running
from bench.run import WARM_UP, measure
from bench.workloads import People, Workload

REQUIREMENTS = Path(__file__).with_name("profiler.txt")
RATE = 250  # samples in a second
FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+?)(:\d+)?\)$")
LEAST = 0.02  # of all samples: what has less is not shown


def main() -> None:
    parser = options.parser(__doc__ or "", seconds=10, rounds=1)
    parser.add_argument("--users", type=options.positive, default=100_000, help="in the database")
    known = tuple(workload.name for workload in workloads.ALL)
    parser.add_argument("--workloads", type=options.names(known), default="item,list-100")
    chosen = parser.parse_args()
    wrk.require()
    options.end_on_sigterm()
    profiler = environments.bin_folder("profiler", REQUIREMENTS) / "py-spy"
    texts = []
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = contestants.service()
        database = stack.enter_context(postgresql.new_database(server, "bench_hotspots"))
        say(f"Seeding {chosen.users:,} users")
        postgresql.seed(database, service.environ(database), chosen.users, 1000)
        people = workloads.people(database)
        path = f"{service.prefix}/users/{people.sample[0]['id']}"
        running = stack.enter_context(processes.running(service, database, path, folder / "log"))
        for workload in workloads.ALL:
            if workload.name in chosen.workloads:
                stacks = _record(profiler, running, workload, people, chosen.seconds, folder)
                texts += [f"**{workload.title}**", *_tables(stacks)]
    text = "\n\n".join(
        [
            f"{report.machine()}. The share of samples that hold the interpreter's lock; load "
            f"average {report.load()}.",
            *texts,
        ]
    )
    print(text)
    if chosen.write:
        report.write(chosen.write, "hotspots", text)


def _record(
    profiler: Path,
    running: Running,
    workload: Workload,
    people: People,
    seconds: int,
    folder: Path,
) -> Counter[tuple[str, ...]]:
    """Return how often each stack was seen, outermost frame first."""
    say(f"Sampling: {workload.title}")
    measure(running, workload, people, seconds=WARM_UP)
    output = folder / f"{workload.name}.raw"
    command = [
        profiler,
        "record",
        "--gil",
        "--full-filenames",
        "--format",
        "raw",
        "--output",
        output,
    ]
    command += ["--rate", str(RATE), "--duration", str(seconds), "--pid", str(running.pid)]
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(measure, running, workload, people, seconds=seconds + 2)
        subprocess.run(command, check=True, capture_output=True, timeout=seconds + 60)
        load.result()
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in output.read_text(encoding="utf-8").splitlines():
        frames, _, count = line.rpartition(" ")
        stacks[tuple(frames.split(";"))] += int(count)
    return stacks


def _tables(stacks: Counter[tuple[str, ...]]) -> Sequence[str]:
    total = sum(stacks.values())
    packages: Counter[str] = Counter()
    own: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    for frames, count in stacks.items():
        places = [_place(frame) for frame in frames]
        packages[places[-1][0]] += count
        own[" ".join(places[-1])] += count
        for module, function in {p for p in places if p[0].startswith("users_service")}:
            ours[f"{module} {function}"] += count

    def shares(heading: str, counter: Counter[str]) -> str:
        rows = [
            [f"`{name}`", f"{count / total:.0%}"]
            for name, count in counter.most_common()
            if count / total >= LEAST
        ]
        return report.table([heading, ""], rows)

    return [
        shares("package, or module of the service, without what it calls", packages),
        shares("function, without what it calls", own),
        shares("function of the service, with what it calls", ours),
    ]


def _place(frame: str) -> tuple[str, str]:
    """The package, or the module of the service, that a frame is in, and its function."""
    found = FRAME.match(frame)
    if not found:  # generated code
        return "other", frame.partition(" ")[0]
    parts = Path(found["file"]).with_suffix("").parts
    if "users_service" in parts:
        return ".".join(parts[parts.index("users_service") :]), found["function"]
    if "site-packages" in parts:
        start = parts.index("site-packages") + 1
        length = 2 if parts[start] in ("paste", "zope") else 1  # namespaces of several packages
        return ".".join(parts[start : start + length]), found["function"]
    return (parts[-2] if parts[-1] == "__init__" else parts[-1]), found["function"]


if __name__ == "__main__":
    main()
