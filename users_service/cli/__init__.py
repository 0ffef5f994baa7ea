"""The console script `users-service`: each module has commands of one kind."""

import argparse
import sys
from importlib.metadata import version

from users_service.cli import accounts, mail, purging, signing_keys, stored_data
from users_service.cli.accounts import AccountError
from users_service.cli.mail import MailError
from users_service.cli.seeding import SeedError
from users_service.cli.signing_keys import KeyFileError
from users_service.faults import end_in_words

STOPPED = 130  # as a shell says of SIGINT


def main(arguments: list[str] | None = None) -> None:
    """Run one sub-command.

    :param arguments: the arguments of the command line; those of the process by default.
    :raises SystemExit: with a message if the command fails (1), with 2 for wrong usage, with 130 if
        it is stopped.
    """
    parser = argparse.ArgumentParser(prog="users-service", description="Operate the users service.")
    parser.add_argument("--version", action="version", version=version("users_service"))
    commands = parser.add_subparsers(title="commands", required=True)
    for module in (stored_data, accounts, mail, purging, signing_keys):
        module.add_commands(commands)
    options = parser.parse_args(arguments)
    try:
        with end_in_words():
            options.run(options)
    except (AccountError, KeyFileError, MailError, SeedError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(STOPPED)
