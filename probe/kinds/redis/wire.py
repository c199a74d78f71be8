"""One bare connection to a Redis server: questions go out together, answers come in one by one, bounded.

redis-py packs and parses. Its own connection, login, CLIENT SETINFO, timeouts and retries are left out: they cost
more than all the rest, and the exchange and the runner do that work here.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from redis._parsers import _AsyncRESP2Parser
from redis.asyncio.connection import Connection
from redis.exceptions import InvalidResponse, RedisError

from probe.check import Failure, Garbled, Unreachable, Untrusted
from probe.exchange.answer import excerpt_of_bytes
from probe.exchange.distrust import told

LONGEST_ANSWER = 10 * 1024 * 1024
"""Bytes that one conversation may bring; INFO is 5 to 50 kB."""

LONGEST_LINE = 64 * 1024
"""Bytes of a status, an error or a length."""

LISTEN = 0.5
"""Seconds that a server has to say why it hung up."""

Question = tuple[str | int, ...]
Answer = bytes | int | list[object] | None | RedisError
"""What one question brought; an error that the server answered is a value here."""


class HungUp(Unreachable):
    """The connection ended before the first byte of an answer."""


def packed(questions: Sequence[Question]) -> bytes:
    """What asks all of these at once."""
    return b"".join(Connection(driver_info=None).pack_commands(questions))


class Incoming(asyncio.Protocol):
    """What the server sends, read as redis-py's parser reads a StreamReader.

    Raises HungUp when the connection ends before the first byte, Garbled when it ends later or brings too much.
    """

    def __init__(self, server: str) -> None:
        """`server` is its name in messages."""
        self.transport: asyncio.Transport
        self._server = server
        self._ahead = bytearray()
        self._received = 0
        self._latest = b""
        self._has_ended = False
        self._broke: Exception | None = None
        self._more: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._ahead += data
        if self._received > LONGEST_ANSWER:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended, self._broke = True, exc
        self._wake()

    async def readline(self) -> bytes:
        """Bytes up to and with a line feed."""
        while (end := self._ahead.find(b"\n")) < 0:
            if len(self._ahead) > LONGEST_LINE:
                beginning = excerpt_of_bytes(bytes(self._ahead))
                raise Garbled(f"{self._server} sent a line of more than {LONGEST_LINE} bytes: {beginning}")
            await self.receive()
        line = self._take(end + 1)
        if not line.endswith(b"\r\n"):
            raise self.nonsense()
        if line.startswith(b"*"):  # nothing that is asked has one for an answer; parsing a long one takes seconds
            raise Garbled(f"{self._server} answered with an array, of {excerpt_of_bytes(line[1:-2])} elements")
        return line

    async def readexactly(self, length: int) -> bytes:
        """This many bytes."""
        if not 0 <= length <= LONGEST_ANSWER:
            raise Garbled(f"{self._server} announced an answer of {length} bytes")
        while len(self._ahead) < length:
            await self.receive()
        return self._take(length)

    async def receive(self) -> None:
        """Wait for more bytes. Raises also Untrusted."""
        if self._received > LONGEST_ANSWER:
            raise Garbled(f"{self._server} sent more than {LONGEST_ANSWER} bytes")
        before = self._received
        if not self._has_ended:
            self._more = asyncio.get_running_loop().create_future()
            await self._more
        if self._received == before:
            raise self._ended() from self._broke

    def nonsense(self) -> Garbled:
        """What to raise when the bytes that were handed out last mean nothing."""
        return Garbled(f"{self._server} does not speak Redis' protocol; it sent {excerpt_of_bytes(self._latest)}")

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _take(self, length: int) -> bytes:
        self._latest = bytes(self._ahead[:length])
        del self._ahead[:length]
        return self._latest

    def _ended(self) -> Failure:
        if isinstance(self._broke, ssl.SSLError):
            return Untrusted(told(self._broke))
        how = "reset" if self._broke else "closed"
        if self._received:
            return Garbled(f"{self._server} {how} the connection in the middle of an answer")
        return HungUp(f"{self._server} {how} the connection without a word")


class Wire:
    """An open connection that asks and reads answers; `async with` closes it."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._parser = _AsyncRESP2Parser(LONGEST_LINE)
        self._parser.on_connect(self)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *error: object) -> None:
        self._incoming.transport.abort()  # a TLS farewell could wait for the server long after the run

    def ask(self, questions: bytes) -> None:
        """Send what was packed. The answers tell should the connection be lost by now."""
        self._incoming.transport.write(questions)

    async def answer(self) -> Answer:
        """The answer to the next question. Raises HungUp, Garbled, Untrusted, but nothing that the server says."""
        try:
            answer: Answer = await self._parser.read_response(disable_decoding=True)
        except InvalidResponse:
            raise self._incoming.nonsense() from None
        except RedisError as said:
            return said
        except (ValueError, RecursionError):  # a length that is no number, an array in an array in an array …
            raise self._incoming.nonsense() from None
        return answer

    async def hear_out(self) -> None:
        """Only listen, for a moment. Raises Untrusted when the server tells why it hangs up.

        A server tells after the handshake that a client certificate is due (TLS 1.3), and closes; what was written
        by then makes that a reset, which takes its words along.
        """
        with suppress(HungUp, TimeoutError):
            async with asyncio.timeout(LISTEN):
                await self._incoming.receive()

    @property
    def _reader(self) -> Incoming:
        """What the parser reads from."""
        return self._incoming

    @property
    def encoder(self) -> None:
        """None, because the parser is to decode nothing."""
