"""`probe` as its users start it: a process of its own, with its output and its exit code."""

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from click.testing import CliRunner

from probe.cli import probe as commands

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "probe")
QUICK = (
    sys.executable,
    "-c",
    "from probe.agent import following, keeping; following.LOOK_EVERY = keeping.KEEP_EVERY = 0.2; "
    "from probe.cli import main; main()",
    "run",
)
"""The agent, but it looks at its files and writes its state every 0.2 s."""

WAIT = 20.0
"""Seconds after which what did not happen will not."""


class Ended(NamedTuple):
    """What a process left: its exit code, and what it printed to standard output and standard error."""

    code: int
    out: str
    err: str


def environment(**variables: str) -> dict[str, str]:
    """Ours without what would change a config, and with these."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PROBE_", "FORCE_COLOR"))}
    return {**ours, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **variables}


def probe(*arguments: str | Path, folder: Path, **variables: str) -> Ended:
    """Run a command to its end, its output into pipes."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * WAIT,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def called(*arguments: str | Path) -> Ended:
    """Run a command in this process: for what says no more of itself as a process of its own."""
    root = logging.getLogger()
    with mock.patch.object(root, "handlers", []), mock.patch.object(root, "level", root.level):
        result = CliRunner().invoke(commands, [*map(str, arguments)], prog_name="probe")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


def written(folder: Path, config: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_text(config)
    return path


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    type: str
    text: str


@dataclass
class Agent:
    """A `probe run` (or `probe demo`) under way. `url` is where it says that it serves."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    url: str = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        return self.err.read_text()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers["Content-Type"], answer.read().decode())
        finally:
            connection.close()

    def until(self, holds: Callable[[], bool], seconds: float = WAIT) -> None:
        """Wait; fails with the log when the time passes or the process ends."""
        deadline = time.monotonic() + seconds
        while not holds():
            alive = self.process.poll() is None
            assert alive, f"it ended with {self.process.returncode}:\n{self.out.read_text()}\n{self.log}"
            assert time.monotonic() < deadline, f"{seconds} s passed:\n{self.out.read_text()}\n{self.log}"
            time.sleep(0.02)

    def ended_by(self, number: int) -> int:
        """The exit code after this signal."""
        self.process.send_signal(number)
        return self.process.wait(2 * WAIT)


@contextmanager
def agent(
    *arguments: str | Path, folder: Path, command: Sequence[str] = (*COMMAND, "run"), **variables: str
) -> Iterator[Agent]:
    """An agent that serves; it is killed if it still runs in the end. `command`: what to start instead."""
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as printed, err.open("wb") as logged:
        process = subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0", *map(str, arguments)],
            cwd=folder,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=logged,
        )
    running = Agent(process, out, err)
    try:
        running.until(lambda: _address(out) is not None)
        running.url = _address(out) or ""
        yield running
    finally:
        process.kill()
        process.wait()


def _address(out: Path) -> str | None:
    found = re.search(r"status page +(https?://\S+)/\s", out.read_text())
    return found[1] if found else None
