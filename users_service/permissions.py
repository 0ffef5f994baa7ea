"""The names of permissions, and which of them others cover.

A permission is `*` (all), `type:*` (all of a type) or `type:action`.
"""

import re
from collections.abc import Iterable

# What can be allowed of the service's own types. Other types belong to other applications.
OWN_ACTIONS = {
    "users": frozenset({"read", "read_email", "create", "update", "delete"}),
    "roles": frozenset({"read", "create", "update", "delete", "assign"}),
    "groups": frozenset({"read", "create", "update", "delete"}),
    "tokens": frozenset({"read", "create", "delete", "introspect"}),
    "self": frozenset({"read", "update"}),
}

# Characters of a permission's name.
LONGEST = 80

FORM = re.compile(r"\*|(?P<type>[a-z][a-z0-9_-]*):(?P<action>\*|[a-z][a-z0-9_-]*)")

ALL = frozenset({"*"})


def fault_of(name: str) -> str | None:
    """Return what is wrong with the name of a permission; None if nothing is."""
    found = FORM.fullmatch(name)
    if found is None or len(name) > LONGEST:
        return f"Must be *, type:* or type:action, in lower case, of at most {LONGEST} characters."
    actions = OWN_ACTIONS.get(found["type"], frozenset())
    if actions and found["action"] not in actions | {"*"}:
        known = ", ".join(sorted(actions))
        return f"There is no such permission: of {found['type']} there are {known} and *."
    return None


def covers(held: frozenset[str], name: str) -> bool:
    """Whether what somebody may do includes a permission."""
    return bool(held) and not held.isdisjoint((name, f"{name.partition(':')[0]}:*", "*"))


def narrow(held: frozenset[str], to: Iterable[str]) -> frozenset[str]:
    """Return the permissions that two sets have in common."""
    to = frozenset(to)
    common = {name for name in held if covers(to, name)}
    return frozenset(common | {name for name in to if covers(held, name)})


def exceeding(wanted: Iterable[str], held: frozenset[str]) -> frozenset[str]:
    """Return those of the wanted permissions that are not held."""
    return frozenset(name for name in wanted if not covers(held, name))
