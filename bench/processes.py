"""Processes under measurement: what they cost, read from /proc, and the agent as its users start it."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from probe.demo.process import accepts, free_port

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60.0


class Measured:
    """A process that is measured while it runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.url = url
        """Where it serves."""
        self.pid = process.pid

    @property
    def cpu(self) -> float:
        """Seconds of CPU since its start, its children that ended included."""
        return sum(map(int, self._stat[11:15])) / _TICKS

    @property
    def rss(self) -> float:
        """Megabytes of memory that it has now."""
        return int(self._stat[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def _stat(self) -> list[str]:
        """The fields of /proc/pid/stat after the name, the state first."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()


@contextmanager
def agent(config: str) -> Iterator[Measured]:
    """`probe run` with this config, once it serves."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(config)
        printed = Path(folder) / "printed"
        command = [sys.executable, "-m", "probe", "run", "--listen", "127.0.0.1:0", "--log-level", "error"]
        with _running([*command, "--config", f"{folder}/config.yaml"], printed) as process:
            _until(lambda: "metrics http" in printed.read_text(), process)
            found = re.search(r"metrics (http\S+)/metrics", printed.read_text())
            yield Measured(process, found[1] if found else "")


@contextmanager
def server(command: Sequence[str | Path], port: int, **variables: str) -> Iterator[Measured]:
    """A server, once it listens on this port of 127.0.0.1."""
    with TemporaryDirectory() as folder, _running(command, Path(folder) / "printed", **variables) as process:
        _until(lambda: accepts(port), process)
        yield Measured(process, f"http://127.0.0.1:{port}")


@contextmanager
def page() -> Iterator[str]:
    """The URL of a web server that both sides ask, in a process of its own (`bench.page`)."""
    port = free_port()
    with server([sys.executable, "-m", "bench.page", str(port)], port) as served:
        yield f"{served.url}/"


def get(url: str) -> str:
    """What stands at a URL."""
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


def value(exposition: str, series: str) -> float:
    """The one value of a series, written as the exposition does."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", exposition, re.MULTILINE)
    return float(found[1]) if found else 0.0


@contextmanager
def _running(command: Sequence[str | Path], printed: Path, **variables: str) -> "Iterator[subprocess.Popen[bytes]]":
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables},
        )
    try:
        yield process
        if process.poll() is not None:
            raise SystemExit(f"{command[0]} ended:\n{printed.read_text()}")
    finally:
        process.terminate()
        process.wait()


def _until(holds: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
