"""What counts as real: the address that was asked, not what else runs at the time."""

from pathlib import Path

from probe.kinds.redis import Redis
from tests import faults
from tests.harness import run
from tests.kinds import redis_servers
from tests.recording import Recorded


async def test_a_stand_in_beside_a_real_server_is_none(tmp_path: Path) -> None:
    recorded = Recorded()
    async with redis_servers.serving(tmp_path) as server, faults.answering(b"+PONG\r\n") as stand_in:
        assert server._process is not None
        recorded.started(server._process)
        result = await run(Redis(name="a", url=server.url))
        recorded.note(Redis(name="a"), result, {stand_in})
        recorded.note(Redis(name="a"), result, {server.port, stand_in})
        recorded.note(Redis(name="a"), result, set())
        assert recorded.by_real_servers == {"redis": set()}
        recorded.note(Redis(name="a"), result, {server.port})
    keys = {sample.metric.key for sample in result.samples}
    assert recorded.by_real_servers == recorded.emitted == {"redis": keys}
    assert "clients" in keys
