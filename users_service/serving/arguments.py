"""The keys of the ini file's `[server:main]`: what is wrong with them is said in one sentence."""

import sys
import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

from waitress.adjustments import Adjustments

# waitress's arguments where the ini file does not have them.
DEFAULTS = {
    "clear_untrusted_proxy_headers": "true",
    "ident": "",  # no Server header
    # No thread waits for a client. Answers are kept, beyond a megabyte in a file; the next request
    # of a connection waits until its client has taken them.
    "outbuf_high_watermark": str(1 << 40),
}

# Arguments with which nothing would be served if they were 0; and with 0 proxies that add to a
# forwarded header, what a client wrote into it would count.
AT_LEAST_ONE = {"connection_limit", "recv_bytes", "threads", "trusted_proxy_count"}

# What a value can be where waitress takes anything else for false.
FLAGS = {"1", "true", "t", "yes", "y", "on", "0", "false", "f", "no", "n", "off"}


def check(arguments: Mapping[str, Any]) -> Adjustments:
    """Return what waitress makes of its arguments.

    :raises SystemExit: if it cannot, for the operator.
    """
    for name, value in arguments.items():
        is_flag = isinstance(getattr(Adjustments, name, None), bool)
        if is_flag and value.strip().lower() not in FLAGS:
            refuse(f"{name} = {value}: must be true or false")
    if "sockets" in arguments:
        refuse("sockets cannot be told in an ini file")
    try:
        made = adjustments(arguments)
    except ValueError as error:
        refuse(_explain(error, arguments))
    for name in sorted(AT_LEAST_ONE):
        if (number := getattr(made, name)) is not None and number < 1:
            refuse(f"{name} = {arguments[name]}: must be at least 1")
    return made


def adjustments(arguments: Mapping[str, Any]) -> Adjustments:
    """Return what waitress makes of arguments.

    :raises ValueError: if one is unknown or faulty, or if two contradict each other.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # waitress warns again when it serves
        return Adjustments(**arguments)


def seconds(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        refuse(f"{name} = {text}: must be a number of seconds above 0")
    return number


def flag(name: str, text: str) -> bool:
    if text.strip().lower() not in FLAGS | {""}:
        refuse(f"{name} = {text}: must be true or false")
    return text.strip().lower() in {"1", "true", "t", "yes", "y", "on"}


def refuse(fault: str) -> NoReturn:
    """End the process with what is wrong with `[server:main]`."""
    sys.exit(f"[server:main] cannot be used: {fault}")


def _explain(error: ValueError, arguments: Mapping[str, Any]) -> str:
    """Say which argument an error of waitress is about: it does not always."""
    said = str(error)
    if said == "Invalid host/port specified.":
        listen = f"{arguments.get('host', '')}:{arguments.get('port', '')}"
        return f"{arguments.get('listen', listen)}: there is no such host or port"
    for name, value in arguments.items():
        if said == f"Unknown adjustment {name!r}":
            return f"{name} is no argument of waitress"
        try:
            adjustments({name: value})
        except ValueError as alone:
            if str(alone) == said and "invalid literal" in said:
                kind = "an octal" if name == "unix_socket_perms" else "a whole"
                return f"{name} = {value}: must be {kind} number"
    return said.rstrip(".")
