"""The limits on requests. The host sets them; each has a safe default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits on requests.

    :param page_size: resources on a page, if the request does not say.
    :param max_page_size: resources on a page, at most.
    :param max_body_size: bytes of a request body.
    :param max_url_length: bytes of path and query string.
    :param max_json_depth: levels of arrays and objects in a request body.
    :param max_include_depth: relationships in a path of `include`.
    :param max_include_paths: paths of `include`.
    :param max_included: included resources in a document, and links that one `include` path follows
        at once.
    :param max_filter_length: characters of a filter parameter.
    :param max_filter_depth: levels of a filter's condition tree.
    :param max_filter_values: values of one comparison. A filter parameter and a URL
        should have room for so many ids.
    :param max_operations: atomic operations in a request.
    :param require_if_match: whether updates and deletions need the header `If-Match`
        (RFC 6585 §3).
    """

    page_size: int = 20
    max_page_size: int = 1000
    max_body_size: int = 1 << 20
    max_url_length: int = 16_384
    max_json_depth: int = 32
    max_include_depth: int = 5
    max_include_paths: int = 20
    max_included: int = 10_000
    max_filter_length: int = 8192
    max_filter_depth: int = 10
    max_filter_values: int = 200
    max_operations: int = 100
    require_if_match: bool = False
