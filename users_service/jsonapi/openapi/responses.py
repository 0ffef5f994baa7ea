"""The responses of methods, as Response Objects: success, and each status of failure."""

from http import HTTPStatus

from ..documents import MEDIA_TYPE
from .components import Components, Json
from .documents import errors_document
from .examples import error_example

HEADERS = {
    "X-Request-ID": "The id of the request.",
    "Cache-Control": "Whether and how caches may store the response.",
    "Vary": "The request header fields that the response depends on.",
    "ETag": "The strong entity tag of the representation, for `If-Match` and `If-None-Match`.",
    "Location": "The URL of the new resource.",
    "WWW-Authenticate": "How to authenticate.",
    "Retry-After": "Seconds after which to try again.",
    "Accept": "The media type that request bodies must have, if theirs is refused.",
    "Accept-Encoding": "`identity`, if the coding of the body is refused.",
    "Accept-Patch": "The media type that `PATCH` takes, if the URL has it.",
    "Accept-Post": "The media type that `POST` takes, if the URL has it.",
}
ALWAYS = ("X-Request-ID", "Cache-Control", "Vary")
# Which of these a 415 has depends on what is refused.
REFUSED_BODY = ("Accept", "Accept-Encoding", "Accept-Patch", "Accept-Post")

HEADERS_OF_FAILURES = {
    401: ("WWW-Authenticate",),
    415: REFUSED_BODY,
    429: ("Retry-After",),
    503: ("Retry-After",),
}

# The statuses of failure of any request, of those with an id, a document, and a precondition.
COMMON_FAILURES = (400, 403, 406, 414, 431, 500, 503)
FAILURES_OF_ONE = (404,)
FAILURES_OF_DOCUMENTS = (404, 409, 413, 415, 422, 501)
FAILURES_OF_CONDITIONS = (412, 428)


def success(
    components: Components,
    description: str,
    *headers: str,
    content: Json | None = None,
    links: Json | None = None,
) -> Json:
    """The response of success.

    :param headers: its header fields, besides those of every response.
    """
    found: Json = {"description": description, "headers": _headers(components, *headers)}
    if content is not None:
        found["content"] = content
    if links:
        found["links"] = links
    return found


def content(schema: Json, example: Json | None, media_type: str = MEDIA_TYPE) -> Json:
    body: Json = {"schema": schema}
    if example is not None:
        body["example"] = example
    return {media_type: body}


def not_modified(components: Components) -> Json:
    return components.response(
        "NotModified",
        lambda: success(components, "The client has the current representation.", "ETag"),
    )


def failure(components: Components, status: int) -> Json:
    """The errors document of a status, with an example for each code that it can have."""

    def make() -> Json:
        titles = {code: title for code, (of, title) in components.codes.items() if of == status}
        headers = HEADERS_OF_FAILURES.get(status, ())
        media = {
            "schema": errors_document(components),
            "examples": {
                code: {"value": error_example(code, status, title)}
                for code, title in titles.items()
            },
        }
        return {
            "description": " ".join(f"`{code}`: {title}." for code, title in titles.items()),
            "headers": _headers(components, *headers),
            "content": {MEDIA_TYPE: media},
        }

    return components.response(HTTPStatus(status).phrase.replace(" ", "").replace("-", ""), make)


def _headers(components: Components, *names: str) -> Json:
    found = {}
    for name in (*ALWAYS, *names):
        required = name not in REFUSED_BODY
        body = {"description": HEADERS[name], "schema": {"type": "string"}, "required": required}
        found[name] = components.header(name, body)
    return found
