"""One bare connection to a Redis server: questions go out together, answers come in one by one, bounded.

redis-py packs and parses. Its own connecting, login, CLIENT SETINFO, timeouts and retries are left out: they cost
more than all the rest, and the exchange and the runner do that work here.
"""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence

from redis.asyncio.connection import AbstractConnection
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


class Incoming:
    """The part of a StreamReader that redis-py's parsers use, over what the server sends.

    Raises HungUp when the connection ends before the first byte, Garbled when it ends later or brings too much.
    """

    def __init__(self, stream: StreamReader, server: str) -> None:
        """`server` is its name in messages."""
        self._stream = stream
        self._server = server
        self._ahead = b""
        self._received = 0
        self._latest = b""

    async def read(self, most: int) -> bytes:
        """Some bytes, never none."""
        if not self._ahead:
            await self._receive()
        return self._take(most)

    async def readline(self) -> bytes:
        """Bytes up to and with a line feed."""
        while (end := self._ahead.find(b"\n")) < 0:
            if len(self._ahead) > LONGEST_LINE:
                raise Garbled(
                    f"{self._server} sent a line of more than {LONGEST_LINE} bytes: {excerpt_of_bytes(self._ahead)}"
                )
            await self._receive()
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
            await self._receive()
        return self._take(length)

    def nonsense(self) -> Garbled:
        """What to raise when the bytes that were handed out last mean nothing."""
        return Garbled(f"{self._server} does not speak Redis' protocol; it sent {excerpt_of_bytes(self._latest)}")

    def broken(self, error: OSError) -> Failure:
        """What it means that reading or writing failed."""
        return Untrusted(told(error)) if isinstance(error, ssl.SSLError) else self._ended("reset")

    async def _receive(self) -> None:
        try:
            chunk = await self._stream.read(LONGEST_LINE)
        except OSError as error:
            raise self.broken(error) from error
        if not chunk:
            raise self._ended("closed")
        self._received += len(chunk)
        if self._received > LONGEST_ANSWER:
            raise Garbled(f"{self._server} sent more than {LONGEST_ANSWER} bytes")
        self._ahead += chunk

    def _take(self, length: int) -> bytes:
        self._latest, self._ahead = self._ahead[:length], self._ahead[length:]
        return self._latest

    def _ended(self, how: str) -> Failure:
        if self._received:
            return Garbled(f"{self._server} {how} the connection in the middle of an answer")
        return HungUp(f"{self._server} {how} the connection without a word")


class Wire(AbstractConnection):
    """An open connection that asks and reads answers; `async with` closes it."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, server: str) -> None:
        super().__init__(protocol=2, driver_info=None, socket_timeout=None, socket_connect_timeout=None)
        self._server = server
        self._outgoing = writer
        self._incoming = Incoming(reader, server)
        self._reader = self._incoming  # type: ignore[assignment]  # all that a parser asks of it
        self._parser.on_connect(self)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *error: object) -> None:
        self._parser.on_disconnect()  # type: ignore[no-untyped-call]
        self._outgoing.transport.abort()  # a TLS farewell could wait for the server long after the run

    async def ask(self, questions: Sequence[Question]) -> None:
        """Send them all at once. Raises HungUp, Untrusted."""
        try:
            self._outgoing.writelines(self.pack_commands(questions))
            await self._outgoing.drain()
        except OSError as error:
            raise self._incoming.broken(error) from error

    async def answer(self) -> Answer:
        """The answer to the next question. Raises HungUp, Garbled, Untrusted, but nothing that the server says."""
        try:
            answer: Answer = await self.read_response(disable_decoding=True, disconnect_on_error=False)
        except InvalidResponse:
            raise self._incoming.nonsense() from None
        except RedisError as said:
            return said
        except (ValueError, RecursionError):  # a length that is no number, an array in an array in an array …
            raise self._incoming.nonsense() from None
        return answer

    async def _connect(self) -> None:
        raise AssertionError("it is born connected")

    def _host_error(self) -> str:
        return self._server

    def repr_pieces(self) -> list[tuple[str, str]]:
        return [("server", self._server)]


async def hear_out(reader: StreamReader, writer: StreamWriter) -> None:
    """Only listen on a new TLS connection, then close it. Raises Untrusted when the server tells why it hangs up.

    A server tells after the handshake that a client certificate is due (TLS 1.3), and closes; what was written by
    then makes that a reset, which takes its words along.
    """
    try:
        async with asyncio.timeout(LISTEN):
            await reader.read(1)
    except ssl.SSLError as error:
        raise Untrusted(told(error)) from error
    except OSError:  # nothing more to learn; also the timeout
        return
    finally:
        writer.transport.abort()
