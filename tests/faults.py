"""Real faults on loopback, as async context managers: each yields the port of 127.0.0.1 where it waits.

async with faults.refused() as port:            nobody listens, and nobody can begin to
async with faults.black_hole() as port:         a connection attempt is never answered (SYN to a full backlog)
async with faults.silent() as port:             accepts and never says a word
async with faults.closing() as port:            accepts and closes at once
async with faults.resetting() as port:          accepts and resets (SO_LINGER 0)
async with faults.answering(b"...") as port:    the same bytes to whoever says something, whatever was asked
async with faults.garbage() as port:            bytes of no protocol at all, unasked
async with faults.trickling(b"...") as port:    one byte a second
async with faults.tls_expired() as server: ...  TLS servers that nobody should trust (`server.port`, `server.ca`)
"""

import asyncio
import functools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

LOOPBACK = "127.0.0.1"
GARBAGE = bytes(range(256)) * 8
"""Bytes of no protocol: no HTTP status line, no TLS record, no RESP type, no PostgreSQL message."""


@asynccontextmanager
async def refused() -> AsyncIterator[int]:
    """A port that is bound, so that nobody else gets it, but not listened on."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A listener whose backlog is full: the kernel drops every further SYN."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            yield listener.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """Accepts, reads, and never says a word."""
    async with serving(_Fault) as port:
        yield port


@asynccontextmanager
async def closing(*, when_asked: bool = False) -> AsyncIterator[int]:
    """Accepts and closes (FIN) without a byte, at once or `when_asked`, after the first bytes came."""
    async with serving(lambda: _Answer(b"", end=_close, unasked=not when_asked)) as port:
        yield port


@asynccontextmanager
async def resetting(after: bytes = b"", *, when_asked: bool = True) -> AsyncIterator[int]:
    """Resets the connection (RST), once asked, in the middle of an answer when `after` is its beginning."""
    async with serving(lambda: _Answer(after, end=_reset, unasked=not when_asked)) as port:
        yield port


@asynccontextmanager
async def answering(answer: bytes, *, closes: bool = True, unasked: bool = False) -> AsyncIterator[int]:
    """Says `answer` to whoever says something (or `unasked`, as a greeting), then closes unless told not to."""
    async with serving(lambda: _Answer(answer, end=_close if closes else _stay, unasked=unasked)) as port:
        yield port


@asynccontextmanager
async def garbage() -> AsyncIterator[int]:
    """Says 2 KiB of every byte there is, unasked, and stays."""
    async with answering(GARBAGE, closes=False, unasked=True) as port:
        yield port


@asynccontextmanager
async def trickling(answer: bytes, *, every: float = 1.0) -> AsyncIterator[int]:
    """One byte of the answer each second."""
    async with serving(lambda: _Trickle(answer, every)) as port:
        yield port


@dataclass(frozen=True)
class TlsServer:
    """A TLS server on 127.0.0.1 and the file of the CA that its certificate comes from."""

    port: int
    ca: str


@asynccontextmanager
async def tls_server(
    *names: str,
    answer: bytes = b"",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    client_ca: trustme.CA | None = None,
    protocol: Callable[[], asyncio.BaseProtocol] | None = None,
) -> AsyncIterator[TlsServer]:
    """A TLS server that says `answer` when asked, with a certificate for `names` (default: 127.0.0.1, localhost)."""
    context = server_context(*names, not_before=not_before, not_after=not_after)
    if client_ca is not None:
        client_ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    made = protocol or (lambda: _Answer(answer, end=_close, unasked=False))
    with TemporaryDirectory() as folder:
        ca = Path(folder) / "ca.pem"
        authority().cert_pem.write_to_path(str(ca))
        async with serving(made, ssl=context) as port:
            yield TlsServer(port, str(ca))


@asynccontextmanager
async def tls_expired(answer: bytes = b"") -> AsyncIterator[TlsServer]:
    """Its certificate expired on 2020-02-01; `ca` is the right one."""
    began, ended = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)
    async with tls_server(answer=answer, not_before=began, not_after=ended) as server:
        yield server


@asynccontextmanager
async def tls_wrong_host(answer: bytes = b"") -> AsyncIterator[TlsServer]:
    """Its certificate is for a.example and b.example; `ca` is the right one."""
    async with tls_server("a.example", "b.example", answer=answer) as server:
        yield server


@asynccontextmanager
async def tls_unknown_ca(answer: bytes = b"") -> AsyncIterator[TlsServer]:
    """Its certificate is good, but `ca` is another CA's."""
    async with tls_server(answer=answer) as server:
        with TemporaryDirectory() as folder:
            other = Path(folder) / "other.pem"
            trustme.CA(organization_name="Another CA").cert_pem.write_to_path(str(other))
            yield TlsServer(server.port, str(other))


@asynccontextmanager
async def tls_client_refused() -> AsyncIterator[TlsServer]:
    """Wants a client certificate and says so with an alert, which asyncio's own servers don't; one connection only."""
    context = server_context()
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.socket() as listener, TemporaryDirectory() as folder:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        listener.settimeout(10)
        ca = Path(folder) / "ca.pem"
        authority().cert_pem.write_to_path(str(ca))
        refusing = asyncio.create_task(asyncio.to_thread(_refuse, listener, context))
        yield TlsServer(listener.getsockname()[1], str(ca))
        await refusing


def _refuse(listener: socket.socket, context: ssl.SSLContext) -> None:
    accepted, _ = listener.accept()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = context.wrap_bio(incoming, outgoing, server_side=True)
    with accepted:
        accepted.settimeout(10)
        while said := accepted.recv(65536):  # to the end: closing on unread bytes would reset the alert away
            incoming.write(said)
            with suppress(ssl.SSLError):
                handshake.do_handshake()
            accepted.sendall(outgoing.read())


@functools.cache
def authority() -> trustme.CA:
    """The CA of every certificate here; made once."""
    return trustme.CA(organization_name="Probe Tests CA")


def server_context(
    *names: str, not_before: datetime | None = None, not_after: datetime | None = None
) -> ssl.SSLContext:
    """A server's TLS context with a certificate for `names`, valid for 90 days unless told otherwise."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(
        *(names or (LOOPBACK, "localhost")),
        not_before=not_before,
        not_after=not_after or datetime.now(UTC) + timedelta(days=90),
    ).configure_cert(context)
    return context


@asynccontextmanager
async def serving(
    protocol: Callable[[], asyncio.BaseProtocol], *, ssl: ssl.SSLContext | None = None, host: str = LOOPBACK
) -> AsyncIterator[int]:
    """A server of these protocols; its connections end with it."""
    open_now: set[asyncio.BaseTransport] = set()

    def noted() -> asyncio.BaseProtocol:
        made = protocol()
        connected = made.connection_made

        def connection_made(transport: asyncio.BaseTransport) -> None:
            open_now.add(transport)
            connected(transport)

        made.connection_made = connection_made  # type: ignore[method-assign]  # of this one instance
        return made

    server = await asyncio.get_running_loop().create_server(noted, host, 0, ssl=ssl)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in open_now:
            transport.abort()  # type: ignore[attr-defined]  # every stream transport has it
        await asyncio.sleep(0)


class _Fault(asyncio.Protocol):
    """Says nothing."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no asyncio.Transport


class _Answer(_Fault):
    def __init__(self, answer: bytes, *, end: "Callable[[asyncio.Transport], None]", unasked: bool) -> None:
        self.answer = answer
        self.end = end
        self.unasked = unasked
        self.said = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.unasked:
            self.say()

    def data_received(self, data: bytes) -> None:
        if not self.unasked:
            self.say()

    def say(self) -> None:
        if self.said:
            return
        self.said = True
        if self.answer:
            self.transport.write(self.answer)
        # Let the answer reach the other side before the end does.
        asyncio.get_running_loop().call_later(0.05 if self.answer else 0, self.end, self.transport)


class _Trickle(_Fault):
    def __init__(self, answer: bytes, every: float) -> None:
        self.rest = [answer[at : at + 1] for at in range(len(answer))]
        self.every = every

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.say()

    def say(self) -> None:
        if self.rest and not self.transport.is_closing():
            self.transport.write(self.rest.pop(0))
            asyncio.get_running_loop().call_later(self.every, self.say)


def _stay(transport: asyncio.Transport) -> None:
    """Leave the connection open."""


def _close(transport: asyncio.Transport) -> None:
    transport.close()


def _reset(transport: asyncio.Transport) -> None:
    if transport.is_closing():
        return
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
