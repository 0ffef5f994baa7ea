"""Checks that what a host says of how a resource is shown names fields that there are."""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from ..display import Display
from ..reading import operators_of
from ..resource import Resource
from .attributes import schema_of


def display_faults(resource: Resource) -> Iterator[str]:
    """Check `display` in the `Meta` of a schema, and the fields that are a user's own."""
    schema, display = schema_of(resource), resource.display
    if not isinstance(display, Display):
        yield f"{schema}: display in its Meta is no Display."
        return
    subject = f"{schema}: display in its Meta"
    readable = {"id", *resource.readable}
    named = () if display.named_by is None else (display.named_by,)
    yield from _unknown(f"{subject} is named by", named, readable, "attribute")
    texts = {n for n in resource.readable if "contains" in operators_of(resource, n)}
    yield from _unknown(f"{subject} searches", display.search or (), texts, "text")
    to_one = {name for name, r in resource.relationships.items() if not r.many}
    columns, shown = display.columns or (), readable | to_one
    yield from _unknown(f"{subject} has the column", columns, shown, "field with one value")
    sort = () if display.sort is None else (display.sort.removeprefix("-"),)
    yield from _unknown(f"{subject} sorts by", sort, resource.sortable, "field to sort by")
    fields = {*resource.attributes, *resource.relationships}
    listed = list(chain.from_iterable(section.fields for section in display.sections))
    yield from _unknown(f"{subject} has in a section", listed, fields, "field")
    yield from (
        f"{subject} has {name} in two sections."
        for name in dict.fromkeys(listed)
        if listed.count(name) > 1
    )
    changed = {name for name, r in resource.relationships.items() if r.is_changeable}
    changed |= resource.changeable
    own = sorted(resource.rules.own)
    yield from _unknown(f"{schema}: Its rules let users change", own, changed, "field to change")


def _unknown(
    subject: str, names: Iterable[str], known: Collection[str], kind: str
) -> Iterator[str]:
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            yield f"{subject} {name}, which is no {kind}; there are {there}."
