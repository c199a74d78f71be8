"""What is left when an agent has stopped: nothing."""

import asyncio
import gc
import os
import threading
from pathlib import Path

from probe.agent import Agent
from probe.config import Config, load
from tests import faults
from tests.agent.stage import until

CONFIG = """
checks:
  page: {{kind: http, url: "http://127.0.0.1:{answering}/", interval: 1s, timeout: 1s}}
  hole: {{kind: tcp, address: "127.0.0.1:{hole}", interval: 1s, timeout: 1s}}
  mute: {{kind: redis, url: "redis://127.0.0.1:{silent}", interval: 1s, timeout: 1s}}
  store: {{kind: s3, endpoint: "http://127.0.0.1:{silent}", access_key: a, secret_key: b, interval: 1s, timeout: 1s}}
  name: {{kind: tcp, address: "nowhere.invalid:1", interval: 1s, timeout: 1s}}
"""


def open_sockets() -> set[str]:
    """The sockets of this process, by inode."""
    links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
    return {target for link in links if os.path.lexists(link) and (target := os.readlink(link)).startswith("socket:")}


async def test_a_stopped_agent_leaves_no_task_no_socket_and_no_thread(tmp_path: Path) -> None:
    sockets, tasks, threads = open_sockets(), asyncio.all_tasks(), set(threading.enumerate())
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with faults.answering(page) as answering, faults.black_hole() as hole, faults.silent() as silent:
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(answering=answering, hole=hole, silent=silent))
        healths = await _healths_of_a_life(load([path], allow=frozenset(), environ={}))
        assert healths.pop("page") == "healthy"
        assert set(healths.values()) == {"unhealthy"}
        await asyncio.sleep(0.05)  # the servers of the faults hear of it
        assert asyncio.all_tasks() == tasks
        assert [thread for thread in set(threading.enumerate()) - threads if not thread.daemon] == []
    await asyncio.sleep(0.05)
    assert open_sockets() <= sockets
    gc.collect()  # a client that was not closed says so now, which is an error


async def _healths_of_a_life(config: Config) -> dict[str, str]:
    """What an agent found from its start to its stop."""
    agent = Agent(config)
    await agent.start()
    await until(lambda: agent.is_ready, 10)
    await agent.stop()
    return {state.check: str(state.health) for state in agent.board}
