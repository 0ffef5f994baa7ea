"""The rules of fields: which one a value breaks, and its limit, for the errors of one field.

The errors of marshmallow are texts. Here they become texts that know their rule, where they arise.
"""

from datetime import date
from typing import Any

from marshmallow import ValidationError, fields
from marshmallow.fields import Field
from marshmallow.validate import URL, Email, Equal, Length, OneOf, Range, Regexp, Validator

from .errors import RULES

# The rules of marshmallow's error keys. A key that is the name of a rule means that rule.
RULE_OF_KEY = {
    "invalid": "type",
    "validator_failed": "invalid",
    "unknown": "enum",
    "too_large": "maximum",
    **dict.fromkeys(
        (
            "invalid_utf8",
            "invalid_uuid",
            "invalid_awareness",
            "invalid_ip",
            "invalid_ip_interface",
            "special",
        ),
        "format",
    ),
}

# Fields whose key `invalid` is about the form of a text.
FORMATTED = (fields.DateTime, fields.Email, fields.Url)


class Message(str):
    """The message of an error of marshmallow that says which rule a value breaks.

    :param rule: one of RULES, or a rule of the host.
    :param limit: what the rule compares with, as a value of JSON; None if there is nothing.
    """

    __slots__ = ("limit", "rule")

    rule: str
    limit: Any

    def __new__(cls, text: str, rule: str, limit: Any = None) -> "Message":
        message = super().__new__(cls, text)
        message.rule, message.limit = rule, limit
        return message

    def format(self, *args: object, **kwargs: object) -> "Message":
        """Format the text, as fields do with their messages."""
        return Message(super().format(*args, **kwargs), self.rule, self.limit)


class RuleError(ValidationError):
    """What a host's field or validator raises to say which rule a value breaks.

    :param rule: one of `errors.RULES`, or a rule of the host.
    :param limit: what the rule compares with, as a value of JSON; None if there is nothing.
    """

    def __init__(self, message: str, rule: str, limit: Any = None) -> None:
        super().__init__(Message(message, rule, limit))


def broken_rule(message: str, value: Any) -> tuple[str, Any]:
    """The rule that a value breaks, and its limit.

    :param message: a message of a schema of `with_rules`; `invalid` is the rule of any other.
    :param value: the value in the document.
    """
    if not isinstance(message, Message):
        return "invalid", None
    if message.rule == "format" and not isinstance(value, str):
        return "type", None
    return message.rule, message.limit


def with_rules(schema: Any) -> Any:
    """Make a schema of the same class, whose messages say which rules are broken.

    Errors that are neither marshmallow's nor a `RuleError` stay as they are.
    """
    made = type(schema)()
    for field in made.fields.values():
        _add_rules(field)
    return made


def _add_rules(field: Field) -> None:
    # Both are the field's own, or become so: marshmallow copies the fields of a class.
    field.error_messages = {
        key: Message(text, _rule_of_key(field, key)) for key, text in field.error_messages.items()
    }
    field.validators = [
        _WithRule(one) if isinstance(one, Validator) else one for one in field.validators
    ]
    if isinstance(field, fields.List):
        _add_rules(field.inner)


def _rule_of_key(field: Field, key: str) -> str:
    if key == "invalid" and isinstance(field, FORMATTED):
        return "format"
    return RULE_OF_KEY.get(key) or (key if key in RULES else "invalid")


class _WithRule(Validator):
    """A validator of marshmallow whose messages say which rule a value breaks."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def __call__(self, value: Any) -> Any:
        try:
            return self._validator(value)
        except ValidationError as error:
            rule, limit = _broken(self._validator, value)
            texts = error.messages if isinstance(error.messages, list) else [str(error)]
            messages = [
                one if isinstance(one, Message) else Message(one, rule, limit) for one in texts
            ]
            raise ValidationError(messages) from None


def _broken(validator: Validator, value: Any) -> tuple[str, Any]:
    match validator:
        case Length():
            return _broken_length(validator, value)
        case Range():
            return _broken_range(validator, value)
        case OneOf() | Equal():
            return "enum", None
        case Regexp():
            return "pattern", None
        case Email() | URL():
            return "format", None
    return "invalid", None


def _broken_length(validator: Length, value: Any) -> tuple[str, Any]:
    kind = "Length" if isinstance(value, str) else "Items"
    least, most = validator.min, validator.max
    if validator.equal is not None:
        least = most = validator.equal
    if least is not None and len(value) < least:
        return f"min{kind}", least
    return f"max{kind}", most


def _broken_range(validator: Range, value: Any) -> tuple[str, Any]:
    least, most = validator.min, validator.max
    if least is not None and (value < least or (value == least and not validator.min_inclusive)):
        return "minimum" if validator.min_inclusive else "exclusiveMinimum", _as_json(least)
    return "maximum" if validator.max_inclusive else "exclusiveMaximum", _as_json(most)


def _as_json(limit: Any) -> int | float | str:
    if isinstance(limit, date):
        return limit.isoformat()
    return limit if isinstance(limit, int | float) else str(limit)
