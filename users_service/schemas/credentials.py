"""The field types of passwords, and of what permits: permissions and other credentials."""

import re
from typing import Any

from marshmallow import fields
from marshmallow.validate import Length

from users_service.jsonapi import RuleError
from users_service.permissions import FORM, LONGEST, fault_of
from users_service.schemas.metadata import with_metadata

# Of a new password (NIST SP 800-63B-4 §3.1.1.2 has less and more).
LEAST_CHARACTERS, MOST_BYTES = 8, 1024
NOT_EMPTY = Length(min=1)


class Permission(fields.String):
    """The name of a permission: of the service's own types only what there is."""

    def __init__(self, **kwargs: Any) -> None:
        # Named groups are spelled otherwise in ECMA-262.
        form = re.sub(r"\?P<\w+>", "?:", FORM.pattern)
        length, pattern = Length(max=LONGEST), f"^({form})$"
        super().__init__(validate=length, **with_metadata(kwargs, pattern=pattern))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name: str = super()._deserialize(value, attr, data, **kwargs)
        if fault := fault_of(name):
            is_name = FORM.fullmatch(name) and len(name) <= LONGEST
            raise RuleError(fault, "enum" if is_name else "pattern")
        return name


class Credential(fields.String):
    """A text that is compared exactly as it is sent, and never shown.

    :param max_length: characters, at most.
    :param shortest: says how many, at least.
    """

    def __init__(
        self,
        *,
        max_length: int,
        shortest: Length = NOT_EMPTY,
        validate: Any = None,
        **kwargs: Any,
    ) -> None:
        checks = [shortest, Length(max=max_length), *([validate] if validate else [])]
        super().__init__(validate=checks, load_only=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise RuleError("Must not contain U+0000.", "control")
        return text


class Password(Credential):
    """A new password, of at least 8 characters and at most 1024 bytes of UTF-8."""

    def __init__(self, **kwargs: Any) -> None:
        error = f"Must have at least {LEAST_CHARACTERS} characters."
        shortest = Length(min=LEAST_CHARACTERS, error=error)
        super().__init__(max_length=MOST_BYTES, shortest=shortest, validate=self._check, **kwargs)

    @staticmethod
    def _check(password: str) -> None:
        if len(password) <= MOST_BYTES < len(password.encode()):
            message = f"Must have at most {MOST_BYTES} bytes in UTF-8."
            raise RuleError(message, "maxBytes", MOST_BYTES)
