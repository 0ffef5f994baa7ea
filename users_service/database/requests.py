"""Makes the request class of the application once; Pyramid would make one for each request."""

from pyramid.config import Configurator
from pyramid.interfaces import IRequestExtensions, IRequestFactory
from pyramid.request import Request

# The order of the action: after every add_request_method.
LAST = 1_000_000


def includeme(config: Configurator) -> None:
    config.action(
        "users_service.database.requests", _make_request_class, args=(config,), order=LAST
    )


def _make_request_class(config: Configurator) -> None:
    """Move the members that add_request_method has added into a subclass of Request."""
    extensions = config.registry.queryUtility(IRequestExtensions)
    if extensions is None:
        return
    members = {**extensions.descriptors, **extensions.methods}
    extensions.descriptors.clear()
    extensions.methods.clear()
    config.registry.registerUtility(type("Request", (Request,), members), IRequestFactory)
