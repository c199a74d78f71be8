"""`probe demo` as its users see it: everything is up, a part breaks and is mended, and nothing is left."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import COMMAND, ROOT, Agent, agent, environment
from tests.demo.processes import descendants, living, that_name

DEMO = (*COMMAND, "demo")
SLOW = 60.0
"""Seconds: on a busy machine six servers take their time."""


def quick(folder: Path, break_after: int, mend_after: int) -> tuple[str, ...]:
    return sys.executable, "-m", "tests.demo.quick", str(folder), str(break_after), str(mend_after)


def checks(running: Agent) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(running.get("/api/v1/checks").text)["checks"]}


def healths(running: Agent) -> dict[str, str]:
    return {name: check["health"] for name, check in checks(running).items()}


def folder_of(running: Agent) -> Path:
    found = re.search(r"--env-file (\S+)/env", running.out.read_text())
    assert found is not None
    return Path(found[1])


def all_are_healthy(running: Agent) -> bool:
    return set(healths(running).values()) == {"healthy"}


def test_a_part_breaks_and_is_mended_and_a_kill_takes_the_children_along(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    with agent(
        "--break", "db", folder=tmp_path, command=quick(tmp_path, 4, 3), TMPDIR=str(tmp_path / "tmp")
    ) as running:
        running.until(lambda: all_are_healthy(running), SLOW)
        assert "breaking" not in running.out.read_text()
        running.until(lambda: healths(running)["api"] == "unhealthy", SLOW)
        running.until(lambda: checks(running)["db"]["reason"] == "connect")  # it may have said first that it shuts down
        found = checks(running)
        assert (found["db"]["health"], found["db"]["causes"]) == ("unhealthy", [])
        assert (found["api"]["reason"], found["api"]["causes"]) == ("unhealthy", ["db"])
        assert "Database connection failed" in found["api"]["message"]
        assert {found[name]["health"] for name in ("cache", "bucket", "langfuse", "front")} == {"healthy"}
        running.until(lambda: all_are_healthy(running), SLOW)
        assert re.findall("--- (breaking|mending) db", running.out.read_text()) == ["breaking", "mending"]

        folder, children = folder_of(running), descendants(running.process.pid)
        assert len(living(children)) > 3
        assert that_name(folder)
        running.process.kill()
        running.process.wait()
        _until_none_lives(children)
        assert folder.exists(), "who is killed cleans nothing up"

        leftover = tmp_path / "tmp" / folder.name
        assert leftover == folder
    _the_next_one_comes_up_and_leaves_nothing(tmp_path, leftover)


def _the_next_one_comes_up_and_leaves_nothing(tmp_path: Path, leftover: Path) -> None:
    """Each start of a stack takes seconds, so this is the same story: with the config as it is, until Ctrl-C."""
    variables = {"TMPDIR": str(tmp_path / "tmp"), "DB_PASSWORD": "of another stack"}
    with agent(folder=tmp_path, command=DEMO, **variables) as running:
        assert not leftover.exists(), "the next start sweeps"
        running.until(lambda: all_are_healthy(running), SLOW)
        assert healths(running).keys() == {"db", "cache", "bucket", "langfuse", "api", "front"}
        assert (folder_of(running) / "env").stat().st_mode & 0o777 == 0o600
        _the_pasted_line_works(running, tmp_path)
        children, folder = descendants(running.process.pid), folder_of(running)
        ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", (folder / "env").read_text())]
        assert len(ports) == 6
        assert running.ended_by(signal.SIGINT) == 0
        assert living(children) == {}
        assert that_name(folder) == {}
        assert os.listdir(tmp_path / "tmp") == []
        assert [port for port in (*ports, running.port) if _is_open(port)] == []
        assert running.out.read_text().endswith("stopping the stack…\n")
        assert "Traceback" not in running.log
        assert "Warning" not in running.log.replace("WARNING", "")


def _the_pasted_line_works(running: Agent, folder: Path) -> None:
    line = re.search(r"once, for CI +(.+)", running.out.read_text())
    assert line is not None
    command = shlex.split(line[1])
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1] == "6 healthy"


def _until_none_lives(pids: set[int]) -> None:
    for _ in range(100):
        if not living(pids):
            return
        time.sleep(0.05)
    pytest.fail(f"these outlive the demo: {living(pids)}")


def _is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_terminal_too(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "tmp").mkdir()
    with agent(folder=tmp_path, command=quick(tmp_path, 0, 0), TMPDIR=str(tmp_path / "tmp")) as running:
        assert running.ended_by(number) == 0
        assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_told_to_end_while_it_starts_it_leaves_nothing_either(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [*DEMO, "--listen", "127.0.0.1:0"],
        env=environment(TMPDIR=str(tmp_path / "tmp")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not that_name(tmp_path / "tmp"):
        time.sleep(0.01)
    children = descendants(process.pid)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=SLOW)
    assert (process.returncode, printed.count("\n")) == (0, 1), printed
    assert living(children | {*that_name(tmp_path)}) == {}
    assert os.listdir(tmp_path / "tmp") == []


def test_a_port_in_use_is_one_line_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*quick(tmp_path, 0, 0), "--listen", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=environment(TMPDIR=str(tmp_path / "tmp")),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"can't listen on 127.0.0.1:{port}: the port is in use; ")
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path / "tmp") == []
