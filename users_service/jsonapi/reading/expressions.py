"""Parses filter expressions, in the grammar of JsonApiDotNetCore, into condition trees; no SQL.

Example: `filter=or(equals(name,'Ada'),has(groups))`.
"""

import re
from typing import Any

from ..limits import Limits
from ..resource import Resource
from .filters import check_filterable, compare, find_relationship, follow_path, has_none, one_of
from .operands import are_comparable
from .readable import Readable
from .tree import And, CompareFields, Condition, Count, Not, Or, Related, depth

COMPARISONS = {
    "equals": "eq",
    "lessThan": "lt",
    "lessOrEqual": "le",
    "greaterThan": "gt",
    "greaterOrEqual": "ge",
}
FUNCTIONS = {"and", "or", "not", "has", "any"}
TEXT_MATCHES = {
    "contains": "contains",
    "icontains": "icontains",
    "startsWith": "startswith",
    "endsWith": "endswith",
}
TOKENS = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z0-9_.-]+)|([(),]))")


def parse(
    resource: Resource, _name: str, value: str, limits: Limits, readable: Readable
) -> Condition:
    """Parse the value of the parameter `filter`.

    :raises ValueError: if it is wrong; the text is the error's detail.
    """
    if len(value) > limits.max_filter_length:
        raise ValueError(f"May have at most {limits.max_filter_length} characters.")
    condition: Condition = _Expression(value, limits, readable).parse(resource)
    if depth(condition) > limits.max_filter_depth:
        raise _too_deep(limits)
    return condition


def _too_deep(limits: Limits) -> ValueError:
    return ValueError(f"May be nested at most {limits.max_filter_depth} levels deep.")


Token = tuple[str, str]
"""Its kind, which is text, word, mark or end, and what it says."""


def _tokens(text: str) -> list[Token]:
    """Split an expression into tokens; the last one is its end.

    :raises ValueError: at the first character that begins none.
    """
    found: list[Token] = []
    offset = 0
    text = text.rstrip()
    while offset < len(text):
        match = TOKENS.match(text, offset)
        if not match:
            raise ValueError(f"Cannot be read at character {offset + 1}.")
        kind = ("text", "word", "mark")[(match.lastindex or 1) - 1]
        token = match[match.lastindex or 1]
        found.append((kind, token.replace("''", "'") if kind == "text" else token))
        offset = match.end()
    return [*found, ("end", "the end")]


class _Expression:
    """A recursive-descent parser of filter expressions."""

    def __init__(self, text: str, limits: Limits, readable: Readable) -> None:
        self.limits = limits
        self.readable = readable
        self.tokens = _tokens(text)
        self.depth = 0

    def parse(self, resource: Resource) -> Any:
        condition = self.condition(resource)
        self.expect("end")
        return condition

    def next(self) -> tuple[str, str]:
        return self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]

    def expect(self, kind: str, token: str | None = None) -> str:
        found_kind, found = self.next()
        if found_kind != kind or (token is not None and found != token):
            raise ValueError(f"Has {found[:40]!r} where {token or 'a ' + kind!r} should be.")
        return found

    def path(self, word: str) -> list[str]:
        path = word.split(".")
        if len(path) > self.limits.max_filter_depth:
            raise _too_deep(self.limits)
        return path

    def follows(self, token: str) -> bool:
        return self.tokens[0] == ("mark", token)

    def condition(self, resource: Resource) -> Any:
        """Parse one function call into a condition on a resource."""
        self.depth += 1
        if self.depth > self.limits.max_filter_depth:
            raise _too_deep(self.limits)
        function = self.expect("word")
        self.expect("mark", "(")
        if function in ("and", "or"):
            result: Any = self.junction(resource, function)
        elif function == "not":
            result = Not(self.condition(resource))
        elif function == "has":
            result = self.has(resource)
        elif function == "any":
            result = self.any(resource)
        elif function in COMPARISONS:
            result = self.comparison(resource, COMPARISONS[function])
        elif function in TEXT_MATCHES:
            result = self.text_match(resource, TEXT_MATCHES[function])
        else:
            known = ", ".join(sorted({*FUNCTIONS, *COMPARISONS, *TEXT_MATCHES}))
            raise ValueError(f"There is no function {function[:40]!r}; there are {known}.")
        self.expect("mark", ")")
        self.depth -= 1
        return result

    def junction(self, resource: Resource, function: str) -> Any:
        """Parse the conditions of `and` or `or`."""
        conditions = [self.condition(resource)]
        while self.follows(","):
            self.next()
            conditions.append(self.condition(resource))
        if len(conditions) < 2:
            raise ValueError(f"The function {function} takes at least two conditions.")
        return (And if function == "and" else Or)(tuple(conditions))

    def text_match(self, resource: Resource, operator: str) -> Any:
        path = self.path(self.expect("word"))
        self.expect("mark", ",")
        text = self.expect("text")
        return follow_path(
            resource, path, lambda end, name: compare(end, name, operator, text, self.readable)
        )

    def has(self, resource: Resource) -> Any:
        path = self.path(self.expect("word"))
        target = resource
        for name in path:
            target = find_relationship(target, name).target
        inner = None
        if self.follows(","):
            self.next()
            inner = self.condition(target)
        return follow_path(
            resource, path, lambda end, name: Related(find_relationship(end, name), inner)
        )

    def any(self, resource: Resource) -> Any:
        path = self.path(self.expect("word"))
        values = []
        while self.follows(","):
            self.next()
            values.append(self.expect("text"))
        if not values:
            raise ValueError("The function any takes at least one value.")
        return follow_path(
            resource,
            path,
            lambda end, name: one_of(end, name, values, self.limits, self.readable),
        )

    def comparison(self, resource: Resource, operator: str) -> Any:
        """Parse the comparison of an attribute, or of the number of related resources."""
        name = self.expect("word")
        if name == "count" and self.follows("("):
            return self.count(resource, operator)
        self.expect("mark", ",")
        kind, text = self.next()
        path = self.path(name)
        if kind == "text":
            return follow_path(
                resource, path, lambda end, last: self.compared(end, last, operator, text)
            )
        if (kind, text, operator) == ("word", "null", "eq"):
            return has_none(resource, path, self.readable)
        if kind == "word" and len(path) == 1:
            for field in (name, text):
                check_filterable(resource, field, self.readable)
            if not are_comparable(resource.column(name), resource.column(text)):
                raise ValueError(f"{name} and {text} cannot be compared.")
            return CompareFields(resource, name, operator, text)
        raise ValueError(f"Has {text[:40]!r} where a value should be.")

    def count(self, resource: Resource, operator: str) -> Any:
        """Parse the comparison of `count(…)` with a number."""
        self.next()
        path = self.path(self.expect("word"))
        self.expect("mark", ")")
        self.expect("mark", ",")
        text = self.expect("text")
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(
                "The function count is compared with a whole number of up to 9 digits, in quotes."
            )
        return follow_path(
            resource,
            path,
            lambda end, last: Count(find_relationship(end, last), operator, int(text)),
        )

    def compared(self, resource: Resource, name: str, operator: str, text: str) -> Any:
        """Return the comparison of a field with a text; of a relationship with an id."""
        if name in resource.relationships and operator == "eq":
            return one_of(resource, name, [text], self.limits, self.readable)
        return compare(resource, name, operator, text, self.readable)
