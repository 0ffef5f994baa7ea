"""What a trusted proxy says of a request: which value of a chain counts, and what is refused.

waitress applies the forwarded headers by its arguments `trusted_proxy`, `trusted_proxy_count` and
`trusted_proxy_headers`. Of some it takes no chains, and for others it fails. So before it sees one,
each is brought down to the one value that counts, in the form that waitress reads.
"""

import logging
import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Any

from users_service.hosts import host_of
from users_service.jsonapi import Error, JSONAPIError

log = logging.getLogger(__name__)

# A parameter of an element of Forwarded, and the end of it or of the element (RFC 7239 §4). Values
# with colons are often sent without the quotes that they need.
PARAMETER = re.compile(
    r"[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]+)[ \t]*)?([;,]|\Z)"
)
# An address; `[…]` and a port go with it, or are left out.
ADDRESS = re.compile(r"\[([0-9a-f:.]+)\](?::\d+)?|([0-9.]+):\d+|([0-9a-f:.]+)")
# A client that the proxy does not name (RFC 7239 §6.2, §6.3).
HIDDEN = re.compile(r"(?:unknown|_[a-z0-9._-]+)(?::\S+)?")


class HeaderError(ValueError):
    """A forwarded header cannot be read.

    :param wanted: what its value must be.
    :param code: the code of the error.
    """

    def __init__(self, wanted: str, code: str = "bad_request") -> None:
        self.code = code
        super().__init__(wanted)


def settle(environ: dict[str, Any], adjustments: Any) -> None:
    """Reduce each header that is trusted to the value that counts: that of the last proxy, or with
    `trusted_proxy_count` of the first one of as many.

    :param environ: the WSGI environment, which is changed.
    :param adjustments: waitress's arguments.
    :raises JSONAPIError: 400 if such a value cannot be read.
    """
    proxy = environ["REMOTE_ADDR"]
    if adjustments.trusted_proxy not in ("*", proxy):
        return
    for key, read in READERS.items():
        if key not in environ:
            continue
        header = key.removeprefix("HTTP_").replace("_", "-").lower()
        if header not in adjustments.trusted_proxy_headers:
            continue
        try:
            environ[key] = read(environ[key], adjustments.trusted_proxy_count)
        except HeaderError as error:
            name = header.title()
            log.warning("The proxy %s sent a %s that cannot be read", proxy, name)
            detail = f"The header {name} must be {error}."
            refusal = Error(code=error.code, detail=detail, source={"header": name})
            raise JSONAPIError(refusal) from None


def _address(text: str) -> str:
    """The address of a client, as waitress reads it; empty for one that the proxy does not name."""
    text = text.lower()
    if not text or HIDDEN.fullmatch(text):
        return ""
    found = ADDRESS.fullmatch(text)
    try:
        address = ip_address(next(filter(None, found.groups())) if found else "")
    except ValueError:
        raise HeaderError("an address such as 192.0.2.1 or [2001:db8::1]") from None
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def _host(text: str) -> str:
    host = host_of(text) if text else ""
    if host is None:
        raise HeaderError("a host such as api.example.com:8443", "invalid_host")
    return host


def _scheme(text: str) -> str:
    if text.lower() not in ("", "http", "https"):
        raise HeaderError("http or https")
    return text.lower()


def _port(text: str) -> str:
    if text and not (re.fullmatch("[0-9]{1,5}", text) and 0 < int(text) < 1 << 16):
        raise HeaderError("a port from 1 to 65535")
    return text.lstrip("0")


def _of_chain(read: Callable[[str], str]) -> Callable[[str, int], str]:
    """Return a reader of a header whose values have commas between them, one of each proxy."""

    def read_chain(value: str, count: int) -> str:
        elements = [element for part in value.split(",") if (element := part.strip(" \t"))]
        first = next(iter(elements[-count:]), "")
        return read(first[1:-1] if re.fullmatch('".*"', first) else first)

    return read_chain


def _forwarded(value: str, count: int) -> str:
    """Read `Forwarded`: of each parameter, the first one that the trusted proxies give."""
    found: dict[str, str] = {}
    for element in reversed(_elements(value)[-count:]):
        found |= element
    known = []
    for name, read in (("for", _address), ("host", _host), ("proto", _scheme)):
        try:
            text = read(found.get(name, ""))
        except HeaderError as error:
            raise HeaderError(f"one whose {name} is {error}", error.code) from None
        if text:
            known.append(f'{name}="{text}"')
    return ";".join(known)


def _elements(value: str) -> list[dict[str, str]]:
    """The elements of `Forwarded`: the parameters that each proxy gives."""
    elements: list[dict[str, str]] = [{}]
    place = 0
    while place < len(value):
        found = PARAMETER.match(value, place)
        if found is None or (found[1] or "").lower() in elements[-1]:
            raise HeaderError("such as for=192.0.2.1;host=api.example.com;proto=https")
        if found[1]:
            text = re.sub(r"\\(.)", r"\1", found[2][1:-1]) if found[2][:1] == '"' else found[2]
            elements[-1][found[1].lower()] = text
        if found[3] == ",":
            elements.append({})
        place = found.end()
    return [element for element in elements if element]


READERS: dict[str, Callable[[str, int], str]] = {
    "HTTP_X_FORWARDED_FOR": _of_chain(_address),
    "HTTP_X_FORWARDED_HOST": _of_chain(_host),
    "HTTP_X_FORWARDED_PROTO": _of_chain(_scheme),
    "HTTP_X_FORWARDED_PORT": _of_chain(_port),
    "HTTP_FORWARDED": _forwarded,
}
