"""`probe check`: one run of each check, for people and for CI."""

import asyncio
import json
import os
import pty
import re
import signal
import socket
import subprocess
import termios
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from probe.demo.langfuse import Langfuse
from tests import faults
from tests.cli.processes import COMMAND, Ended, called, environment, probe, written


@dataclass
class Shop:
    """A config whose checks have somebody to ask; `replies` is what its API says."""

    folder: Path
    replies: dict[str, int]

    async def check(self, *arguments: str) -> Ended:
        return await asyncio.to_thread(called, "check", "--config", self.folder / "config.yaml", *arguments)


CONFIG = """
defaults: {{interval: 10s, timeout: 3s}}
checks:
  api:
    kind: http
    url: http://127.0.0.1:{port}/api
    needs: [db]
    labels: {{team: core}}
  db:
    kind: tcp
    address: 127.0.0.1:{port}
  slow:
    kind: tcp
    address: 127.0.0.1:{port}
    warn: {{probe_duration_seconds: "> 0s"}}
    labels: {{team: web, tier: front}}
  absent:
    kind: tcp
    address: 127.0.0.1:{refused}
    optional: true
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path, {"/api": 200})

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=shop.replies.get(request.path, 404), text="told")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with faults.refused() as refused:
        written(tmp_path, CONFIG.format(port=runner.addresses[0][1], refused=refused))
        yield shop
    await runner.cleanup()


def lines_of(ended: Ended) -> list[list[str]]:
    """The plain output as fields, the seconds replaced by what they look like."""
    return [re.sub(r"\t\d+\.\d{3}\t", "\t0.000\t", line).split("\t") for line in ended.out.splitlines()]


async def test_all_is_well(shop: Shop) -> None:
    ended = await asyncio.to_thread(probe, "check", "api", "db", folder=shop.folder)
    assert lines_of(ended) == [
        ["api", "http", "healthy", "ok", "0.000", ""],
        ["db", "tcp", "healthy", "ok", "0.000", ""],
        ["2 healthy"],
    ]
    assert (ended.code, ended.err) == (0, "")


async def test_degraded_passes_unless_strict_and_an_absent_optional_one_counts_for_nothing(shop: Shop) -> None:
    ended = await shop.check()
    slow, absent, *healthy = lines_of(ended)[:-1]
    assert slow[:4] == ["slow", "tcp", "degraded", "limit"]
    assert re.fullmatch(r"probe_duration_seconds is .*, limit > 0 ms", slow[5])
    assert absent[:5] == ["absent", "tcp", "unknown", "absent", "0.000"]
    assert [line[:4] for line in healthy] == [["api", "http", "healthy", "ok"], ["db", "tcp", "healthy", "ok"]]
    assert lines_of(ended)[-1] == ["1 degraded, 1 unknown, 2 healthy"]
    assert ended.code == 0
    assert (await shop.check("--strict")).code == 1
    assert (await shop.check("--strict", "api", "absent")).code == 0


async def test_a_failure_names_its_cause_and_fails(shop: Shop) -> None:
    async with faults.refused() as refused:
        text = (shop.folder / "config.yaml").read_text()
        written(shop.folder, re.sub(r"(db:\n +kind: tcp\n +address: 127.0.0.1):\d+", rf"\1:{refused}", text))
        shop.replies["/api"] = 503
        ended = await shop.check("api", "db", "--explain")
        assert ended.code == 1
        api, db = lines_of(ended)[:-1]
        assert api[:4] == ["api", "http", "unhealthy", "unhealthy"]
        told, cause, steps = api[5].split("; ")
        assert (told, cause) == ("expected status 2xx, got 503: told", "caused by db")
        assert [step.split()[0] for step in steps.split(", ")] == ["resolve", "connect", "processing", "transfer"]
        assert db[:4] == ["db", "tcp", "unhealthy", "connect"]
        assert db[5].startswith(f"connection refused by 127.0.0.1:{refused}; ")
        alone = await shop.check("api")
        assert "caused by" not in alone.out, "who is not asked explains nothing"


async def test_what_is_run_can_be_chosen(shop: Shop) -> None:
    async def names(*arguments: str) -> list[str]:
        return sorted(line[0] for line in lines_of(await shop.check(*arguments))[:-1])

    assert await names("--kind", "http") == ["api"]
    assert await names("--label", "team=web") == ["slow"]
    assert await names("--label", "team=web", "--label", "tier=front") == ["slow"]
    assert await names("slow", "api", "--kind", "tcp") == ["slow"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["apy"], 'Error: Invalid value for NAME: no check "apy"; did you mean "api"?'),
        (["--kind", "htpt"], 'Error: Invalid value for --kind: no check is of kind "htpt"; did you mean "http"?'),
        (["--label", "team"], 'Error: Invalid value for --label: no check has "team"; did you mean "team=web"?'),
        (
            ["--label", "taem=core"],
            'Error: Invalid value for --label: no check has "taem=core"; did you mean "team=core"?',
        ),
        (["api", "--kind", "tcp"], "Error: no check is left to run: none is all that NAME, --kind and --label ask for"),
        (
            ["--output", "xml"],
            "Error: Invalid value for '--output' / '-o': 'xml' is not one of 'table', 'plain', 'json'.",
        ),
    ],
)
async def test_what_is_not_there_is_a_usage_error(shop: Shop, arguments: list[str], told: str) -> None:
    ended = called("check", "--config", shop.folder / "config.yaml", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == told


async def test_json_is_what_the_api_gives(shop: Shop) -> None:
    shop.replies["/api"] = 503
    ended = await shop.check("--output", "json")
    document = json.loads(ended.out)
    assert (document["version"], document["health"], ended.code) == (1, "unhealthy", 1)
    api, db, *_ = document["checks"]
    assert (api["name"], api["health"], api["needs"], api["labels"]) == ("api", "unhealthy", ["db"], {"team": "core"})
    assert api["last_run"]["reason"] == "unhealthy"
    assert [step["name"] for step in db["last_run"]["steps"]] == ["resolve", "connect"]


async def test_a_table_on_a_terminal(shop: Shop) -> None:
    ended = await asyncio.to_thread(on_a_terminal, "check", folder=shop.folder)
    text = re.sub(r"\x1b\[[0-9;]*m", "", ended.out)
    head, slow, *_ = text.splitlines()
    assert head.split() == ["CHECK", "KIND", "HEALTH", "REASON", "TOOK"]
    assert slow.split()[:4] == ["slow", "tcp", "degraded", "limit"]
    assert "\x1b[33mdegraded" in ended.out, "colours"
    assert text.splitlines()[-1] == "1 degraded, 1 unknown, 2 healthy"
    assert "\t" not in text
    plain = await asyncio.to_thread(on_a_terminal, "check", "--output", "plain", folder=shop.folder)
    assert plain.out.splitlines()[0].startswith("slow\ttcp\tdegraded\tlimit\t")


def on_a_terminal(*arguments: str, folder: Path) -> Ended:
    """The command on a terminal of 100 columns; what it shows there, both outputs together."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 100))
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(TERM="xterm-256color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not read:
            break
        shown += read
    os.close(ours)
    return Ended(process.wait(), shown.decode().replace("\r\n", "\n"), "")


async def test_surveys_run_once_unless_told_not_to(tmp_path: Path) -> None:
    langfuse = Langfuse()
    await langfuse.start()
    config = written(
        tmp_path,
        f"checks:\n  llm: {{kind: langfuse, url: '{langfuse.url}', public_key: {langfuse.public_key}, "
        f"secret_key: {langfuse.secret_key}}}\n",
    )
    try:
        ended = await asyncio.to_thread(called, "check", "--config", config, "-o", "json")
        llm = json.loads(ended.out)["checks"][0]
        assert [survey["last_run"]["reason"] for survey in llm["surveys"]] == ["ok"]
        asked = langfuse.asked.copy()
        ended = await asyncio.to_thread(called, "check", "--config", config, "--no-surveys")
        assert lines_of(ended)[0] == ["llm", "langfuse", "healthy", "ok", "0.000", "usage: not collected"]
        assert ended.code == 0
        assert [path for path, count in (langfuse.asked - asked).items() if "metrics" in path] == []
    finally:
        await langfuse.stop()


def test_without_a_config_it_says_what_to_do(tmp_path: Path) -> None:
    ended = probe("check", folder=tmp_path)
    assert ended == Ended(
        2, "", "there is no config.yaml in this folder; write one, or say where it is with --config\n"
    )
    ended = probe("check", "--config", "other.yaml", folder=tmp_path)
    assert ended == Ended(2, "", "other.yaml: can't be read: no such file or directory\n")


def test_a_bad_config_is_told_whole(tmp_path: Path) -> None:
    written(
        tmp_path,
        "checks:\n"
        "  a: {kind: tpc}\n"
        "  b: {kind: tcp, adress: 'a:1', timeout: '${NO_SUCH}'}\n"
        "  c: {kind: tcp, needs: [d]}\n",
    )
    ended = probe("check", folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert [line.partition(": ")[0] for line in ended.err.splitlines()] == [
        "config.yaml:2:13",
        "config.yaml:3:3",
        "config.yaml:3:18",
        "config.yaml:3:42",
        "config.yaml:4:3",
        "config.yaml:4:26",
    ]


@pytest.fixture
def hole(tmp_path: Path) -> Iterator[socket.socket]:
    """A config of a check that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        written(
            tmp_path,
            f"checks:\n  mute: {{kind: redis, url: 'redis://127.0.0.1:{port}', interval: 90s, timeout: 60s}}\n",
        )
        server.settimeout(20)
        yield server


def test_ctrl_c_ends_it_at_once_and_quietly(tmp_path: Path, hole: socket.socket) -> None:
    process = subprocess.Popen(
        [*COMMAND, "check"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    caller, _ = hole.accept()  # it runs
    with caller:
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=3)
    assert (process.returncode, printed) == (130, "")


@pytest.mark.parametrize("output", ["plain", "json", "table"])
async def test_a_reader_that_goes_away_is_no_reason_to_complain(shop: Shop, output: str) -> None:
    gone, pipe = os.pipe()
    os.close(gone)
    with os.fdopen(pipe, "w") as out:
        done = await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, "check", "db", "-o", output],
            cwd=shop.folder,
            env=environment(),
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""
