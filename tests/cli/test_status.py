"""`probe status`: the board of a running agent, from outside."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests import faults
from tests.cli.processes import Agent, Ended, agent, called, probe, written

CHECKS = """
checks:
  good: {{kind: tcp, address: "127.0.0.1:{port}", interval: 1s, timeout: 1s, labels: {{team: core}}}}
  slow: {{kind: tcp, address: "127.0.0.1:{port}", interval: 1s, timeout: 1s, warn: {{probe_duration_seconds: "> 0s"}},
         failure_threshold: 1}}
"""
BAD = '  bad: {kind: tcp, address: "127.0.0.1:1", interval: 1s, timeout: 1s}\n'


@pytest.fixture
def checks() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield CHECKS.format(port=server.getsockname()[1])


def status(running: Agent, *arguments: str, config: str = "config.yaml") -> Ended:
    return called("status", "--config", running.out.parent / config, "--url", running.url, *arguments)


def until_well(running: Agent, config: str) -> None:
    running.until(lambda: status(running, config=config).code == 0)


def until_ready(running: Agent) -> None:
    running.until(lambda: running.get("/-/ready").status == 200)


def test_it_shows_the_board_with_the_exit_codes_of_check(tmp_path: Path, checks: str) -> None:
    config = written(tmp_path, checks)
    with agent(folder=tmp_path) as running:
        assert status(running).code == 1, "before the first runs all is unknown"
        until_ready(running)
        ended = status(running)
        assert [line.split("\t")[:4] for line in ended.out.splitlines()] == [
            ["slow", "tcp", "degraded", "limit"],
            ["good", "tcp", "healthy", "ok"],
            ["1 degraded, 1 healthy"],
        ]
        assert (ended.code, ended.err) == (0, "")
        assert status(running, "--strict").code == 1
        assert "\tresolve " in status(running, "--explain").out
        document = json.loads(status(running, "-o", "json").out)
        assert (document["version"], document["health"], document["ready"]) == (1, "degraded", True)
        assert [check["name"] for check in document["checks"]] == ["good", "slow"]

        config.write_text(checks + BAD)
        running.until(lambda: 'probe_health{check="bad",kind="tcp"} 3.0' in running.get("/metrics").text)
        ended = status(running)
        assert ended.code == 1
        assert ended.out.splitlines()[0].split("\t")[:4] == ["bad", "tcp", "unhealthy", "connect"]


def test_self_asks_only_whether_the_agent_works(tmp_path: Path) -> None:
    written(tmp_path, f"checks:\n{BAD}")
    with agent(folder=tmp_path) as running:
        until_ready(running)
        assert status(running, "--self") == Ended(0, "healthy\n", "")
        assert status(running).code == 1
        running.process.kill()
        running.process.wait()
        for arguments in (["--self"], []):
            ended = status(running, *arguments)
            assert (ended.code, ended.out) == (1, "")
            assert ended.err.startswith(f"no agent answers at {running.url}: ")
            assert ended.err.count("\n") == 1


def test_it_logs_in_as_the_config_says(tmp_path: Path, checks: str) -> None:
    """Also over TLS, with a certificate of a name that is not this machine's; and with letters that are no ASCII."""
    trustme.CA().issue_cert("probe.example").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    web = "web: {{{login}tls: {{cert: both.pem, key: both.pem}}}}\n"
    written(tmp_path, web.format(login='basic: {username: ops, password: "päss:wörd €"}, ') + checks)
    written(tmp_path, web.format(login="bearer_token: tökén, ") + checks, "bearer.yaml")
    written(tmp_path, "web: {basic: {username: ops, password: wrong}}\n" + checks, "wrong.yaml")
    written(tmp_path, checks, "none.yaml")
    for config, refused in (("config.yaml", "wrong.yaml"), ("bearer.yaml", "none.yaml")):
        with agent("--config", config, folder=tmp_path) as running:
            until_well(running, config)
            assert running.url.startswith("https://")
            assert status(running, "--self", config=config).out == "healthy\n"
            ended = status(running, config=refused)
            assert ended.code == 1
            assert ended.err.count("\n") == 1


def test_a_wrong_login_is_one_line(tmp_path: Path, checks: str) -> None:
    written(tmp_path, "web: {bearer_token: right}\n" + checks)
    written(tmp_path, "web: {bearer_token: wrong}\n" + checks, "wrong.yaml")
    with agent(folder=tmp_path) as running:
        assert status(running, config="wrong.yaml") == Ended(
            1, "", f"{running.url} answers 401: log in with web.basic or web.bearer_token\n"
        )


@pytest.mark.parametrize("answer", ["[]", '{"checks": "?"}', "<html>"])
async def test_another_server_is_not_taken_for_an_agent(tmp_path: Path, answer: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
    async with faults.answering((head + answer).encode()) as port:
        url = f"http://127.0.0.1:{port}"
        ended = await asyncio.to_thread(probe, "status", "--url", url, folder=tmp_path)
    assert (ended.code, ended.out, ended.err) == (1, "", f"{url} is not probe, or another version of it\n")


def test_a_url_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    ended = probe("status", "--url", "localhost:10115", folder=tmp_path)
    assert (ended.code, ended.err.splitlines()[-1]) == (
        2,
        "Error: Invalid value for --url: must be http:// or https://, a host and perhaps a port; "
        "the login is taken from the config's web",
    )
