"""From rows to documents and responses: what other rooms use of it."""

from . import links, media
from .document import DocumentBuilder
from .links import base_url, description_url, is_batch
from .media import MEDIA_TYPE, PLAIN, Media
from .responses import Answer, error_response, request_id, respond

__all__ = [
    "MEDIA_TYPE",
    "PLAIN",
    "Answer",
    "DocumentBuilder",
    "Media",
    "base_url",
    "description_url",
    "error_response",
    "is_batch",
    "links",
    "media",
    "request_id",
    "respond",
]
