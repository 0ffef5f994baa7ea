"""Entity tags (RFC 9110 §8.8.3): of representations, and of the resources in them."""

import hashlib

from .media import Media


def entity_tag(version: int | None, media: Media, body: bytes) -> str:
    """The strong entity tag of a representation, without its quotes.

    The tag of one resource begins with its version. `If-Match` compares the version alone, so that
    it works with the tag of any representation, whatever fields that has.
    """
    digest = hashlib.sha256(media.content_type.encode() + b"\0")  # fast: processors implement it
    digest.update(body)
    return f"{'' if version is None else version}.{digest.hexdigest()[:24]}"


def version_tag(version: int) -> str:
    """The entity tag of a resource in a document of many, for `If-Match`.

    It is that of no representation, so that it never makes a response a 304.
    """
    return f'"{version}."'
