"""Shows what is logged while a command runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def shown(level: int) -> Iterator[None]:
    """Show on standard error what is logged at a level or above, until the block ends."""
    handler = logging.StreamHandler()
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    before = logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(min(level, before))
    try:
        yield
    finally:
        logging.root.setLevel(before)
        logging.root.removeHandler(handler)
