"""Hosts: the form that `Host` must have (RFC 9110 §7.2), and which of them are allowed."""

import re
from ipaddress import AddressValueError, IPv6Address, ip_address

# A name of letters, digits, `-` and `_`, which IPv4 addresses are as well, or an IPv6 address; and
# a port. RFC 3986 §3.2.2 allows more, such as commas, which no name in DNS has.
FORM = re.compile(
    r"(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?P<port>:[0-9]*)?"
    r"|\[(?P<ipv6>[0-9a-f:.]+)\](?P<ipv6_port>:[0-9]*)?"
)
# The longest name of DNS (RFC 1035 §2.3.4), and a port.
LONGEST = 253 + len(":65535")
ANY_PORT = re.compile(r":[0-9]+\Z")


def host_of(text: str) -> str | None:
    """Return a host in one spelling: in lower case, without a dot or an empty port at its end.

    :param text: a host, with or without a port.
    :returns: None if it is none.
    """
    found = FORM.fullmatch(text.lower()) if len(text) <= LONGEST and text.isascii() else None
    if found is None:
        return None
    name, port = found["name"], (found["port"] or found["ipv6_port"] or "").lstrip(":")
    if found["ipv6"]:
        try:
            name = f"[{IPv6Address(found['ipv6'])}]"
        except AddressValueError:
            return None
    if not port:
        return name
    return f"{name}:{int(port)}" if 0 < int(port) < 1 << 16 else None


def allowed_host_of(text: str) -> str:
    """Return an allowed host in one spelling.

    :param text: a host, which stands for all of its ports; a host with a port; or `*.` and a name,
        which stands for all names below that one.
    :raises ValueError: if it is none of these.
    """
    name = text.removeprefix("*.")
    host = host_of(name)
    if host is None or (name != text and (host.startswith("[") or ":" in host)):
        raise ValueError(
            f"has {text!r}, which is no host such as api.example.com, *.example.com or [::1]:6543"
        )
    return host if name == text else f"*.{host}"


def is_allowed(host: str, allowed: frozenset[str]) -> bool:
    """Whether a host is one of those that are allowed.

    :param host: as `host_of` returns it.
    :param allowed: as `allowed_host_of` returns them; if there are none, every host is allowed.
    """
    name = ANY_PORT.sub("", host)
    above = name.split(".")[1:]
    wildcards = {f"*.{'.'.join(above[start:])}" for start in range(len(above))}
    return not allowed or not allowed.isdisjoint({host, name, *wildcards})


def is_loopback(host: str) -> bool:
    """Whether a host is this machine.

    :param host: without a port; brackets around IPv6 do not matter.
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
