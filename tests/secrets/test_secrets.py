"""No secret is in anything that probe says: every command, page and log, on success and on every kind of fault."""

import asyncio
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from probe.api import run_checks
from probe.config import load
from probe.model import Reason
from probe.registry import Registry
from tests.cli.processes import Agent, agent, called, probe
from tests.secrets.bed import SPOKEN, Bed, a_few, all_of, bed, loud
from tests.secrets.configs import BASES, Fields
from tests.secrets.leaks import Detector, nasty, plain

OUTPUTS = ("table", "plain", "json")
WIDE = "1000"
"""For a table that cuts no message."""

WEB: Fields = {
    "listen": "127.0.0.1:0",
    "basic": {"username": "ops", "password": nasty("web-basic")},
    "bearer_token": nasty("web-bearer").encode("ascii", "ignore").decode(),
}
WEB_MARKS = {"web-basic": [nasty("web-basic")], "web-bearer": [WEB["bearer_token"]]}


@contextmanager
def in_another_thread(folder: Path) -> Iterator[Bed]:
    """The servers of the bed, while this thread waits for processes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()
    try:
        yield asyncio.run_coroutine_threadsafe(stack.enter_async_context(bed(folder)), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


@pytest.fixture(scope="module")
def marked(folder: Path) -> Iterator[Bed]:
    with in_another_thread(folder) as laid:
        yield laid


def write(folder: Path, checks: Mapping[str, Fields], name: str = "config.yaml", **settings: Any) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({**settings, "checks": dict(checks)}, allow_unicode=True, sort_keys=False))
    return path


def test_every_kind_has_a_config_and_its_echoes() -> None:
    assert set(SPOKEN) == set(BASES) == set(Registry().names())


def test_complaints_about_configs(marked: Bed) -> None:
    assert marked.detector.leaks(marked.complaints) == []
    assert "***" in marked.complaints


def test_masks_stand_in_place_of_secrets(marked: Bed, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    config = load([write(folder, marked.checks)], allow=frozenset(), environ={})
    board = asyncio.run(run_checks(config.checks))
    assert marked.detector.leaks(all_of(config, board)) == []
    assert marked.detector.leaks(caplog.text) == []
    assert [state.check for state in board if state.verdict.reason == Reason.INTERNAL] == []
    said = {check.labels["place"] for name, check in config.checks.items() if "***" in repr(board[name])}
    silent = {check.labels["place"] for check in config.checks.values()} - said
    assert [place for place in silent if "-file" not in place] == [], "no fault made these say anything"


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_of_check(marked: Bed, folder: Path, output: str) -> None:
    path = write(folder, loud(marked.checks), "some.yaml")
    ended = probe("check", "-c", path, "--explain", "-o", output, folder=folder, COLUMNS=WIDE)
    assert ended.code == 1
    assert marked.detector.leaks(ended.out + ended.err) == []
    assert "***" in ended.out


def test_validate(marked: Bed, folder: Path) -> None:
    bad = {name: {**fields, "kinds": 1, "timeout": "2m"} for name, fields in marked.checks.items()}
    path = write(folder, bad, "bad.yaml", web={**WEB, "listen": f"{WEB['bearer_token']}:x"})
    ended = called("validate", "-c", path)
    assert ended.code == 2
    assert Detector({**marks_of(marked), **WEB_MARKS}).leaks(ended.out + ended.err) == []


def marks_of(marked: Bed) -> dict[str, list[str]]:
    names = {fields["labels"]["place"] for fields in marked.checks.values()}
    return {name: [nasty(name), plain(name)] for name in names}


def everything_said(running: Agent, names: list[str]) -> str:
    """Every page and API path, those that are not there, and what who may not look is told."""
    login = {"Authorization": f"Bearer {WEB['bearer_token']}"}
    open_metrics = login | {"Accept": "application/openmetrics-text;version=1.0.0"}
    asked = quote(nasty("asked"), safe="")
    names = [*names, asked]
    pages = ["/", "/metrics", "/api/v1/checks", "/-/healthy", "/-/ready", "/static/style.css", f"/{asked}?{asked}"]
    paths = [*pages, *(f"/checks/{name}" for name in names), *(f"/api/v1/checks/{name}" for name in names)]
    answers = [*(running.get(path, login) for path in paths), running.get("/metrics", open_metrics)]
    assert {answer.status for answer in answers} == {200, 404}
    strangers = [{}, {"Authorization": f"Bearer {nasty('asked').encode('ascii', 'ignore').decode()}"}]
    refused = [running.get(path, headers) for path in ("/", "/metrics", "/nowhere") for headers in strangers]
    assert {answer.status for answer in refused} == {401}
    return "\n".join(answer.text for answer in [*answers, *refused])


def of_process(pid: int) -> str:
    """What others on the machine see of a process: its arguments, and the names of its threads and its children."""
    read = [Path(f"/proc/{pid}/cmdline"), *Path(f"/proc/{pid}/task").glob("*/comm")]
    children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    assert not any(children), "the agent has no children"
    return "\n".join(path.read_text().replace("\0", " ") for path in read)


def test_the_agent_its_pages_its_log_and_its_state(marked: Bed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = a_few(marked.checks)
    path = write(folder, checks, "agent.yaml", web=WEB, state_dir="state")
    detector = Detector({**marks_of(marked), **WEB_MARKS, "asked": [nasty("asked")]})
    monkeypatch.setenv("COLUMNS", WIDE)
    with agent("-c", path, "--log-level", "debug", folder=folder) as running:
        running.until(lambda: running.get("/-/ready").status == 200, seconds=90)
        said = everything_said(running, list(checks))
        assert said.count("***") > len(checks)
        assert detector.leaks(said) == []
        for output in OUTPUTS:
            ended = called("status", "-c", path, "--explain", "-o", output, "--url", running.url)
            assert ended.out.count("***") > 10, ended
            assert detector.leaks(ended.out + ended.err) == []
        assert detector.leaks(of_process(running.process.pid)) == []
        write(folder, {name: {**fields, "kinds": 1} for name, fields in checks.items()}, "agent.yaml", web=WEB)
        running.process.send_signal(signal.SIGHUP)
        running.until(lambda: "the config is bad" in running.log)
        assert running.get("/", {"Authorization": f"Bearer {WEB['bearer_token']} {'x' * 9000}"}).status == 400
        assert running.ended_by(signal.SIGTERM) == 0
    assert "healthy (" in running.log
    assert "a bug" not in running.log
    assert detector.leaks(running.log + running.out.read_text()) == []
    kept = "\n".join(file.read_text() for file in (folder / "state").iterdir())
    assert "***" in kept
    assert detector.leaks(kept) == []
