"""The bounds on what a client controls. The host sets them; each has a safe default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes or characters, depths in levels, pages in resources.

    :param require_if_match: whether changes and deletions need the header `If-Match` (RFC 6585 §3).
    """

    page_size: int = 20
    max_page_size: int = 1000
    max_body_size: int = 1 << 20
    max_url_length: int = 8192
    max_json_depth: int = 32
    max_include_depth: int = 5
    max_include_paths: int = 20
    max_included: int = 10_000
    max_filter_length: int = 4096
    max_filter_depth: int = 10
    max_filter_values: int = 200
    max_operations: int = 100
    require_if_match: bool = False
