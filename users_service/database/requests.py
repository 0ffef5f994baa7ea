"""The class of all requests, made once: Pyramid by itself makes one for each of them."""

from pyramid.config import Configurator
from pyramid.interfaces import IRequestExtensions, IRequestFactory
from pyramid.request import Request

# Behind every add_request_method, wherever it is called.
LAST = 1_000_000


def includeme(config: Configurator) -> None:
    config.action(
        "users_service.database.requests", _make_request_class, args=(config,), order=LAST
    )


def _make_request_class(config: Configurator) -> None:
    """Put what add_request_method has added into a subclass of Request, and nowhere else."""
    extensions = config.registry.queryUtility(IRequestExtensions)
    if extensions is None:
        return
    members = {**extensions.descriptors, **extensions.methods}
    extensions.descriptors.clear()
    extensions.methods.clear()
    config.registry.registerUtility(type("Request", (Request,), members), IRequestFactory)
