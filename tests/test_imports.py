"""What a command does not need it does not import: drivers of other kinds, the server, what draws tables."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import faults
from tests.cli.processes import WAIT, agent, environment, written

DRIVERS = {"aioboto3", "asyncpg", "botocore", "httpx", "langfuse", "redis"}
SERVER = {"aiohttp.web", "apscheduler", "jinja2", "prometheus_client"}
PROBE = (
    sys.executable,
    "-c",
    "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    "from probe.cli import main; main()",
)
"""`probe`, which in the end says what was imported, in the last line."""


def once(*arguments: str, folder: Path, code: int = 0) -> set[str]:
    command = [*PROBE, *arguments]
    ended = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=2 * WAIT, check=False
    )
    assert ended.returncode == code, ended
    return set(ended.stderr.splitlines()[-1].split())


def by_check(folder: Path) -> set[str]:
    return once("check", folder=folder, code=1)


def by_validate(folder: Path) -> set[str]:
    return once("validate", folder=folder)


def by_run(folder: Path) -> set[str]:
    with agent(folder=folder, command=(*PROBE, "run")) as running:
        running.until(lambda: 'probe_success{check="it"' in running.get("/metrics").text)
        assert running.ended_by(signal.SIGTERM) == 0
        return set(running.log.splitlines()[-1].split())


@pytest.fixture
async def port() -> int:
    async with faults.refused() as port:
        return port


@pytest.fixture
def http(tmp_path: Path, port: int) -> Path:
    """A folder with a config of one http check, whose port refuses."""
    fields = f"{{kind: http, url: 'http://127.0.0.1:{port}/', interval: 1s, timeout: 1s}}"
    written(tmp_path, f"checks: {{it: {fields}}}\n")
    return tmp_path


@pytest.mark.parametrize("command", [by_check, by_validate, by_run])
def test_a_config_of_http_alone_imports_no_driver(http: Path, command: Callable[[Path], set[str]]) -> None:
    names = command(http)
    assert names & DRIVERS == set()
    kinds = {name.split(".")[2] for name in names if name.startswith("probe.kinds.")}
    assert kinds == {"http"}


def test_a_config_of_redis_imports_its_driver_alone(tmp_path: Path, port: int) -> None:
    written(tmp_path, f"checks: {{it: {{kind: redis, url: 'redis://127.0.0.1:{port}/'}}}}\n")
    assert by_check(tmp_path) & DRIVERS == {"redis"}


@pytest.mark.parametrize("command", [by_check, by_validate])
def test_what_runs_once_imports_no_server(http: Path, command: Callable[[Path], set[str]]) -> None:
    assert command(http) & {*SERVER, "rich"} == set()


def test_help_imports_none_of_it(tmp_path: Path) -> None:
    names = once("--help", folder=tmp_path)
    assert names & {"aiohttp", "pydantic", "yaml", *DRIVERS, *SERVER} == set()
