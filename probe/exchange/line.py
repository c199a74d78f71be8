"""aiohttp's half of an HTTP/1.1 connection without aiohttp's client, whose steps nobody could time.

A request is written, the head of its answer read, and its body comes as a stream; nothing is retried or kept open.
"""

import asyncio
from time import monotonic
from typing import cast

from aiohttp import ClientConnectionResetError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage

LONGEST_HEADER = 64 * 1024
"""Bytes of one header line; aiohttp's own limit of 8 KiB is below what some single sign-ons set."""


class Line(ResponseHandler):
    """A connection for one request. It remembers when and how the answer began and why it ended."""

    began_at: float | None = None
    """When the first byte of the answer came (monotonic)."""
    beginning: bytes = b""
    """The first bytes of the answer, to show when they are no HTTP."""
    lost: BaseException | None = None
    """What broke the connection."""

    def ask(self, method: str, written: bytes) -> None:
        """Send a request with this method. Raises ClientConnectionResetError when the connection is lost already."""
        self.set_response_params(
            skip_payload=method == "HEAD",
            read_until_eof=True,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )
        if self.transport is None or self.transport.is_closing():
            raise ClientConnectionResetError("the connection is lost already")
        self.transport.write(written)

    async def answer(self) -> tuple[RawResponseMessage, StreamReader]:
        """The head of the answer, and its body to be read. Raises aiohttp's ClientError and HttpProcessingError."""
        while True:
            head, body = await self.read()
            if head.code == 101 or not 100 <= head.code < 200:  # others of these only say that an answer will come
                return head, body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # TCP_NODELAY, which aiohttp sets here, is set by the loop

    def data_received(self, data: bytes) -> None:
        if self.began_at is None:
            self.began_at = monotonic()
            self.beginning = bytes(data[:64])
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = exc
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Go on: a request is in memory anyway, and may be answered before all of it was read."""

    def resume_writing(self) -> None:
        """It never stopped."""


def new_line() -> Line:
    """A line that is not connected yet."""
    return Line(asyncio.get_running_loop())
