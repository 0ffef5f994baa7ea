"""Parses the media types in `Accept` and `Content-Type` (RFC 9110 §5.6, §8.3.1, §12.5.1)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TCHARS = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 §5.6.2
# A list element ends at a comma outside of quoted strings (§5.6.1, §5.6.4). A string without an
# end takes the rest of the field.
ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.?)*+(?:"|\Z))++', re.DOTALL)
NAME = re.compile(rf"{TCHARS}/{TCHARS}")
# A semicolon, and then a parameter or nothing (§5.6.6).
PARAMETER = re.compile(
    rf'[ \t]*;[ \t]*(?:({TCHARS})=(?:({TCHARS})|"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\.)*+)"))?'
)
# A weight (§12.4.2). Java's HttpURLConnection sends `.2`.
WEIGHT = re.compile(r"0?\.[0-9]{1,3}|0\.?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRange:
    """A media type, or a range of them, with its parameters.

    :param name: type and subtype, in lower case.
    :param parameters: the values by name, in lower case and without quotes.
    """

    name: str
    parameters: dict[str, str]

    def uris(self, parameter: str) -> list[str]:
        """The URIs in `ext` or `profile`, which blanks separate (JSON:API §5.1)."""
        return [uri for uri in self.parameters.get(parameter, "").split(" ") if uri]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """A member of `Accept`.

    :param weight: between 0, which excludes the range, and 1.
    """

    range: MediaRange
    weight: float


def elements(field: str) -> list[str]:
    """Split the value of a list field. Empty elements do not count (RFC 9110 §5.6.1.2)."""
    return [text for found in ELEMENT.findall(field) if (text := found.strip(" \t"))]


def media_range(text: str) -> MediaRange:
    """Parse one media type.

    :raises ValueError: if it is malformed, or has a parameter twice (RFC 6838 §4.3); its text can
        follow the name of the field.
    """
    found = NAME.match(text)
    if found is None:
        raise ValueError("cannot be read")
    parameters: dict[str, str] = {}
    end = found.end()
    while end < len(text):
        parameter = PARAMETER.match(text, end)
        if parameter is None:
            raise ValueError("cannot be read")
        end = parameter.end()
        name, token, quoted = parameter.groups()
        if name is None:
            continue
        if name.lower() in parameters:
            raise ValueError(f"has the parameter {name[:40]} twice")
        value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        parameters[name.lower()] = value
    return MediaRange(name=found[0].lower(), parameters=parameters)


def accepted(field: str) -> tuple[list[Weighted], bool]:
    """Parse `Accept`. A parameter `q` is the weight, wherever it stands (RFC 9110 §12.5.1).

    :returns: the members that can be read, and whether there are others.
    """
    texts = elements(field)
    found = list(_weighted(texts))
    return found, len(found) < len(texts)


def preferred(accept: str, offers: Sequence[str]) -> str:
    """Return the media type that `Accept` gives the greatest weight; of equal ones, the first.

    :param accept: the field `Accept`. Parameters of its members do not count.
    :param offers: media types without parameters; the first is for those who accept none.
    """
    members, _ = accepted(accept)
    weights = {member.range.name: member.weight for member in reversed(members)}

    def weight(offer: str) -> float:
        ranges = (offer, f"{offer.partition('/')[0]}/*", "*/*")
        return next((weights[name] for name in ranges if name in weights), 0)

    return max(offers, key=weight)


def _weighted(texts: list[str]) -> Iterator[Weighted]:
    for text in texts:
        try:
            media = media_range(text)
        except ValueError:
            continue
        weight = media.parameters.pop("q", "1")
        if WEIGHT.fullmatch(weight):
            yield Weighted(range=media, weight=float(weight))
