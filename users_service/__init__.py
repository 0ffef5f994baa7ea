"""The users service: a Pyramid application for PasteDeploy."""

import gc
from typing import Any


def main(global_config: dict[str, str], **ini: str) -> Any:
    """Make the WSGI application: the `paste.app_factory` of this package.

    :param ini: the keys of the ini file's `[app:main]`.
    :raises SystemExit: with all that keeps the service from being started, for the operator.
    """
    # What is imported and configured stays. Looking for garbage in it takes a tenth of the start.
    gc.disable()
    try:
        from users_service.application import make_application

        return make_application(ini)
    finally:
        gc.enable()
