"""Options that the commands share."""

import argparse
import signal
import sys
from pathlib import Path


def parser(description: str, *, seconds: int, rounds: int) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    made.add_argument("--seconds", type=positive, default=seconds, help="of each measurement")
    made.add_argument("--rounds", type=positive, default=rounds, help="the median of them counts")
    add_page(made)
    return made


def add_page(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the result into this page as well"
    )


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number above zero")
    return int(text)


def names(known: tuple[str, ...]):
    """Read names with commas between, in the order in which they are known."""

    def read(text: str) -> list[str]:
        wanted = text.split(",")
        if unknown := sorted(set(wanted) - set(known)):
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return [name for name in known if name in wanted]

    return read


def say(text: str) -> None:
    """Tell how far it has come, beside the result."""
    print(text, file=sys.stderr, flush=True)


def end_on_sigterm() -> None:
    """Let SIGTERM end the processes that were started, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
