"""Responses: from rows to documents, and from answers of views to HTTP responses.

A request meets the modules in this order: media, which negotiates the media type before the view;
document, with serializers and links; creation; responses. `copies` is apart: it sends what is no
document of JSON:API.
"""

from . import links, media
from .copies import Copy
from .creation import add_created
from .document import DocumentBuilder
from .links import base_url, description_url, is_batch
from .media import MEDIA_TYPE, PLAIN, Media
from .media_ranges import preferred
from .responses import Answer, error_response, request_id, respond

__all__ = [
    "MEDIA_TYPE",
    "PLAIN",
    "Answer",
    "Copy",
    "DocumentBuilder",
    "Media",
    "add_created",
    "base_url",
    "description_url",
    "error_response",
    "is_batch",
    "links",
    "media",
    "preferred",
    "request_id",
    "respond",
]
