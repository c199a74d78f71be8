"""TCP connections and streams, step by step: resolve, connect, tls."""

import asyncio
import errno
import os
import socket
import time
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Callable
from typing import TypeVar

import aiohappyeyeballs

from probe.check import Overdue, Run, Unreachable
from probe.exchange.distrust import handshake
from probe.exchange.link import Link
from probe.exchange.names import Address, Family, resolve
from probe.exchange.tls import Tls

HEAD_START = 0.25
"""Seconds that one address of a name has before the next is tried beside it (RFC 8305)."""

Proto = TypeVar("Proto", bound=asyncio.BaseProtocol)


async def connect(run: Run, host: str, port: int, family: Family = "any", *, link: Link | None = None) -> socket.socket:
    """A connected, non-blocking socket; `link` notes what was measured. Raises Unresolved, Unreachable."""
    link = link or Link()
    return await _connect_any(run, await _resolved(run, host, port, family, link), link)


async def open_stream(
    run: Run, host: str, port: int, *, tls: Tls | None = None, family: Family = "any", link: Link | None = None
) -> tuple[StreamReader, StreamWriter]:
    """A connected stream, encrypted when `tls` is given. The caller closes the writer.

    Raises Unresolved, Unreachable, Untrusted.
    """
    loop = asyncio.get_running_loop()
    reader = StreamReader(loop=loop)
    transport, protocol = await open_link(
        run, host, port, lambda: StreamReaderProtocol(reader, loop=loop), tls=tls, family=family, link=link
    )
    return reader, StreamWriter(transport, protocol, reader, loop)


async def open_link(
    run: Run,
    host: str,
    port: int,
    protocol: Callable[[], Proto],
    *,
    tls: Tls | None = None,
    family: Family = "any",
    link: Link | None = None,
) -> tuple[asyncio.Transport, Proto]:
    """A transport with a protocol on it, for whoever reads bytes as they come. Raises as `open_stream`."""
    link = link or Link()
    addresses = await _resolved(run, host, port, family, link)
    if tls is not None:
        sock = await _connect_any(run, addresses, link)
        return await handshake(run, sock, protocol, tls, host, link=link, reconnect=lambda: again(link))
    if len(addresses) == 1:
        return await _connect_at_once(run, addresses[0], protocol, link)
    sock = await _connect_any(run, addresses, link)
    return await asyncio.get_running_loop().create_connection(protocol, sock=sock)


async def again(link: Link) -> socket.socket:
    """Another socket to where a connected link goes. Raises OSError."""
    assert link.address is not None, "the link is connected"  # noqa: S101
    return await _connect_to(link.address)


async def _resolved(run: Run, host: str, port: int, family: Family, link: Link) -> tuple[Address, ...]:
    began = time.monotonic()
    try:
        addresses = await resolve(run, host, port, family)
    finally:
        link.resolve = time.monotonic() - began
    link.address = addresses[0]
    return addresses


async def _connect_any(run: Run, addresses: tuple[Address, ...], link: Link) -> socket.socket:
    """A socket connected to whichever of these answers first. Raises Unreachable."""
    began = time.monotonic()
    with run.step("connect"):
        try:
            sock = await _first_of(addresses)
        except OSError as error:
            raise unreachable(error, addresses) from error
    link.connect = time.monotonic() - began
    if len(addresses) > 1:
        there = sock.getpeername()
        link.address = next((each for each in addresses if each.host == there[0]), addresses[0])
    return sock


async def _connect_at_once(
    run: Run, address: Address, protocol: Callable[[], Proto], link: Link
) -> tuple[asyncio.Transport, Proto]:
    """What costs least of all: the loop makes socket and transport in one go."""
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    with run.step("connect"):
        try:
            transport, made = await loop.create_connection(protocol, address.host, address.port)
        except OSError as error:
            raise unreachable(error, (address,)) from error
    link.connect = time.monotonic() - began
    return transport, made


async def _first_of(addresses: tuple[Address, ...]) -> socket.socket:
    if len(addresses) == 1:
        return await _connect_to(addresses[0])
    return await aiohappyeyeballs.start_connection(
        [(each.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", each[1:]) for each in addresses],
        happy_eyeballs_delay=HEAD_START,
        interleave=1,
    )


async def _connect_to(address: Address) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address[1:])
    except BaseException:
        sock.close()
        raise
    return sock


def unreachable(error: OSError, addresses: tuple[Address, ...]) -> Unreachable | Overdue:
    """What a failed connection attempt means, in words."""
    where = " and ".join(map(str, addresses))
    if error.errno == errno.ECONNREFUSED:
        return Unreachable(f"connection refused by {where}")
    if error.errno == errno.ETIMEDOUT:
        return Overdue(f"no answer from {where}")
    if error.errno is None:  # several addresses, each with a reason of its own
        return Unreachable(f"no connection to {where}: {error}")
    return Unreachable(f"no connection to {where}: {os.strerror(error.errno).lower()}")
