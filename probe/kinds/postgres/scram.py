"""The key of a SCRAM login, worked out once: its 4096 rounds of SHA-256 take 1.3 ms, a third of a whole run.

The server asks for the same salt as long as the password stays, and RFC 5802 lets a client keep the key. asyncpg works
it out for each login, by the `hashlib` of its module.
"""

import hashlib
from functools import lru_cache
from typing import Any

from asyncpg.protocol import protocol

_salted = lru_cache(maxsize=1024)(hashlib.pbkdf2_hmac)


class _Remembering:
    """hashlib, as far as asyncpg asks it after its import."""

    pbkdf2_hmac = staticmethod(_salted)

    def __getattr__(self, name: str) -> Any:
        return getattr(hashlib, name)


def remember_keys() -> None:
    """From now on work out a login's key once for each password and salt."""
    protocol.hashlib = _Remembering()  # type: ignore[attr-defined]  # not declared; without it nothing is remembered
