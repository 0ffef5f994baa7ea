"""Writes what tests of a resource need: its documents, and a test of each rule."""

from users_service.generator.code import imports
from users_service.generator.kinds import KINDS, broken
from users_service.generator.model import Description

DESCRIBED = {
    "tests.described": "assert_breaks assert_linked assert_on_delete assert_owned assert_unique"
}


def factory(made: Description) -> str:
    needed = {e.name: KINDS[e.type].example(e) for e in made.fields if e.required}
    attributes = f"{needed!r} | attributes" if needed else "attributes"
    return (
        f"def {made.factory}(**attributes: Any) -> dict[str, Any]:\n"
        f'    """A document with one {made.one.lower()} in it."""\n'
        f'    return {{"data": {{"type": "{made.type}", "attributes": {attributes}}}}}\n'
    )


def tests(made: Description) -> str:
    call, parts = made.factory, []
    rows = [(each.name, *found) for each in made.fields for found in broken(each)]
    if rows:
        lines = "".join(f'("{name}", {value}, "{rule}"),\n' for name, value, rule in rows)
        parts.append(
            f'@pytest.mark.parametrize(("field", "value", "rule"), [\n{lines}])\n'
            "def test_a_rule_of_a_field(client, field, value, rule):\n"
            f"    assert_breaks(client, {call}(**{{field: value}}), field, rule)\n"
        )
    for each in (each for each in made.fields if each.unique):
        value = KINDS[each.type].example(each)
        again = value.upper() if each.unique == "ignore_case" or each.type == "email" else value
        sent = f'{call}({each.name}={value!r}), "{each.name}", {again!r}'
        test = f"def test_{each.name}_is_unique(client):\n    assert_unique(client, {sent})\n"
        parts.append(test)
    for relationship in made.relationships:
        name = relationship.name
        test = f"def test_links_of_{name}(client):\n"
        test += f'    assert_linked(client, {call}(), "{name}", "{relationship.inverse}")\n'
        if not relationship.many:
            outcome = f'"{name}", "{relationship.on_delete}"'
            test += f"    assert_on_delete(client, {call}(), {outcome})\n"
        parts.append(test)
    if made.owner:
        test = f'assert_owned(service, {call}(), "{made.owner}")'
        parts.append(f"def test_users_see_and_change_their_own(service):\n    {test}\n")
    text = "\n\n".join(parts)
    first = f'"""{made.many}, by the rules of resources/{made.type}.yaml."""\n\n'
    needed = f"{'import pytest' if rows else ''}\nfrom tests.client import {call}\n"
    return first + needed + imports(text, DESCRIBED) + text
