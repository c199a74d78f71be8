"""The key of a login is worked out once for each password and salt."""

import hashlib

from asyncpg.protocol import protocol

from probe.kinds.postgres import scram


def test_asyncpg_gets_the_key_that_was_worked_out_before_and_another_for_another_salt() -> None:
    scram._salted.cache_clear()
    keys = [protocol.hashlib.pbkdf2_hmac("sha256", b"sesame", salt, 4096) for salt in (b"a", b"a", b"b")]  # type: ignore[attr-defined]
    assert keys == [hashlib.pbkdf2_hmac("sha256", b"sesame", salt, 4096) for salt in (b"a", b"a", b"b")]
    assert scram._salted.cache_info().misses == 2
