"""`state_dir` under the worst: kill -9 at any moment, and a file that something else has torn."""

import json
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import Any

import pytest

from tests.cli.processes import Agent, agent, written

KEEPING = (
    sys.executable,
    "-c",
    "from probe.agent import keeping; keeping.KEEP_EVERY = 0.01; from probe.cli import main; main()",
    "run",
)
"""The agent, but it writes its state almost all the time: a random moment is often one in the middle of a write."""

CONFIG = """
state_dir: state
defaults: {{interval: 1s, timeout: 1s, failure_threshold: 1}}
x-well: &well {{kind: tcp, address: "127.0.0.1:{port}"}}
checks:
  well: *well
  broken: {{kind: tcp, address: "127.0.0.1:1"}}
  caused: {{kind: tcp, address: "127.0.0.1:1", needs: [broken]}}
"""


class Accepting(TCPServer):
    """Accepts and closes."""

    request_queue_size = 256


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    more = "".join(f"  more{number}: {{<<: *well, interval: 2s}}\n" for number in range(200))
    with Accepting(("127.0.0.1", 0), BaseRequestHandler) as server:
        accepting = Thread(target=server.serve_forever, args=[0.05])
        accepting.start()
        yield written(tmp_path, CONFIG.format(port=server.server_address[1]) + more)
        server.shutdown()
        accepting.join()


def check(running: Agent, name: str) -> dict[str, Any]:
    """What the agent says of a check."""
    found: dict[str, Any] = json.loads(running.get(f"/api/v1/checks/{name}").text)["check"]
    return found


def last_runs(running: Agent, name: str) -> list[float]:
    """When they began (unix time), oldest first."""
    return [run["at"] for run in check(running, name)["runs"]]


def counted(running: Agent) -> dict[str, float]:
    """How many runs of each check counted, as Prometheus sees it."""
    found: dict[str, float] = {}
    lines = re.finditer(r'^probe_runs_total\{check="(\w+)".*\} (\S+)$', running.get("/metrics").text, re.MULTILINE)
    for name, count in (line.groups() for line in lines):
        found[name] = found.get(name, 0) + float(count)
    return found


def test_kill_at_any_moment_loses_a_moment(config: Path) -> None:
    chance = Random(7)
    folder = config.parent
    since, known, counts = 0.0, list[float](), dict[str, float]()
    for life in range(6):
        with agent("--config", config, folder=folder, command=KEEPING) as running:
            assert "is not whole" not in running.log
            remembered = last_runs(running, "well")
            lost = [at for at in known if at not in remembered]
            assert lost in ([], known[-1:]), "at most the run that had just ended"
            after = counted(running)
            assert [name for name, count in counts.items() if after[name] < count - 1] == []
            if life:
                assert [check(running, name)["health"] for name in ("well", "broken")] == ["healthy", "unhealthy"]
                assert (check(running, "broken")["since"], check(running, "caused")["causes"]) == (since, ["broken"])
            _run_anew(running, known)
            time.sleep(chance.uniform(0, 0.7))
            since, known, counts = check(running, "broken")["since"], last_runs(running, "well"), counted(running)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
    assert counts["well"] >= len(known) >= 6
    assert not (folder / "state" / "state.broken").exists()


def _run_anew(running: Agent, known: Sequence[float] = ()) -> None:
    """Wait for a run of the one that is well that is not known yet, and for the verdict on the others."""

    def has_run() -> bool:
        ran = last_runs(running, "well")
        return bool(ran and ran[-1] not in known and check(running, "caused")["causes"] == ["broken"])

    running.until(has_run)


def test_a_torn_file_is_told_and_set_aside_and_the_next_one_is_whole(config: Path) -> None:
    folder = config.parent / "state"
    kept, aside, left_by_a_kill = folder / "state.json", folder / "state.broken", folder / "state.json.new"
    _lived(config)
    torn = kept.read_bytes()[:-100]
    kept.write_bytes(torn)
    left_by_a_kill.write_bytes(torn[:100])
    assert "history starts anew" in _lived(config)
    assert aside.read_bytes() == torn
    assert "history starts anew" not in _lived(config), "what it wrote last is whole"
    assert sorted(folder.iterdir()) == [aside, kept]


def _lived(config: Path) -> str:
    """The log of an agent that was started, ran its checks and was stopped."""
    with agent("--config", config, folder=config.parent, command=KEEPING) as running:
        _run_anew(running)
        assert running.ended_by(signal.SIGTERM) == 0
        return running.log
