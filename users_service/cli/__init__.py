"""The console script `users-service`: each module has commands of one kind."""

import argparse
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

STOPPED = 130  # as a shell says of SIGINT
FAULTY = 2

MODULES = ("stored_data", "accounts", "mail", "purging", "signing_keys", "resources")
PACKAGE = Path(__file__).parents[1]


def main(arguments: list[str] | None = None) -> None:
    """Run one sub-command.

    :param arguments: the arguments of the command line; those of the process by default.
    :raises SystemExit: with a message if the command fails (1), with 2 for wrong usage or a faulty
        description, with 130 if it is stopped.
    """
    modules = _modules()
    from users_service.faults import CommandFailedError, end_in_words

    parser = argparse.ArgumentParser(prog="users-service", description="Operate the users service.")
    parser.add_argument("--version", action="version", version=version("users_service"))
    commands = parser.add_subparsers(title="commands", required=True)
    for module in modules:
        module.add_commands(commands)
    options = parser.parse_args(arguments)
    try:
        with end_in_words():
            options.run(options)
    except CommandFailedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(STOPPED)


def _modules() -> list[ModuleType]:
    """Import the modules of the commands, and with them models and schemas, which people edit."""
    try:
        return [import_module(f"{__name__}.{name}") for name in MODULES]
    except (ImportError, SyntaxError) as error:
        print(
            f"{_place_of(error)}: {error}. Mend it, or git checkout brings it back.",
            file=sys.stderr,
        )
        sys.exit(FAULTY)


def _place_of(error: ImportError | SyntaxError) -> str:
    """The file and the line of the service where an import fails."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = extract_tb(error.__traceback__)
    ours = [frame for frame in frames if PACKAGE in Path(frame.filename).parents]
    return f"{ours[-1].filename}:{ours[-1].lineno}"
