"""The commands about the keys that sign assertions for other services."""

import argparse
from pathlib import Path
from typing import Any

from users_service.faults import CommandFailedError
from users_service.settings import add_signing_key

ROTATE = (
    "To change keys, add one with --append and restart all processes. Five minutes later, when "
    "nobody keeps the published keys from before, move the new block to the beginning of the file "
    "and restart again. Ten minutes later, when all that the old key has signed is over, take the "
    "old block out."
)


class KeyFileError(CommandFailedError):
    """What a command about keys cannot do, as one sentence."""


def add_commands(commands: Any) -> None:
    """Add the commands to the sub-parsers of `users-service`."""
    key = commands.add_parser("assertion-key", help="make keys that sign assertions")
    keys = key.add_subparsers(title="commands", required=True)
    new = keys.add_parser(
        "new",
        help="make a key in a new file",
        description=f"{make_key.__doc__} {ROTATE}",
    )
    new.add_argument("file", type=Path, help="the file of keys, for the setting assertion_key")
    new.add_argument(
        "--append", action="store_true", help="add the key to the end of a file that is there"
    )
    new.set_defaults(run=make_key)


def make_key(options: argparse.Namespace) -> None:
    """Make a key in a file that only its owner may read. A file that is there is left as it is."""
    path = options.file
    try:
        key = add_signing_key(path, append=options.append)
    except FileExistsError:
        raise KeyFileError(
            f"{path} is there already, and is left as it is. --append adds a key to it."
        ) from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}.") from None
    except ValueError as error:
        raise KeyFileError(f"{path} {error}.") from None
    print(f"The key {key.kid} is made in {path}.")
