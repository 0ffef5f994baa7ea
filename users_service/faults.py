"""Faults of the environment, the settings, the resources or the database end a command in words."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pyramid.exceptions import ConfigurationExecutionError
from sqlalchemy.exc import DBAPIError

from users_service.database import SchemaError, reason_of
from users_service.jsonapi import ResourceError
from users_service.settings import SettingsError


class CommandFailedError(Exception):
    """What a command could not do, in a sentence for people."""


@contextmanager
def end_in_words() -> Iterator[None]:
    """End the process with what is wrong, where an operator can mend it; without a traceback.

    :raises SystemExit: with the text, which has no secret; the exit code is 1.
    """
    try:
        yield
    except (SettingsError, SchemaError) as error:
        sys.exit(str(error))
    except DBAPIError as error:
        sys.exit(f"The database failed: {reason_of(error)}")
    except ConfigurationExecutionError as error:
        if not isinstance(error.evalue, ResourceError):
            raise
        sys.exit(str(error.evalue))
