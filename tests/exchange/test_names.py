"""Names become addresses, each in a thread of its own, shared by all who ask at that time."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from probe.check import Unresolved
from probe.exchange import Address, Resolver, resolve
from tests.exchange.runs import new_run, steps


class SlowDns:
    """Stands in for the system's resolver, which can't be made slow here: it answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()

    def getaddrinfo(self, host: str, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        self.may_answer.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]

    async def was_asked(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.asked) < times:  # noqa: ASYNC110  # a thread says so
                await asyncio.sleep(0.005)


@pytest.fixture
def slow_dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDns]:
    dns = SlowDns()
    monkeypatch.setattr("probe.exchange.names.socket.getaddrinfo", dns.getaddrinfo)
    yield dns
    dns.may_answer.set()


async def test_a_name_of_this_machine() -> None:
    run = new_run()
    addresses = await resolve(run, "localhost", 80)
    assert Address(socket.AF_INET, "127.0.0.1", 80) in addresses
    assert steps(run) == ["resolve"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", Address(socket.AF_INET, "127.0.0.1", 80)),
        ("::1", Address(socket.AF_INET6, "::1", 80)),
        ("[::1]", Address(socket.AF_INET6, "::1", 80)),
    ],
)
async def test_an_address_is_one_already(host: str, address: Address) -> None:
    before = threading.active_count()
    assert await resolve(new_run(), host, 80) == (address,)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("host", "family", "says"),
    [
        ("nowhere.invalid", "any", "nowhere.invalid does not resolve"),
        ("a..b", "any", "'a..b' does not resolve"),
        ("x" * 64 + ".example", "any", "does not resolve"),
        ("127.0.0.1", "ip6", "127.0.0.1 is no IPv6 address"),
        ("::1", "ip4", "::1 is no IPv4 address"),
    ],
)
async def test_says_what_has_no_address(host: str, family: Any, says: str) -> None:
    run = new_run()
    with pytest.raises(Unresolved, match=says):
        await resolve(run, host, 80, family)
    assert run.at_step == "resolve"


async def test_one_look_up_for_all_who_ask_at_the_same_time(slow_dns: SlowDns) -> None:
    asking = [asyncio.create_task(resolve(new_run(), "db", port)) for port in range(1, 101)]
    await slow_dns.was_asked(1)
    slow_dns.may_answer.set()
    found = await asyncio.gather(*asking)
    assert found[99] == (Address(socket.AF_INET, "192.0.2.7", 100),)
    assert slow_dns.asked == ["db"]


async def test_who_stops_waiting_does_not_disturb_the_others(slow_dns: SlowDns) -> None:
    gives_up = asyncio.create_task(resolve(new_run(), "db", 1))
    waits = asyncio.create_task(resolve(new_run(), "db", 2))
    await slow_dns.was_asked(1)
    gives_up.cancel()
    slow_dns.may_answer.set()
    assert (await waits)[0].port == 2
    assert slow_dns.asked == ["db"]
    with pytest.raises(asyncio.CancelledError):
        await gives_up


async def test_a_hundred_dead_names_do_not_delay_another(slow_dns: SlowDns) -> None:
    dead = [asyncio.create_task(resolve(new_run(), f"dead-{number}", 80)) for number in range(100)]
    await slow_dns.was_asked(100)
    alive = asyncio.create_task(resolve(new_run(), "alive", 80))
    await slow_dns.was_asked(101)
    assert slow_dns.asked[-1] == "alive"
    slow_dns.may_answer.set()
    await asyncio.gather(alive, *dead)


def test_an_answer_for_a_loop_that_was_closed_is_dropped(slow_dns: SlowDns) -> None:
    async def give_up() -> None:
        asking = asyncio.create_task(resolve(new_run(), "db", 80))
        await slow_dns.was_asked(1)
        asking.cancel()

    asyncio.run(give_up())
    looking_up = [thread for thread in threading.enumerate() if thread.name == "probe:resolve db"]
    slow_dns.may_answer.set()
    for thread in looking_up:
        thread.join(5)
    assert looking_up
    assert asyncio.run(resolve(new_run(), "db", 80))[0].host == "192.0.2.7"


def test_a_hung_look_up_does_not_keep_the_process_alive() -> None:
    program = """
import asyncio, socket, threading, time
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
from tests.exchange.runs import new_run
from probe.exchange import resolve
async def main():
    try:
        await asyncio.wait_for(resolve(new_run(), "hung", 80), 0.1)
    except TimeoutError:
        print("gave up")
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (0, "gave up\n"), ended.stderr


async def test_the_same_for_drivers_with_aiohttps_connector() -> None:
    resolver = Resolver()
    answers = await resolver.resolve("localhost", 9000, socket.AF_INET)
    assert [(answer["hostname"], answer["host"], answer["port"]) for answer in answers] == [
        ("localhost", "127.0.0.1", 9000)
    ]
    with pytest.raises(OSError, match=r"nowhere\.invalid does not resolve"):
        await resolver.resolve("nowhere.invalid")
    await resolver.close()
