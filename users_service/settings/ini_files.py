"""Reads ini files; what is wrong with one is told without its values, which may be secret."""

import configparser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import plaster

from users_service.settings.settings import SettingsError


def read(path: str) -> Mapping[str, str]:
    """Read the `[app:main]` of an ini file.

    :param path: of the ini file, as `pserve` takes it.
    :raises SettingsError: if it cannot be read. Its text has no value of the file.
    """
    with _told_without_values(path):
        section: Mapping[str, str] = plaster.get_loader(
            path, protocols=["wsgi"]
        ).get_wsgi_app_settings()
    return section


def check_values(path: str, defaults: Mapping[str, str]) -> None:
    """Check that every value of an ini file's applications can be read.

    :param defaults: what `%(name)s` may stand for besides the file's own names.
    :raises SettingsError: as `read`.
    """
    with _told_without_values(path):
        loader = plaster.get_loader(path, protocols=["wsgi"])
        for section in loader.get_sections():
            if section.startswith(("app:", "composite:", "filter:", "pipeline:")):
                loader.get_settings(section, dict(defaults))


@contextmanager
def _told_without_values(path: str) -> Iterator[None]:
    try:
        yield
    except configparser.InterpolationError as error:
        where = f"{error.option} in [{error.section}]"
        fault = f"a % of {where} is followed by the name of nothing: write % as %%"
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        fault = "it is no ini file" + (f", see line {line}" if line else "")
    except UnicodeDecodeError:
        fault = "it is not ASCII, which every locale can read: put other values into variables"
    except OSError as error:
        fault = str(error.strerror)
    except LookupError:
        fault = "it has no [app:main] that can be used"
    except plaster.PlasterError:
        fault = "its name does not end in .ini"
    else:
        return
    raise SettingsError([f"{path} cannot be read: {fault}"])
