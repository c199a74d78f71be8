"""The demo's Valkey: it starts, breaks, and mends with its data and its port kept."""

import stat
from pathlib import Path

from probe.demo.process import accepts
from probe.demo.valkey import Valkey
from tests.kinds.redis_servers import tell


async def test_it_keeps_port_and_data_over_a_stop(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "a folder")
    await server.start()
    await server.start()
    try:
        assert await tell(server, "RPUSH", "queue", "a", "b") == 2
        await server.stop()
        await server.stop()
        assert not accepts(server.port)
        await server.start()
        assert await tell(server, "LLEN", "queue") == 2
    finally:
        await server.stop()
    assert not accepts(server.port)


async def test_its_password_is_for_our_eyes_only(tmp_path: Path) -> None:
    server = Valkey(tmp_path, password='qu"ote\\')
    await server.start()
    try:
        assert server._process is not None
        assert server.password not in str(server._process._command)
        assert stat.S_IMODE((tmp_path / "valkey.conf").stat().st_mode) == 0o600
        assert await tell(server, "PING") is True
    finally:
        await server.stop()
