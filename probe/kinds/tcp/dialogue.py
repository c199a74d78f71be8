"""Lines said and awaited on a TCP connection, as blackbox_exporter's query_response has it."""

import asyncio
import re
import ssl
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from probe.check import Failure, Garbled, Overdue, Part, Run, Unhealthy, Unreachable, Untrusted
from probe.exchange.answer import excerpt, excerpt_of_bytes
from probe.exchange.distrust import explained, told
from probe.exchange.link import Link, encryption
from probe.exchange.patterns import Regex
from probe.exchange.tls import Tls

MOST_LINES = 10_000
"""Lines that are read for one that matches; blackbox_exporter would read on until the deadline."""

LONGEST_LINE = 64 * 1024
"""Bytes of one line."""

SAID_EARLY = 0.02
"""Seconds before the deadline at which an awaited line is given up, so that the message can say what came instead."""

_GROUP = re.compile(r"\\(\d+)|\\g<(\w+)>|\$\{(\w+)\}")
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a]")


class Turn(Part):
    """One turn of a dialogue: wait for a line, then say one, then encrypt; each of these may be left out."""

    expect: Regex | None = None
    """Lines are read until one matches this regular expression."""
    send: str | None = None
    """A line to say, without its line feed (but with `\\r` where the protocol wants it). `\\1`, `\\g<name>` or
    `${1}` (in a config file: `$${1}`) stand for what the groups of the last `expect` matched."""
    starttls: bool = False
    """Encrypt the connection after this turn."""

    @model_validator(mode="before")
    @classmethod
    def _in_order(cls, given: Any) -> Any:
        if isinstance(given, dict) and {"send", "expect"} <= given.keys():
            keys = list(given)
            if keys.index("send") < keys.index("expect"):
                raise PydanticCustomError(
                    "turn", "in one turn expect comes before send; write send and the expect that follows as two turns"
                )
        return given


class Stream(NamedTuple):
    """An open connection, and how to encrypt it when a turn says so."""

    reader: StreamReader
    writer: StreamWriter
    link: Link
    tls: Tls
    host: str


class Dialogue:
    """A conversation. `as_expected` is False once the end came instead of an awaited line; not when the wait was given
    up, as blackbox_exporter has it."""

    def __init__(self, run: Run) -> None:
        self.as_expected = True
        self._run = run
        self._heard = False
        self._ahead = b""
        """What has come and is no whole line yet, or comes after one."""
        self._match: re.Match[str] | None = None

    async def hold(self, turns: Sequence[Turn], stream: Stream) -> None:
        """Take all turns. Raises Unhealthy, Garbled, Unreachable, Untrusted, Overdue."""
        try:
            for turn in turns:
                await self._take(turn, stream)
        except OSError as error:
            raise self._broken(error) from error

    async def _take(self, turn: Turn, stream: Stream) -> None:
        if turn.expect is not None:
            with self._run.step("expect"):
                self._match = await self._awaited(turn.expect, stream.reader)
        if turn.send is not None:
            with self._run.step("send"):
                stream.writer.write(f"{self._filled(turn.send)}\n".encode())
                await stream.writer.drain()
        if turn.starttls:
            with self._run.step("tls"):
                await self._encrypt(stream)

    async def _awaited(self, pattern: re.Pattern[str], reader: StreamReader) -> re.Match[str]:
        """The match of the first line that matches. Raises Overdue just before the runner would, to say what came."""
        last = ""
        try:
            async with asyncio.timeout(self._run.remaining - SAID_EARLY):
                for _ in range(MOST_LINES):
                    line = await self._line(reader)
                    last = line.decode(errors="replace").rstrip("\r\n") if line else last
                    if line and (match := pattern.search(last)):
                        return match
                    self.as_expected = line.endswith(b"\n")
                    if not self.as_expected or _NO_TEXT.search(last):
                        break
        except TimeoutError:
            raise Overdue(f"no line that matches {pattern.pattern} in time{_after(last)}") from None
        raise self._disappointed(pattern, last)

    def _disappointed(self, pattern: re.Pattern[str], last: str) -> Failure:
        if _NO_TEXT.search(last):
            came = excerpt_of_bytes(last.encode(), 40)
            return Garbled(f"expected a line that matches {pattern.pattern}, got bytes that are no text: {came}")
        if last:
            return Unhealthy(f"expected a line that matches {pattern.pattern}, got {excerpt(last)}")
        if self._heard:
            return Garbled("the server closed the connection in the middle of the dialogue")
        return Unreachable("the server closed the connection without a word")

    async def _line(self, reader: StreamReader) -> bytes:
        """The next line; what comes last may lack its line feed; empty at the end."""
        while b"\n" not in self._ahead:
            if len(self._ahead) > LONGEST_LINE:
                raise Garbled("the server sent a line longer than 64 KiB")
            part = await reader.read(LONGEST_LINE)
            if not part:
                break
            self._heard = True
            self._ahead += part
        line, feed, self._ahead = self._ahead.partition(b"\n")
        return line + feed

    def _filled(self, send: str) -> str:
        match = self._match
        if match is None:
            return send

        def group(found: re.Match[str]) -> str:
            name = found[1] or found[2] or found[3]
            known = match.groupdict() | {str(number): text for number, text in enumerate(match.groups(), start=1)}
            return (match[0] if name == "0" else known.get(name)) or ""

        return _GROUP.sub(group, send)

    async def _encrypt(self, stream: Stream) -> None:
        began = time.monotonic()
        self._ahead = b""  # said in plain, by whomever: it is no part of what is encrypted
        name = stream.tls.name_for(stream.host)
        try:
            await stream.writer.start_tls(stream.tls.shared_context(), server_hostname=name)
        except OSError as error:
            raise explained(error, (), name, self._run.now) from error
        stream.link.tls = time.monotonic() - began
        stream.link.encryption = encryption(stream.writer.get_extra_info("ssl_object"))

    def _broken(self, error: OSError) -> Failure:
        if isinstance(error, ssl.SSLError):
            return Untrusted(told(error))
        ended = "reset" if isinstance(error, ConnectionResetError | BrokenPipeError) else "broke"
        if self._heard:
            return Garbled(f"the server {ended} the connection in the middle of the dialogue")
        return Unreachable(f"the server {ended} the connection without a word")


def _after(last: str) -> str:
    return f"; the last one was {excerpt(last)}" if last else ""


async def close(writer: StreamWriter) -> None:
    """Close at once: in TLS without waiting for the other side."""
    writer.close()
    writer.transport.abort()
    await asyncio.sleep(0)
