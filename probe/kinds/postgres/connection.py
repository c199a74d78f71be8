"""One connection to PostgreSQL, step by step: resolve, connect, tls, login.

asyncpg would resolve names in the loop's small pool and tell none of these apart. It takes the event loop that it is
to use, though: it gets one that hands it the connection which the exchange has made.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from probe.check import Denied, Garbled, Run, Unhealthy, Unreachable, Untrusted
from probe.exchange import Link, Tls, connect
from probe.exchange.distrust import handshake, told
from probe.exchange.sockets import again
from probe.kinds.postgres.login import Login
from probe.kinds.postgres.scram import remember_keys
from probe.units import show_size

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

OLDEST = 13
"""The first of the versions that are still looked after, or were until lately."""
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
CLOSED = "closed the connection at once"
NOT_POSTGRES = "does not answer as PostgreSQL does"
ANSWERS = b"RENSv"
"""The first byte of all that a server may say to a login: authentication, error, notice, parameter, version."""
MOST_BYTES = 10 * 1024 * 1024
"""Bytes that one session may bring; a run's are some 20 kB, and asyncpg would keep whatever comes."""

remember_keys()


@asynccontextmanager
async def connected(run: Run, login: Login, link: Link | None = None) -> AsyncIterator[Connection]:
    """A read-only session named `probe`, whose statements end with the run; `link` notes how it is connected.

    Raises Failure and asyncpg's exceptions.
    """
    transport = await _transport(run, login, link or Link())
    loop = _Loop(transport)
    try:
        with run.step("login"):
            connection = await _log_in(run, login, loop)
        try:
            yield connection
        finally:
            connection.terminate()
    except asyncpg.ConnectionDoesNotExistError as error:
        raise loop.incoming.explained(login.where) or error from error
    finally:
        transport.abort()


async def _transport(run: Run, login: Login, link: Link) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    if login.socket_file:
        with run.step("connect"):
            try:
                return (await loop.create_unix_connection(asyncio.Protocol, login.socket_file))[0]
            except OSError as error:
                why = os.strerror(error.errno).lower() if error.errno else str(error)
                raise Unreachable(f"no connection to {login.socket_file}: {why}") from error
    sock = await connect(run, login.host, login.port, link=link)
    if login.tls is not None and await _offers_tls(run, sock, login):
        return await _encrypted(run, sock, login.host, login.tls, link)
    return (await loop.create_connection(asyncio.Protocol, sock=sock))[0]


async def _offers_tls(run: Run, sock: socket.socket, login: Login) -> bool:
    """Whether the server goes on in TLS. Raises Untrusted when it does not and must."""
    with run.step("tls"):
        answer = await _ask_for_tls(sock)
        if answer == b"S" or (answer == b"N" and login.tls_if_offered):
            return answer == b"S"
        sock.close()
        if answer == b"N":
            raise Untrusted(f"{login.where} offers no TLS; set ssl = on there, or sslmode=disable here")
        raise Garbled(f"{login.where} {NOT_POSTGRES}") if answer else Unreachable(f"{login.where} {CLOSED}")


async def _ask_for_tls(sock: socket.socket) -> bytes:
    """The byte that answers: S or N; another from what is no PostgreSQL, none when it hung up."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, SSL_REQUEST)
        return await loop.sock_recv(sock, 1)
    except BaseException:
        sock.close()
        raise


async def _encrypted(run: Run, sock: socket.socket, host: str, tls: Tls, link: Link) -> asyncio.Transport:
    async def reconnect() -> socket.socket:
        another = await again(link)
        await _ask_for_tls(another)
        return another

    return (await handshake(run, sock, asyncio.Protocol, tls, host, link=link, reconnect=reconnect))[0]


async def _log_in(run: Run, login: Login, loop: "_Loop") -> Connection:
    try:
        connection: Connection = await asyncpg.connect(
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            database=login.database,
            loop=cast(asyncio.AbstractEventLoop, loop),  # as much of one as asyncpg asks for
            ssl=False,  # the transport has it already
            direct_tls=False,
            target_session_attrs=SessionAttribute.any,
            statement_cache_size=0,
            server_settings={
                "application_name": "probe",
                "default_transaction_read_only": "on",
                "statement_timeout": f"{max(1.0, run.remaining * 1000):.0f}",
                "jit": "off",
            },
        )
    except asyncpg.InterfaceError as error:  # a way to log in that asyncpg does not know, a server without the secret
        raise Denied(f"{login.where}: {error}") from error
    except (AttributeError, LookupError, ValueError) as error:  # asyncpg, on what only begins like PostgreSQL
        raise Garbled(f"{login.where} {NOT_POSTGRES}: {error}") from error
    if connection.get_server_version().major < OLDEST:
        version = connection.get_settings().server_version
        connection.terminate()
        raise Unhealthy(f"{login.where} is PostgreSQL {version}; probe reads {OLDEST} and newer")
    return connection


class _Incoming(asyncio.Protocol):
    """What comes, on its way to asyncpg, which waits for bytes without end: the first is looked at, all are counted."""

    def __init__(self, transport: asyncio.Transport, protocol: Any) -> None:
        self._transport = transport
        self._protocol = protocol
        self._first = b""
        self._received = 0
        self._lost: Exception | None = None
        self.pause_writing = protocol.pause_writing  # type: ignore[method-assign]
        self.resume_writing = protocol.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        self._first = self._first or data[:1]
        self._received += len(data)
        if self._first in ANSWERS and self._received <= MOST_BYTES:
            self._protocol.data_received(data)
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc
        self._protocol.connection_lost(exc)

    def explained(self, where: str) -> Garbled | Unreachable | Untrusted | None:
        """Why the connection was lost; None: amid proper answers."""
        if self._received > MOST_BYTES:
            return Garbled(f"{where} sent more than {show_size(MOST_BYTES)}")
        if self._first:
            return None if self._first in ANSWERS else Garbled(f"{where} {NOT_POSTGRES}")
        if isinstance(self._lost, ssl.SSLError) and not isinstance(self._lost, ssl.SSLEOFError):
            return Untrusted(told(self._lost))  # in TLS 1.3 a missing client certificate is told after the handshake
        return Unreachable(f"{where} {CLOSED}")


class _Loop:
    """The running event loop, in which asyncpg's connection stands already."""

    incoming: _Incoming

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(
        self, factory: Callable[[], Any], *_where: object, **_how: object
    ) -> tuple[asyncio.Transport, Any]:
        protocol = factory()
        self.incoming = _Incoming(self._transport, protocol)
        self._transport.set_protocol(self.incoming)
        protocol.connection_made(self._transport)
        return self._transport, protocol

    create_unix_connection = create_connection
