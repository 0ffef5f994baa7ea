"""The OpenAPI document as it is sent: made once for each URL of the service."""

from collections.abc import Callable
from functools import lru_cache

import orjson
from pyramid.request import Request
from pyramid.response import Response

from ..documents import Copy
from .components import Json

# The document names the URL of its server, which clients choose. It is kept for so many of them.
MOST_SERVERS = 4


def sender(describe: Callable[[], Json]) -> Callable[[Request], Response]:
    """Return the view that sends the OpenAPI document.

    :param describe: returns it, without `servers`.
    """

    @lru_cache(maxsize=MOST_SERVERS)
    def copy(url: str) -> Copy:
        return Copy(orjson.dumps(describe() | {"servers": [{"url": url}]}))

    def show_description(request: Request) -> Response:
        """Describe the API in OpenAPI 3.1."""
        sent = copy(request.application_url)
        return sent.response(request, content_type="application/json", charset=None)

    return show_description
