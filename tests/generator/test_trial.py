"""A migration is tried on each engine at hand, and what is wrong with it is said in words."""

import json
import os
import shutil

import pytest

from tests import engines
from tests.generator.checkout import commit, copied, resource
from tests.server import ROOT
from users_service.generator.tables import BECOMES
from users_service.generator.trial import TrialError, try_out

LOSSY = '''"""Test.

Revision: 9999, after {newest}
"""

from users_service.database.steps import {imports}

revision = "9999"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade():
    {up}


def downgrade():
    {down}
'''


@pytest.fixture
def checkout(tmp_path):
    shutil.copytree(ROOT / "users_service", tmp_path / "users_service")
    return tmp_path


def newest() -> str:
    versions = ROOT / "users_service" / "alembic" / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))


def test_a_migration_is_tried_on_each_engine_at_hand():
    at_hand = [name for name in engines.ENGINES if name == "sqlite" or engines.server_url(name)]
    assert try_out(ROOT, newest()) == at_hand


@pytest.mark.parametrize(
    ("up", "down", "fault"),
    [
        (
            'add_column("users", line("nick", 9, null=True))',
            'drop_column("users", line("nick", 9, null=True))',
            "On sqlite: The tables are not those of the models: .*nick",
        ),
        (
            'add_column("users", line("nick", 9))',
            'drop_column("users", line("nick", 9))',
            "On sqlite: users has rows, so its new nick needs a backfill",
        ),
        ("pass", 'add_column("users", line("nick", 9, null=True))', "not bring the former tables"),
        ("pass", """op.execute("UPDATE users SET name = 'x'")""", "not bring the former rows"),
    ],
)
def test_what_is_wrong_is_said_in_words(checkout, up, down, fault):
    imports = "add_column, drop_column, line\nfrom alembic import op"
    text = LOSSY.format(newest=newest(), imports=imports, up=up, down=down)
    (checkout / "users_service/alembic/versions/9999_test.py").write_text(text)
    with pytest.raises(TrialError, match=fault) as stopped:
        try_out(checkout, "9999")
    assert "Traceback" not in str(stopped.value)
    assert os.environ.get("PYTHONPATH") != str(checkout)


def test_the_rows_that_are_made_up_are_in_the_way_of_no_conversion(tmp_path):
    whole = {
        "choice": {"type": "choice", "of": {"Red": "Red"}},
        "decimal": {"type": "decimal", "digits": 6, "scale": 2},
    }
    pairs = [(whole.get(a, a), whole.get(b, b)) for a in BECOMES for b in sorted(BECOMES[a] - {a})]
    share = {"type": "decimal", "digits": 2, "scale": 2}
    pairs += [(share, share), (share, share | {"digits": 3}), (whole["decimal"], share)]
    tree = copied(tmp_path)
    (tree / "resources").mkdir()
    for types in zip(*pairs, strict=True):
        fields = {f"f{number}": each for number, each in enumerate(types)}
        text = json.dumps({"resource": "samples", "fields": fields}, indent=1)
        (tree / "resources/samples.yaml").write_text(text)
        assert "Written. The migration was tried on" in resource(tree, "apply --yes")
        commit(tree)
