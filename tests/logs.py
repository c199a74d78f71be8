"""The log as a process of its own would set it up, in a test."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from probe import log


@contextmanager
def own_log() -> Iterator[None]:
    """What `log.set_up` does holds within; afterwards the log is pytest's again."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in log._LOUD}
    with mock.patch.object(root, "handlers", []), mock.patch.object(root, "level", root.level):
        yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
