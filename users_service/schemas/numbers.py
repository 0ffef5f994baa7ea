"""The field types of numbers: integers, and decimals, which are texts in JSON."""

import decimal
import re
from typing import Any

from marshmallow import fields
from marshmallow.validate import Range

from users_service.jsonapi import RuleError
from users_service.schemas.metadata import with_metadata

# The integers that all parsers of JSON read alike (RFC 7493 §2.2).
MOST = 2**53 - 1

# Characters. No decimal has as many digits.
LONGEST = 100

FORM = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?")

# Rounds nothing.
_EXACTLY = decimal.Context(prec=2 * LONGEST, traps=[decimal.Inexact, decimal.InvalidOperation])

Bound = decimal.Decimal | int | str | None


class Integer(fields.Integer):
    """A whole number, of at most 2^53-1 either way.

    A number without a fraction is one, however it is written (JSON Schema Validation §6.1.1): 1.0
    is 1.

    :param minimum: the least one.
    :param maximum: the greatest one.
    """

    def __init__(
        self, *, minimum: int | None = None, maximum: int | None = None, **kwargs: Any
    ) -> None:
        self.minimum = -MOST if minimum is None else minimum
        self.maximum = MOST if maximum is None else maximum
        super().__init__(validate=Range(self.minimum, self.maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not is_whole or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return int(value)


class Decimal(fields.String):
    """A number with a fixed number of decimals: exact, and therefore a text in JSON.

    Answers always have all decimals: "1.5" comes back as "1.50".

    :param digits: all of them.
    :param scale: how many of these are behind the point.
    :param minimum: the least value; what the digits allow if it is None.
    :param maximum: the greatest value.
    """

    def __init__(
        self,
        *,
        digits: int,
        scale: int,
        minimum: Bound = None,
        maximum: Bound = None,
        **kwargs: Any,
    ) -> None:
        self.digits, self.scale = digits, scale
        self.step = decimal.Decimal(1).scaleb(-scale)
        most = self.step * (10**digits - 1)
        self.minimum = -most if minimum is None else max(self._exact(minimum), -most)
        self.maximum = most if maximum is None else min(self._exact(maximum), most)
        self.example = str(min(max(self._exact(1), self.minimum), self.maximum))
        facts = {"format": "decimal", "pattern": self._pattern(), "examples": [self.example]}
        super().__init__(
            validate=Range(self.minimum, self.maximum), **with_metadata(kwargs, **facts)
        )

    @staticmethod
    def dump_value(value: decimal.Decimal | None) -> str | None:
        return None if value is None else f"{value:f}"

    def _serialize(
        self, value: decimal.Decimal | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return self.dump_value(value)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> decimal.Decimal:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        match = FORM.fullmatch(text) if len(text) <= LONGEST else None
        if match is None or (self.minimum >= 0 and re.fullmatch("-[0.]+", text)):
            raise RuleError(f"Must be a number in digits, such as {self.example}.", "format")
        if len(match[1] or "") > self.scale:
            message = f"Must have at most {self.scale} digits behind the point."
            raise RuleError(message, "multipleOf", str(self.step))
        return self._exact(text)

    def _exact(self, value: decimal.Decimal | int | str) -> decimal.Decimal:
        """Return a value with all decimals. Zero has no sign."""
        return _EXACTLY.add(decimal.Decimal(value).quantize(self.step, context=_EXACTLY), 0)

    def _pattern(self) -> str:
        """The form of the texts. Bounds that are shorter than the digits are not in it."""
        whole = self.digits - self.scale
        sign = "-?" if self.minimum < 0 else ""
        integers = "0" if whole == 0 else rf"(0|[1-9][0-9]{{0,{whole - 1}}})"
        decimals = rf"(\.[0-9]{{1,{self.scale}}})?" if self.scale else ""
        return f"^{sign}{integers}{decimals}$"
