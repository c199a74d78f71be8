"""What hangs delays nobody else: a thousand services that say nothing, and a DNS server that does not answer."""

import asyncio
import logging
import socket
from threading import Event
from typing import Any

import pytest

from probe.agent import Agent
from probe.kinds.tcp import Tcp
from probe.model import Health
from tests import faults
from tests.agent.moody import Mood, Moody, Pace, moody
from tests.agent.stage import config, on_stage, until
from tests.simulated import SimulatedLoop

UNJUST = 0.02
"""Seconds that a start may be late because others start in the same moment, in groups."""


def thousand(name: str, mood: Mood) -> list[Moody]:
    return [moody(f"{name}{number}", mood, interval="15s", wired=False) for number in range(1000)]


def paces_of_the_sound(*others: Moody) -> dict[str, Pace]:
    """Of a thousand sound checks, for 45 s, beside these others that hang."""
    Moody.paces.clear()

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(45.5)
        assert all(agent.board[check.name].health is Health.UNHEALTHY for check in others)
        sound = [state for state in agent.board if state.check.startswith("sound")]
        assert {state.health for state in sound} == {Health.HEALTHY}
        assert {state.tally.seconds for state in sound} == {0.0}, "their durations are as they were, too"
        assert agent.figures.delay.largest < UNJUST

    on_stage(story, *thousand("sound", "well"), *others)
    return {f"sound{number}": Moody.paces[f"sound{number}"] for number in range(1000)}


def test_a_thousand_hung_checks_delay_none_of_the_thousand_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "probe")
    alone = paces_of_the_sound()
    beside = paces_of_the_sound(*thousand("hung", "hanging"), moody("deaf", "stubborn"))
    assert alone.keys() == beside.keys()
    for name, pace in alone.items():
        assert beside[name].runs == pace.runs
        assert beside[name].last == pytest.approx(pace.last, abs=UNJUST)
        assert beside[name].longest == pytest.approx(15, abs=UNJUST)


async def test_a_dead_dns_server_hurts_only_who_must_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """More names than any pool has threads. Who has an address, or asks another server, goes on as if nothing were."""
    is_dead, answers = Event(), Event()
    ask_system = socket.getaddrinfo

    def ask(host: str, *more: Any, **options: Any) -> Any:
        if is_dead.is_set() and host.startswith("remote"):
            answers.wait(30)
        return ask_system("127.0.0.1", *more, **options)

    monkeypatch.setattr("probe.exchange.names.socket.getaddrinfo", ask)
    async with faults.silent() as port:
        remote = [_tcp(f"remote{number}", f"remote{number}.test:{port}") for number in range(80)]
        others = [_tcp(f"local{number}", f"local{number}.test:{port}") for number in range(10)]
        others += [_tcp(f"plain{number}", f"127.0.0.1:{port}") for number in range(10)]
        agent = Agent(config(*remote, *others))
        await agent.start()
        try:
            await until(lambda: agent.is_ready, 20)
            assert agent.board.health is Health.HEALTHY
            is_dead.set()
            await until(lambda: all(agent.board[check.name].down for check in remote), 20)
            assert {str(agent.board[check.name].verdict.reason) for check in remote} == {"dns"}
            ended = {check.name: agent.board[check.name].tally.count for check in others}
            await until(lambda: all(agent.board[name].tally.count >= runs + 2 for name, runs in ended.items()), 20)
            assert all(not any(agent.board[name].tally.runs[1:]) for name in ended)
            is_dead.clear()
            answers.set()
            await until(lambda: agent.board.health is Health.HEALTHY, 20)
        finally:
            answers.set()
            await agent.stop()


def _tcp(name: str, address: str) -> Tcp:
    """One that is written as in a config."""
    fields = {"interval": "1s", "timeout": "800ms", "failure_threshold": 1}
    return Tcp.model_validate({"name": name, "address": address, **fields})
