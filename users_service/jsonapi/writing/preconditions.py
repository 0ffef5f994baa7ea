"""Checks the preconditions of a change: `If-Match` and `If-None-Match` (RFC 9110 §13, RFC 6585 §3).

`If-Unmodified-Since` does not count: no resource has a `Last-Modified` (RFC 9110 §13.1.4).
"""

import re
from dataclasses import dataclass

from ..errors import Error, JSONAPIError

# An entity tag of one resource in a list of them; the version is the first group.
_STRONG = re.compile(r'(?:^|,)\s*"([0-9]+)\.[^"]*"\s*(?=,|$)')
_WEAK = re.compile(r'(?:^|,)\s*(?:W/)?"([0-9]+)\.[^"]*"\s*(?=,|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """The precondition of a change.

    :param tags: the value of `If-Match`; None if the request has none.
    :param excluded: the value of `If-None-Match`; None if the request has none.
    :param required: whether the request must have `If-Match`.
    :param name: what the client calls `If-Match`: in operations it is a member.
    :param source: the part of the request that has it, as the error's source.
    """

    tags: str | None
    excluded: str | None = None
    required: bool
    name: str = "If-Match"
    source: dict[str, str]

    def check_required(self) -> None:
        """Check that the request has the entity tags that it must have.

        :raises JSONAPIError: 428 if not (RFC 6585 §3).
        """
        if self.required and self.tags is None:
            detail = f"Send the entity tag of the resource in {self.name}."
            raise JSONAPIError(Error(code="precondition_required", detail=detail))

    def check(self, version: int | None) -> None:
        """Compare the entity tags with the version of the resource (RFC 9110 §13.2.2).

        :param version: None if there is no resource that the tags could be of.
        :raises JSONAPIError: 412 if no tag of `If-Match` has this version, or one of
            `If-None-Match` has it; 428 if a required tag is missing.
        """
        self.check_required()
        # Weak tags never match (RFC 9110 §8.8.3.2).
        if self.tags is not None and not _has(_STRONG, self.tags, version):
            raise _failed(self._refusal(version), self.source)
        if self.excluded is not None and _has(_WEAK, self.excluded, version):
            detail = "The resource is there, in the state that If-None-Match excludes."
            raise _failed(detail, {"header": "If-None-Match"})

    def _refusal(self, version: int | None) -> str:
        if version is None:
            return f"This URL has no entity tag that {self.name} could name."
        if not _STRONG.search(self.tags or ""):
            return f"{self.name} has no strong entity tag of a resource in quotes, and is not *."
        return "The resource has changed; fetch it again for its current entity tag."


def _has(tag: re.Pattern[str], field: str, version: int | None) -> bool:
    """Whether a list of entity tags has that of a version, or is `*`."""
    if version is None:
        return False
    return field.strip() == "*" or str(version) in tag.findall(field)


def _failed(detail: str, source: dict[str, str]) -> JSONAPIError:
    return JSONAPIError(Error(code="precondition_failed", detail=detail, source=source))
