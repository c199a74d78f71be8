"""The log: one line an event, on standard error, in UTC, without a secret in it."""

import logging
import sys
import time
from collections.abc import Iterable

from probe.redact import JoinedRedactor, Redactor

LEVELS = ("debug", "info", "warning", "error")
_LOUD = ("apscheduler", "aiohttp.access", "asyncio", "botocore", "aiobotocore", "aioboto3", "httpx", "httpcore")
"""Loggers of libraries that say every step of their work at info."""


class Masking(logging.Formatter):
    """Formats a record and masks what is secret in all of it, the traceback too."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self.redact = JoinedRedactor()

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, masked."""
        return self.redact(super().format(record))


def set_up(level: str = "info") -> Masking:
    """Send the log to standard error from now on. Returns its formatter, which takes the secrets to mask."""
    masking = Masking()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(masking)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return masking


def mask(masking: Masking, redactors: Iterable[Redactor]) -> None:
    """Mask from now on all that any of these masks. Takes half a second for ten thousand: call it in a thread."""
    masking.redact = JoinedRedactor(redactors)
