"""Migrations from descriptions: no value is lost that was not announced, and all comes back.

`EXAMPLES=300` tries as many pairs of descriptions on each engine.
"""

import os
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alembic.util import CommandError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests import engines
from tests.generator import migrating, pairs
from users_service.generator.model import Description, DescriptionError, Field, Relationship
from users_service.generator.tables import dropping, steps_of
from users_service.texts import fold

EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
ROWS = 5


@pytest.fixture(scope="module", params=engines.ENGINES)
def engine(request, tmp_path_factory):
    if request.param != "sqlite" and engines.server_url(request.param) is None:
        pytest.skip(f"no {request.param} answers")
    with migrating.database(request.param, tmp_path_factory.mktemp("steps")) as made:
        yield made


def converted(value: Any, kind: str) -> Any:
    """A value of one type, as another type has it."""
    match value, kind:
        case None, _:
            return None
        case int(), "decimal":
            return Decimal(value)
        case Decimal(), "integer":
            return int(value)
        case datetime(), "date":
            return value.date()
        case date(), "timestamp" if not isinstance(value, datetime):
            return datetime.combine(value, datetime.min.time())
        case _:
            return value


def matched(old: Description, new: Description) -> dict[str, Any]:
    """The former field of each field that had one."""
    former = {each.name: each for each in old.fields}
    return {
        each.name: former.get(each.was) or former[each.name]
        for each in new.fields
        if each.was in former or each.name in former
    }


def assert_kept(old: Description, new: Description, before: Any, after: Any) -> None:
    """All values are there, converted; new fields have their backfill."""
    assert len(after[new.module]) == len(before[old.module])
    fields = matched(old, new)
    for was, now in zip(before[old.module], after[new.module], strict=True):
        assert (was["id"], was["version"], was["creation_time"]) == (
            now["id"],
            now["version"],
            now["creation_time"],
        )
        for each in new.fields:
            if each.name in fields:
                expected = converted(was[fields[each.name].name], each.type)
                if expected is None and not each.is_nullable:
                    assert now[each.name] is not None
                else:
                    assert now[each.name] == expected
            else:
                assert (now[each.name] is None) == (each.backfill is None)
            if f"{each.name}_folded" in now:
                text = now[each.name]
                assert now[f"{each.name}_folded"] == (None if text is None else fold(text))
        links = {link.name: link for link in old.relationships}
        for link in new.relationships:
            there = links.get(link.was) or links.get(link.name)
            if there and not link.many:
                assert now[f"{link.name}_id"] == was[f"{there.name}_id"]
            elif there:
                name, former = f"{new.module}_{link.name}", f"{old.module}_{there.name}"
                assert after[name] == before[former]


def announced(old: Description, new: Description) -> set[str]:
    """The columns whose values are lost, and come back without them."""
    kept = {each.name for each in matched(old, new).values()}
    lost = {each.name for each in old.fields} - kept
    links = {each.was or each.name for each in new.relationships}
    return lost | {f"{e.name}_id" for e in old.relationships if not e.many and e.name not in links}


def without(rows: dict[str, list[dict[str, Any]]], lost: set[str]) -> Any:
    hidden = lost | {f"{name}_{ending}" for name in lost for ending in ("key", "folded")}
    return {
        table: [{k: v for k, v in row.items() if k not in hidden} for row in them]
        for table, them in rows.items()
    }


def assert_names_rows(error: CommandError) -> None:
    assert "in its way" in str(error)


examples = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,
    suppress_health_check=list(HealthCheck),
)


@examples
@given(pair=pairs.pairs(), seed=st.integers(0, 99))
def test_descriptions_become_others_without_loss(engine, pair, seed):
    old, new = pair
    try:
        made = steps_of(old, new)
    except DescriptionError:
        event("refused")
        return
    migrating.clear(engine)
    migrating.Migration(steps_of(None, old)).up(engine)
    assert migrating.differences(engine, old) == []
    migrating.fill(engine, old, list(pairs.rows_of(old, ROWS, seed)))
    if not made:
        assert migrating.differences(engine, new) == []
        return
    schema, before = migrating.schema(engine), migrating.values(engine, old)
    migration = migrating.Migration(made, "0008")
    try:
        migration.up(engine)
    except CommandError as error:
        event("rows in the way")
        assert_names_rows(error)
        assert migrating.schema(engine) == schema
        assert migrating.values(engine, old) == before
        return
    event("migrated")
    assert migrating.differences(engine, new) == []
    after = migrating.values(engine, new)
    assert_kept(old, new, before, after)
    lost = announced(old, new)
    assert bool(lost) == any(step.label == "loses data" for step in made)
    # What was none, and got a value when it became required, keeps it, if it fits.
    former = matched(old, new)
    required = {
        former[each.name].name
        for each in new.fields
        if each.name in former and former[each.name].is_nullable and not each.is_nullable
    }
    try:
        migration.down(engine)
    except CommandError as error:
        assert_names_rows(error)
        assert required
        assert migrating.values(engine, new) == after
        return
    assert migrating.schema(engine) == schema
    back = migrating.values(engine, old)
    assert without(back, lost | required) == without(before, lost | required)
    migration.up(engine)
    assert migrating.differences(engine, new) == []
    assert_kept(old, new, back, migrating.values(engine, new))


# What there is no migration for, and what people are told.

TEAM = Description(type="teams", one="Team", many="Teams")


def with_fields(*made: Field, was: Description = TEAM) -> Description:
    return replace(was, fields=made)


def with_links(*made: Relationship) -> Description:
    return replace(TEAM, relationships=made)


NAME = Field(name="name", type="line", max=80)
LEAD = Relationship(name="lead", target="users")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (TEAM, with_fields(replace(NAME, required=True)), "needs a default, or a backfill"),
        (
            TEAM,
            with_fields(replace(NAME, required=True, unique="exact", backfill="x")),
            "cannot all have the same value",
        ),
        (
            with_fields(NAME),
            with_fields(replace(NAME, type="integer", max=None)),
            "of the type line cannot become integer without loss. Do it in two migrations",
        ),
        (TEAM, with_links(replace(LEAD, required=True)), "are related to none"),
        (
            with_links(LEAD),
            with_links(replace(LEAD, target="groups")),
            "become one to other",
        ),
        (with_links(LEAD), with_links(replace(LEAD, many=True)), "or to one of many"),
        (None, with_fields(replace(NAME, name="n" * 55)), "more than 63 bytes"),
        (None, with_links(replace(LEAD, name="n" * 40, many=True)), "more than 63 bytes"),
    ],
)
def test_there_is_no_migration(old, new, fault):
    with pytest.raises(DescriptionError, match=fault):
        steps_of(old, new)


DECIMAL = Field(name="a", type="decimal", digits=5, scale=2)
CHOICE = Field(name="a", type="choice", of={"red": "Red", "blue": "Blue"})


@pytest.mark.parametrize(
    ("old", "new", "label", "says"),
    [
        (TEAM, with_fields(NAME), "safe", "Add name to teams."),
        (
            TEAM,
            with_fields(replace(NAME, required=True, backfill="x")),
            "rewrites",
            "Add name to teams; in rows that are there it is 'x'.",
        ),
        (with_fields(NAME), TEAM, "loses data", "Drop name of teams with its values."),
        (
            with_fields(NAME),
            with_fields(replace(NAME, name="nick", was="name")),
            "safe",
            "Rename name of teams to nick.",
        ),
        (
            with_fields(NAME),
            with_fields(replace(NAME, max=90)),
            "safe",
            "Change name of teams: it has at most 90 characters.",
        ),
        (
            with_fields(NAME),
            with_fields(replace(NAME, max=70, unique="exact")),
            "rewrites",
            "Change name of teams: it has at most 70 characters, is unique, has no index for"
            " sorting.",
        ),
        (
            with_fields(NAME),
            with_fields(replace(NAME, unique="exact", indexed=False)),
            "locks",
            "Change name of teams: it is unique, has no index for sorting.",
        ),
        (
            with_fields(DECIMAL),
            with_fields(replace(DECIMAL, digits=6)),
            "rewrites",
            "Change a of teams: it has 6 digits, 2 of them behind the point.",
        ),
        (
            with_fields(CHOICE),
            with_fields(replace(CHOICE, of={"blue": "Blue"})),
            "locks",
            "Change a of teams: it is one of blue.",
        ),
        (
            with_links(LEAD),
            with_links(replace(LEAD, on_delete="restrict")),
            "locks",
            "Change lead_id of teams: it does RESTRICT when the row that it leads to is deleted.",
        ),
        (
            with_links(replace(LEAD, many=True)),
            TEAM,
            "safe",
            "Remove the table teams_lead; its rows are kept in removed_teams_lead_<revision>.",
        ),
        (
            TEAM,
            None,
            "safe",
            "Remove the table teams; its rows are kept in removed_teams_<revision>.",
        ),
    ],
)
def test_a_step_says_what_it_does(old, new, label, says):
    (step,) = steps_of(old, new)
    assert (step.label, step.says) == (label, says)


def test_a_type_is_renamed_with_its_permissions():
    steps = steps_of(TEAM, replace(TEAM, type="squads", was="teams"))
    assert [(step.label, step.says) for step in steps] == [
        ("safe", "Name the permissions teams:… of roles and tokens squads:…."),
        ("safe", "Rename the table teams to squads."),
    ]


def test_what_the_tables_do_not_show_needs_no_migration():
    titled = replace(NAME, title="Name", description="Of the team", default=None)
    added = replace(CHOICE, of={**CHOICE.of, "red2": "Red 2"})
    assert steps_of(with_fields(NAME, CHOICE), with_fields(titled, added)) == []


def test_a_table_is_dropped_only_when_it_is_asked_for():
    old = with_links(replace(LEAD, many=True))
    assert [step.up for step in steps_of(old, None, drop=True)] == [
        "drop_table('teams_lead')",
        "drop_table('teams')",
    ]
    assert dropping(old, "0008").up == "drop_table('removed_teams_lead_0008', 'removed_teams_0008')"
