"""`probe run`: a process that serves, follows its config, and ends when it is told to."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.demo.valkey import Valkey
from tests import faults
from tests.cli.processes import COMMAND, QUICK, Agent, agent, environment, probe, written
from tests.exchange import web
from tests.exporter.reading import read_openmetrics, read_text

HUNG = ("hole", "mute", "store", "page", "base")
LISTENING = """
checks:
  itself: {{kind: tcp, address: "127.0.0.1:{port}", interval: 1s, timeout: 1s}}
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def is_ready(running: Agent) -> bool:
    return running.get("/-/ready").status == 200


def test_it_serves_and_ends_well(tmp_path: Path, listener: socket.socket) -> None:
    config = written(tmp_path, LISTENING.format(port=port_of(listener)))
    with agent("--config", config, folder=tmp_path) as running:
        assert re.fullmatch(rf"status page {running.url}/  metrics {running.url}/metrics\n", running.out.read_text())
        assert running.get("/-/ready").status == 503, "no run has ended yet"
        assert running.get("/-/healthy").status == 200
        running.until(lambda: is_ready(running))
        text = running.get("/metrics")
        names = {family.name for family in read_text(text.text)}
        assert {"probe_success", "probe_health", "probe_agent_build", "process_open_fds"} <= names | {
            name.removesuffix("_info") for name in names
        }
        openmetrics = running.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
        assert openmetrics.type.startswith("application/openmetrics-text; version=1.0.0")
        assert {family.name for family in read_openmetrics(openmetrics.text)} >= {"probe_success", "probe_health"}
        page = running.get("/")
        assert (page.status, "itself" in page.text) == (200, True)
        assert running.get("/checks/itself").status == 200
        assert running.ended_by(signal.SIGTERM) == 0
        assert running.log.splitlines()[-1].endswith("INFO    stopping")
        assert "Traceback" not in running.log


def test_ctrl_c_is_a_good_end_too(tmp_path: Path, listener: socket.socket) -> None:
    config = written(tmp_path, LISTENING.format(port=port_of(listener)))
    with agent("--config", config, folder=tmp_path) as running:
        assert running.ended_by(signal.SIGINT) == 0
        with pytest.raises(ConnectionRefusedError):
            running.get("/")


def in_flight(exposition: str) -> float:
    found = re.search(r"^probe_agent_runs_in_flight (\S+)$", exposition, re.MULTILINE)
    assert found, exposition
    return float(found[1])


async def test_it_ends_within_the_grace_whatever_hangs(tmp_path: Path) -> None:
    async with faults.black_hole() as hole, faults.silent() as silent:
        config = written(
            tmp_path,
            f"""
            defaults: {{interval: 60s, timeout: 60s}}
            checks:
              first: {{kind: tcp, address: "127.0.0.1:1", interval: 1s, timeout: 1s, needs: [{", ".join(HUNG)}]}}
              hole: {{kind: tcp, address: "127.0.0.1:{hole}"}}
              mute: {{kind: redis, url: "redis://127.0.0.1:{silent}"}}
              store: {{kind: s3, endpoint: "http://127.0.0.1:{silent}", access_key: a, secret_key: b}}
              page: {{kind: http, url: "http://127.0.0.1:{silent}/"}}
              base: {{kind: postgres, dsn: "postgresql://a:bcd@127.0.0.1:{silent}/a"}}
            """,
        )

        def story() -> None:
            with agent("--config", config, folder=tmp_path) as running:
                running.until(lambda: in_flight(running.get("/metrics").text) >= len(HUNG))  # and surveys, by and by
                asked = time.monotonic()
                assert running.ended_by(signal.SIGTERM) == 0
                assert time.monotonic() - asked < 6.5
                assert "ended by force" not in running.log
                assert "Traceback" not in running.log

        await asyncio.to_thread(story)


async def test_a_peer_that_resets_does_not_end_it(tmp_path: Path) -> None:
    """Writing to a connection that is gone raises SIGPIPE, which kills whoever does not ignore it."""
    async with faults.resetting(when_asked=False) as port, faults.closing() as closing:
        checks = "".join(
            f'  c{number}: {{kind: tcp, address: "127.0.0.1:{port if number % 2 else closing}", interval: 1s, '
            f"timeout: 1s, dialogue: [{{send: {'x' * 60_000}}}, {{send: again}}, {{expect: never}}]}}\n"
            for number in range(20)
        )
        config = written(tmp_path, f"checks:\n{checks}")

        def story() -> None:
            with agent("--config", config, folder=tmp_path) as running:
                running.until(lambda: is_ready(running))
                time.sleep(1)
                assert running.ended_by(signal.SIGTERM) == 0

        await asyncio.to_thread(story)


def test_it_follows_its_config(tmp_path: Path, listener: socket.socket) -> None:
    good = LISTENING.format(port=port_of(listener))
    config = written(tmp_path, good)

    def loaded(running: Agent) -> str:
        return running.get("/metrics").text

    with agent("--config", config, folder=tmp_path, command=QUICK) as running:
        running.until(lambda: is_ready(running))
        running.process.send_signal(signal.SIGHUP)
        running.until(lambda: 'probe_agent_config_reads_total{result="ok"} 2.0' in loaded(running))

        config.write_text(good.replace("tcp", "tpc"))
        running.until(lambda: "probe_agent_config_last_reload_successful 0.0" in loaded(running))
        assert "the config is bad and the former one stays in force:\n" in running.log
        assert f'{config}:3:18: no kind "tpc"; did you mean "tcp"?' in running.log
        assert 'probe_success{check="itself",kind="tcp"} 1.0' in loaded(running)

        config.write_text(good + '  other: {kind: tcp, address: "127.0.0.1:1", interval: 1s, timeout: 1s}\n')
        running.until(lambda: 'probe_success{check="other",kind="tcp"} 0.0' in loaded(running))
        assert "probe_agent_config_last_reload_successful 1.0" in loaded(running)
        assert 'probe_agent_config_reads_total{result="failed"} 1.0' in loaded(running)


def test_what_it_knew_survives_a_kill(tmp_path: Path, listener: socket.socket) -> None:
    config = written(tmp_path, f"state_dir: state\n{LISTENING.format(port=port_of(listener))}")
    state = tmp_path / "state" / "state.json"

    def runs(running: Agent) -> int:
        found = re.search(
            r'probe_runs_total{check="itself",kind="tcp",reason="ok"} (\d+)', running.get("/metrics").text
        )
        return int(found[1]) if found else 0

    with agent("--config", config, folder=tmp_path, command=QUICK) as running:
        running.until(lambda: state.exists() and b'"last_success_at":0.0' not in state.read_bytes())
        running.process.kill()
        running.process.wait()
    listener.close()
    with agent("--config", config, folder=tmp_path) as running:
        assert runs(running) >= 1, "it goes on counting where the former one was killed"
        assert 'probe_health{check="itself",kind="tcp"} 0.0' in running.get("/metrics").text
        counted = runs(running)
        assert running.ended_by(signal.SIGTERM) == 0
    with agent("--config", config, folder=tmp_path) as running:
        assert runs(running) >= counted


async def test_no_secret_is_in_the_log_nor_on_a_page(tmp_path: Path) -> None:
    """Wrong passwords at a real Valkey, and an HTTP server that repeats what it was sent."""
    cache = Valkey(tmp_path / "valkey")
    await cache.start()
    try:
        async with web.serving() as url, faults.garbage() as garbage:
            page = f"{url.replace('//', '//app:S3cret-http@')}/echo?token=S3cret-token"
            config = written(
                tmp_path,
                f"""
                defaults: {{interval: 1s, timeout: 1s}}
                checks:
                  cache: {{kind: redis, url: "redis://app:S3cret-redis@127.0.0.1:{cache.port}/0"}}
                  base: {{kind: postgres, dsn: "postgresql://app:S3cret%2Fpg@127.0.0.1:{garbage}/app"}}
                  page: {{kind: http, url: "{page}", headers: {{X-Key: S3cret-header}}, body: a, method: POST,
                         expect: {{body: {{contains: never}}}}}}
                  token: {{kind: http, url: "{url}/echo", bearer: S3cret-bearer, expect: {{body: {{contains: never}}}}}}
                  store: {{kind: s3, endpoint: "http://127.0.0.1:1", access_key: akey, secret_key: S3cret-s3}}
                """,
            )

            def story() -> None:
                with agent("--config", config, "--log-level", "debug", folder=tmp_path) as running:
                    running.until(lambda: is_ready(running))
                    names = ("cache", "base", "page", "token", "store")
                    paths = ["/", "/metrics", "/api/v1/checks", *(f"/checks/{name}" for name in names)]
                    shown = "".join(running.get(path).text for path in paths)
                    assert running.ended_by(signal.SIGTERM) == 0
                assert "cache: unknown -> unhealthy (auth)" in running.log
                assert "page: unknown -> unhealthy (unhealthy)" in running.log
                assert "S3cret" not in running.log + shown
                assert "***" in running.log

            await asyncio.to_thread(story)
    finally:
        await cache.stop()


def test_what_it_cannot_do_is_one_line_and_exit_code_2(tmp_path: Path, listener: socket.socket) -> None:
    port = port_of(listener)
    config = written(tmp_path, LISTENING.format(port=port))
    ended = probe("run", "--config", config, "--listen", f"127.0.0.1:{port}", folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"can't listen on 127.0.0.1:{port}: the port is in use; "
        "stop who uses it, or choose another with web.listen or --listen\n"
    )
    ended = probe("run", "--config", config, "--listen", "nonsense", folder=tmp_path)
    assert (ended.code, ended.err.splitlines()[-1]) == (
        2,
        "Error: Invalid value for '--listen': must be host:port, as in 127.0.0.1:10115 or :10115",
    )


def test_ctrl_c_while_the_config_is_read_ends_it_without_a_word(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    os.mkfifo(config)
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", config],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with config.open("w"):  # returns when the other side opens it
        time.sleep(0.3)  # until it reads
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=20)
    assert (process.returncode, printed) == (130, "")
