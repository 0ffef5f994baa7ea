"""The bounds on what a client controls. The host sets them; each has a safe default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, depths in levels, pages in resources."""

    page_size: int = 20
    max_page_size: int = 1000
    max_body_size: int = 1 << 20
    max_url_length: int = 8192
    max_json_depth: int = 32
