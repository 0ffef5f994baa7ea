"""Checks the precondition `If-Match` of a change (RFC 9110 §13.1.1, RFC 6585 §3)."""

import re
from dataclasses import dataclass

from ..errors import Error, JSONAPIError


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """The precondition of a change.

    :param tags: the value of `If-Match`; None if the request has none.
    :param required: whether the request must have it.
    :param source: the part of the request that has it, as the error's source.
    """

    tags: str | None
    required: bool
    source: dict[str, str]

    def check(self, version: int) -> None:
        """Compare the entity tags with the version of the resource.

        :raises JSONAPIError: 412 if no tag has this version; 428 if a required tag is missing.
        """
        if self.tags is None:
            if self.required:
                detail = "Send the entity tag of the resource: If-Match, or meta.if_match."
                raise JSONAPIError(Error(code="precondition_required", detail=detail))
            return
        if self.tags.strip() == "*":
            return
        # Weak tags never match (RFC 9110 §8.8.3.2).
        versions = re.findall(r'(?:^|,)\s*"([0-9]+)\.[^"]*"\s*(?=,|$)', self.tags)
        if str(version) not in versions:
            detail = "The resource has changed; fetch it again for its current entity tag."
            raise JSONAPIError(Error(code="precondition_failed", detail=detail, source=self.source))
