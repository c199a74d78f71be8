"""aiohttp on connections that are made beforehand, so that each step of making them can be timed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from time import monotonic

from aiohttp import BaseConnector, ClientSession, ClientTimeout, DummyCookieJar, ServerDisconnectedError
from aiohttp.client_proto import ResponseHandler

LONGEST_HEADER = 64 * 1024
"""Bytes of one header line; aiohttp's own limit of 8 KiB is below what some single sign-ons set."""

_NO_TIMEOUT = ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
"""The runner owns the deadline."""


class Line(ResponseHandler):
    """aiohttp's half of an HTTP/1.1 connection, which remembers when and how the answer began and why it ended."""

    began_at: float | None = None
    """When the first byte of the answer came (monotonic)."""
    beginning: bytes = b""
    """The first bytes of the answer, to show when they are no HTTP."""
    lost: BaseException | None = None
    """What broke the connection."""

    def data_received(self, data: bytes) -> None:
        if self.began_at is None:
            self.began_at = monotonic()
            self.beginning = bytes(data[:64])
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = exc
        super().connection_lost(exc)


_line: ContextVar[Line | None] = ContextVar("line", default=None)


def hand_over(line: Line) -> None:
    """The next request of this asyncio task goes over `line`."""
    _line.set(line)


class _HandedOver(BaseConnector):
    async def _create_connection(self, *_: object) -> Line:
        line = _line.get()
        _line.set(None)
        if line is None:  # aiohttp would repeat a request whose connection broke; a check does not hide that
            raise ServerDisconnectedError
        return line


@asynccontextmanager
async def client() -> AsyncIterator[ClientSession]:
    """What requests are made with: cheap, but not free (60 us), so a kind may keep it as its session."""
    connector = _HandedOver(force_close=True, limit=0)
    async with ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=_NO_TIMEOUT,
        skip_auto_headers=("Accept-Encoding", "Content-Type"),
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    ) as session:
        yield session


def new_line() -> Line:
    """A line that is not connected yet."""
    return Line(asyncio.get_running_loop())
