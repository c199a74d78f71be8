"""Connections over real faults: each step is noted, each failure is told by its cause."""

import asyncio
import socket

import pytest

from probe.check import Failure, Unreachable, Unresolved
from probe.exchange import Address, Link, connect, open_stream
from probe.exchange.sockets import unreachable
from tests import faults
from tests.exchange.runs import new_run, steps


async def test_a_stream_that_answers() -> None:
    run, link = new_run(), Link()
    async with faults.answering(b"hello\n") as port:
        reader, writer = await open_stream(run, "127.0.0.1", port, link=link)
        writer.write(b"?")
        assert await reader.read() == b"hello\n"
        writer.close()
    assert steps(run) == ["resolve", "connect"]
    assert link.address == Address(socket.AF_INET, "127.0.0.1", port)
    assert None not in (link.resolve, link.connect)
    assert (link.tls, link.encryption) == (None, None)


async def test_a_socket_does_not_block() -> None:
    async with faults.silent() as port:
        sock = await connect(new_run(), "127.0.0.1", port)
        assert sock.getpeername() == ("127.0.0.1", port)
        assert not sock.getblocking()
        sock.close()


async def test_refused_by_one_address() -> None:
    run, link = new_run(), Link()
    async with faults.refused() as port:
        with pytest.raises(Unreachable, match=f"^connection refused by 127.0.0.1:{port}$"):
            await open_stream(run, "127.0.0.1", port, link=link)
    assert run.at_step == "connect"
    assert link.connect is None


async def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    link = Link()
    async with faults.silent() as port:
        _reader, writer = await open_stream(new_run(), "db", port, link=link)
        writer.close()
        assert link.address == Address(socket.AF_INET, "127.0.0.1", port)


async def test_refused_by_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with faults.refused() as port:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.2:.* and 127\.0\.0\.1:"):
            await open_stream(new_run(), "db", port)


async def test_a_black_hole_ends_with_its_caller() -> None:
    run = new_run()
    async with faults.black_hole() as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(open_stream(run, "127.0.0.1", port), 0.2)
    assert run.at_step == "connect"


async def test_no_address() -> None:
    link = Link()
    with pytest.raises(Unresolved):
        await connect(new_run(), "nowhere.invalid", 80, link=link)
    assert link.resolve is not None
    assert link.address is None


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(113, ""), "no connection to [::1]:80: no route to host"),
        (OSError(101, ""), "no connection to [::1]:80: network is unreachable"),
        (TimeoutError(110, ""), "no answer from [::1]:80"),
        (OSError("Multiple exceptions: a, b"), "no connection to [::1]:80: Multiple exceptions: a, b"),
    ],
)
def test_says_why_there_is_no_connection(error: OSError, says: str) -> None:
    failure: Failure = unreachable(error, (Address(socket.AF_INET6, "::1", 80),))
    assert str(failure) == says


def _resolve_to(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """A name with several addresses: /etc/hosts is not ours to write."""
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in hosts]
    monkeypatch.setattr("probe.exchange.names.socket.getaddrinfo", lambda *_, **__: answer)
