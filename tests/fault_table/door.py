"""A TLS server that shakes hands as OpenSSL's own servers do: it says by an alert what it does not like.

asyncio's servers just hang up instead. It says nothing once the connection is encrypted.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults import serving


@asynccontextmanager
async def door(context: ssl.SSLContext, before: bytes = b"") -> AsyncIterator[int]:
    """`before` is said in plain to the first thing that comes, which asks for TLS then."""
    async with serving(lambda: _Door(context, before)) as port:
        yield port


class _Door(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, context: ssl.SSLContext, before: bytes) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._before = before

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        if self._before:
            self.transport.write(self._before)
            self._before = b""
            return
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
            refused = False
        except ssl.SSLWantReadError:
            refused = False
        except ssl.SSLError:
            refused = True
        self.transport.write(self._outgoing.read())
        if refused and not self.transport.is_closing():
            self.transport.write_eof()  # and read on to the end: closing on unread bytes would reset the alert away
