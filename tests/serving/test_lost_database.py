"""A database that can no longer be reached is given up, before and after it got a statement."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests import engines
from tests.serving.processes import PATIENCE, Freezer
from users_service.database import engine as engines_of_service
from users_service.settings import load


@pytest.mark.parametrize("is_sent_before", [False, True])
def test_a_statement_to_a_database_that_is_gone(monkeypatch, is_sent_before):
    monkeypatch.setattr(engines_of_service, "LOST_SERVER_TIMEOUT", 1)
    with closing(Freezer(engines.server_url("postgresql"))) as freezer:
        ini = {"database_url": freezer.url, "statement_timeout": "0.5"}
        settings = load({f"users_service.{name}": value for name, value in ini.items()}, {})
        engine = engines_of_service.make_engine(settings)
        with ThreadPoolExecutor(1) as thread, ExitStack() as stack:
            connection = engine.connect()
            connection.execute(text("SELECT 1"))
            stack.enter_context(freezer.frozen())
            if not is_sent_before:
                freezer.vanish()
            began = time.monotonic()
            statement = thread.submit(connection.execute, text("SELECT 2"))
            if is_sent_before:
                assert freezer.has_received.wait(PATIENCE)
                freezer.vanish()
            with pytest.raises(OperationalError):
                statement.result(30)
            assert time.monotonic() - began < 6
            connection.close()
        engine.dispose()
