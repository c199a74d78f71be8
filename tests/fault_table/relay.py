"""Spoils the answers of a real server, and answers that never end."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from tests.faults import LOOPBACK

Spoil = Callable[[StreamReader, StreamWriter], Awaitable[None]]
"""Passes a server's answer on to the client, in its own way, and ends the connection by returning."""

PAUSE = 0.001
"""Seconds between the parts (64 KiB) of an endless answer, so that a client that reads on does not eat the memory."""


@asynccontextmanager
async def relayed(port: int, spoil: Spoil) -> AsyncIterator[int]:
    """In front of the real server on a port: what it is asked is passed on as it is, what it answers is spoilt."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(LOOPBACK, port)
        asking = asyncio.create_task(_pass_on(reader, server_writer))
        try:
            await spoil(server_reader, writer)
        finally:
            asking.cancel()
            server_writer.transport.abort()

    async with _serving(serve) as own_port:
        yield own_port


@asynccontextmanager
async def endless(answers: Sequence[bytes], again: bytes) -> AsyncIterator[int]:
    """Says one answer to each thing that it is asked, and after the last of them something again and again."""
    part = again * max(1, 65536 // len(again))

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        for answer in answers:
            await reader.read(65536)
            writer.write(answer)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(PAUSE)

    async with _serving(serve) as port:
        yield port


def cut(after: int, *, reset: bool = False) -> Spoil:
    """Ends the connection after so many bytes of the answer."""

    async def spoil(answer: StreamReader, client: StreamWriter) -> None:
        await _begin(answer, client, after)
        await asyncio.sleep(0.05)  # let it arrive before the end does
        if reset:
            sock = client.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.transport.abort()
        else:
            client.close()

    return spoil


def stopped(after: int) -> Spoil:
    """Says no more after so many bytes of the answer."""

    async def spoil(answer: StreamReader, client: StreamWriter) -> None:
        await _begin(answer, client, after)
        await asyncio.Event().wait()

    return spoil


async def a_byte_a_second(answer: StreamReader, client: StreamWriter) -> None:
    while byte := await answer.read(1):
        client.write(byte)
        await client.drain()
        await asyncio.sleep(1)


@asynccontextmanager
async def _serving(serve: Callable[[StreamReader, StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    at_work: set[asyncio.Task[None]] = set()

    async def tracked(reader: StreamReader, writer: StreamWriter) -> None:
        work = asyncio.current_task()
        assert work is not None
        at_work.add(work)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(tracked, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for work in at_work:
            work.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


async def _begin(answer: StreamReader, client: StreamWriter, length: int) -> None:
    """Pass on that much of an answer, as it comes."""
    while length and (part := await answer.read(length)):
        client.write(part)
        length -= len(part)


async def _pass_on(asked: StreamReader, server: StreamWriter) -> None:
    with suppress(OSError):
        while data := await asked.read(65536):
            server.write(data)
            await server.drain()
