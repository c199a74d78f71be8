"""The demo's stack: its parts, what they are called in the example config, and how to break one."""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from probe.demo import PARTS
from probe.demo.app import App
from probe.demo.langfuse import Langfuse
from probe.demo.postgres import Postgres
from probe.demo.s3 import S3
from probe.demo.valkey import Valkey
from probe.kinds.redis import Redis

ROLE = "probe"
"""The role and the ACL user that the agent logs in as, with the least rights that its kinds name."""

CONTENTS: Mapping[str, Mapping[str, bytes]] = {
    "documents": {"contract.pdf": b"%PDF " * 4000, "notes/2026.md": b"# Notes\n" * 100},
    "backups": {"daily/app.dump": b"PGDMP" * 20_000},
}


class Part(Protocol):
    """A server of the demo; started again, it is on the same port with the same data."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Stack:
    """A database, a cache, an object store, a stand-in for Langfuse, and an app that really uses the first two."""

    def __init__(self, folder: Path, *, object_store: Literal["moto"] | None = None) -> None:
        """`folder` takes their data and logs. `object_store`: moto's server even where there is a MinIO."""
        self._password = secrets.token_hex(12)
        self.db = Postgres(folder / "db")
        self.cache = Valkey(folder / "cache", settings={"user": _acl_user(self._password)})
        self.bucket = S3(folder / "bucket", CONTENTS, program=object_store)
        self.langfuse = Langfuse()
        self.api = App(self.db.dsn(ROLE, self._password), self.cache.url)
        self.parts: Mapping[str, Part] = {name: getattr(self, name) for name in PARTS}

    async def start(self) -> None:
        """Start all of it; what did start is stopped again when a part does not. Raises StartFailed."""
        try:
            await self._start_all()
            await self.api.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop what runs."""
        await asyncio.gather(*(part.stop() for part in self.parts.values()))

    @property
    def variables(self) -> dict[str, str]:
        """What the example config asks for; checks run every 5 s, so that there is something to see soon."""
        return {
            "INTERVAL": "5s",
            "DB_PASSWORD": self._password,
            "DB_ADDRESS": f"127.0.0.1:{self.db.port}",
            "CACHE_PASSWORD": self._password,
            "CACHE_ADDRESS": f"127.0.0.1:{self.cache.port}",
            "S3_ENDPOINT": self.bucket.endpoint,
            "S3_ACCESS_KEY": self.bucket.access_key,
            "S3_SECRET_KEY": self.bucket.secret_key,
            "LANGFUSE_URL": self.langfuse.url,
            "LANGFUSE_PUBLIC_KEY": self.langfuse.public_key,
            "LANGFUSE_SECRET_KEY": self.langfuse.secret_key,
            "API_URL": self.api.url,
            "FRONT_ADDRESS": f"127.0.0.1:{self.api.port}",
        }

    async def _start_all(self) -> None:
        """What needs no other. All of them have ended to start when one could not."""
        starts = (self.cache.start(), self.bucket.start(), self.langfuse.start(), self._start_db())
        for failure in await asyncio.gather(*starts, return_exceptions=True):
            if failure is not None:
                raise failure

    async def _start_db(self) -> None:
        await self.db.start()
        await self.db.make_role(ROLE, self._password, member_of=["pg_monitor"])


def _acl_user(password: str) -> str:
    """The agent's user with the least rights, as a line of valkey.conf."""
    return Redis.permissions.removeprefix("ACL SETUSER ").replace("PASSWORD", password)
