"""If-Match: a change of what a client has not seen is refused (RFC 9110 §13.1.1, RFC 6585 §3)."""

import re
from dataclasses import dataclass

from ..errors import Error, JSONAPIError


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """What a request demands of the resource that it changes.

    :param tags: the value of If-Match; None where there is none.
    :param required: whether there has to be one.
    :param source: where the request says it, as the source of an error.
    """

    tags: str | None
    required: bool
    source: dict[str, str]

    def check(self, version: int) -> None:
        """Compare the versions in the entity tags with that of the resource.

        :raises JSONAPIError: 412 if none is the same, 428 if there is no tag and there has to be.
        """
        if self.tags is None:
            if self.required:
                detail = "A change needs the entity tag of what it changes."
                raise JSONAPIError(Error(code="precondition_required", detail=detail))
            return
        if self.tags.strip() == "*":
            return
        # Weak tags never match (RFC 9110 §8.8.3.2).
        versions = re.findall(r'(?:^|,)\s*"([0-9]+)\.[^"]*"\s*(?=,|$)', self.tags)
        if str(version) not in versions:
            detail = "The resource has changed since that representation of it."
            raise JSONAPIError(Error(code="precondition_failed", detail=detail, source=self.source))
