"""From request to answer over a new connection, and on to where redirects lead."""

import socket
import ssl
from time import monotonic

import aiohttp
from aiohttp import StreamReader
from aiohttp.http import HttpProcessingError, RawResponseMessage
from yarl import URL

from probe.check import Failure, Garbled, Run, Unhealthy, Unreachable, Untrusted
from probe.exchange.answer import Answer, excerpt, excerpt_of_bytes
from probe.exchange.distrust import handshake, told
from probe.exchange.line import Line, new_line
from probe.exchange.proxy import tunnel
from probe.exchange.request import MOST_REDIRECTS, Request, is_redirect, redirected
from probe.exchange.sockets import again, connect, open_link
from probe.exchange.trace import Head, Trace
from probe.units import show_size

_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


class Hops:
    """A request and all that follows from it; each hop connects anew and is noted on the trace."""

    def __init__(self, run: Run, trace: Trace, max_body: int) -> None:
        self._run = run
        self._trace = trace
        self._max_body = max_body

    async def follow(self, asked: Request, *, redirects: bool) -> Answer:
        """The answer at the end of the redirects, or the redirect itself when they are not to be followed."""
        while True:
            found = await self._hop(asked, redirects=redirects)
            if isinstance(found, Answer):
                return found
            asked = found

    async def _hop(self, asked: Request, *, redirects: bool) -> Answer | Request:
        line = await self._connected(asked)
        transport = line.transport
        try:
            head, body = await self._head(asked, line)
            return self._following(asked, head, redirects=redirects) or await self._answer(asked, head, body)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise failed(error, line, self._trace) from error
        finally:
            if transport is not None:
                transport.abort()  # a farewell would wait in TLS for the other side's

    async def _connected(self, asked: Request) -> Line:
        trace = self._trace
        trace.begin_hop()
        try:
            line = await self._line(asked)
        finally:
            trace.note_attempt()
        trace.note_connected()
        return line

    async def _line(self, asked: Request) -> Line:
        run, link = self._run, self._trace.link
        if asked.proxy is not None and not asked.through_proxy:
            sock = await self._tunnel(asked, asked.proxy)
            _, line = await handshake(
                run, sock, new_line, asked.tls, asked.host, link=link, reconnect=lambda: self._tunnel_again(asked)
            )
            return line
        there = asked.proxy or asked.url
        tls = asked.tls if asked.url.scheme == "https" else None
        _, line = await open_link(
            run, there.host or "", there.port or 80, new_line, tls=tls, family=asked.family, link=link
        )
        return line

    async def _tunnel(self, asked: Request, proxy: URL) -> socket.socket:
        run = self._run
        sock = await connect(run, proxy.host or "", proxy.port or 80, asked.family, link=self._trace.link)
        with run.step("connect"):
            return await tunnel(sock, proxy, asked.host, asked.port)

    async def _tunnel_again(self, asked: Request) -> socket.socket:
        assert asked.proxy is not None, "it was a tunnel"  # noqa: S101
        return await tunnel(await again(self._trace.link), asked.proxy, asked.host, asked.port)

    async def _head(self, asked: Request, line: Line) -> tuple[RawResponseMessage, StreamReader]:
        """Send the request and read the head of the answer."""
        sent = monotonic()
        try:
            with self._run.step("processing"):
                line.ask(asked.method, asked.written)
                head, body = await line.answer()
        finally:
            if line.began_at is not None:
                self._trace.add("processing", line.began_at - sent)
        self._trace.head = Head(head.code, head.version, head.headers, _length(asked, head))
        return head, body

    def _following(self, asked: Request, head: RawResponseMessage, *, redirects: bool) -> Request | None:
        """Where the answer sends us, if anywhere."""
        if not is_redirect(head.code, head.headers):
            return None
        self._trace.redirects += 1
        if not redirects:
            return None
        if self._trace.redirects > MOST_REDIRECTS:
            raise Unhealthy(f"redirected more than {MOST_REDIRECTS} times, at last to {head.headers['Location']}")
        return redirected(asked, head.code, head.headers)

    async def _answer(self, asked: Request, head: RawResponseMessage, body: StreamReader) -> Answer:
        """Read the body."""
        trace, parts = self._trace, []
        began = monotonic()
        try:
            with self._run.step("transfer"):
                while part := await body.readany():
                    trace.body_length += len(part)
                    if trace.body_length > self._max_body:
                        raise Garbled(f"the answer is longer than {show_size(self._max_body)}")
                    parts.append(part)
        finally:
            trace.add("transfer", monotonic() - began)
        version = f"{head.version.major}.{head.version.minor}"
        return Answer(str(asked.url), head.code, head.reason, version, head.headers, b"".join(parts))


def failed(error: aiohttp.ClientError | HttpProcessingError | OSError, line: Line, trace: Trace) -> Failure:
    """What an exchange that broke means, in words."""
    lost = line.lost
    if isinstance(lost, ssl.SSLError) and not isinstance(lost, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Untrusted(told(lost))  # as a server does in TLS 1.3 that misses a client certificate
    if not line.beginning.startswith(b"HTTP/"[: len(line.beginning)]):
        return Garbled(_no_http(line.beginning))
    if isinstance(error, aiohttp.ClientPayloadError):
        return _broken_body(error, trace)
    if isinstance(error, HttpProcessingError):
        return Garbled(f"the answer is not proper HTTP: {excerpt(error.message, is_cut=True)}")
    ended = "reset" if isinstance(lost, ConnectionResetError) else "closed"
    if line.began_at is None:
        return Unreachable(f"the server {ended} the connection without an answer")
    return Garbled(f"the server {ended} the connection in the middle of its answer")


def _broken_body(error: aiohttp.ClientPayloadError, trace: Trace) -> Garbled:
    cause = error.__cause__
    if isinstance(cause, aiohttp.http_exceptions.ContentEncodingError):
        coding = trace.head.headers.get("Content-Encoding", "") if trace.head else ""
        return Garbled(f"the body is not in the {coding} that the answer says it is in")
    length = trace.head.content_length if trace.head else -1
    of = f" of {length}" if length > 0 else ""
    return Garbled(f"the answer was cut off after {trace.body_length}{of} bytes of its body")


def _no_http(beginning: bytes) -> str:
    if beginning.startswith(_TLS_RECORDS):
        return "the server speaks TLS there; write https:// instead of http://"
    return f"the answer is not HTTP; it begins with {excerpt_of_bytes(beginning, 60)}"


def _length(asked: Request, head: RawResponseMessage) -> int:
    """The length of the body as the head tells it, and as Go's ContentLength does: -1 when it doesn't."""
    if asked.method != "HEAD" and head.code in (204, 304):
        return 0
    if head.chunked:
        return -1
    declared = head.headers.get("Content-Length", "")
    return int(declared) if declared.isdecimal() else -1
