"""A web server with an answer of every sort, and a proxy; both real, on loopback."""

import asyncio
import gzip
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

HEALTHY = {
    "status": "healthy",
    "version": "2.4.1",
    "checks": {"db": {"status": "ok", "latency": 3.5}},
    "queue": {"depth": 7},
    "items": [{"name": "a"}, {"name": "b"}],
    "ready": True,
}
PACKED = gzip.compress(b"unpacked " * 100)


@asynccontextmanager
async def serving(*, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Its address, as `http://127.0.0.1:12345`."""
    app = web.Application()
    app.router.add_get("/health", _health)
    app.router.add_get("/down", _down)
    app.router.add_get("/chunked", _chunked)
    app.router.add_get("/gzip", _gzip)
    app.router.add_get("/wrong-gzip", _wrong_gzip)
    app.router.add_get("/bytes/{count}", _bytes)
    app.router.add_get("/latin", _latin)
    app.router.add_get("/html", _html)
    app.router.add_get("/modified", _modified)
    app.router.add_get("/status/{status}", _status)
    app.router.add_get("/hops/{count}", _hops)
    app.router.add_get("/cookie-wall", _cookie_wall)
    app.router.add_route("*", "/to", _to)
    app.router.add_route("*", "/echo", _echo)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=tls)
    await site.start()
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"{'https' if tls else 'http'}://{shown}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _health(_: web.Request) -> web.Response:
    return web.json_response(HEALTHY)


async def _down(_: web.Request) -> web.Response:
    return web.json_response({"detail": "Database connection failed"}, status=503)


async def _chunked(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for part in (b"one ", b"two ", b"three"):
        await response.write(part)
    return response


async def _gzip(_: web.Request) -> web.Response:
    return web.Response(body=PACKED, headers={"Content-Encoding": "gzip"})


async def _wrong_gzip(_: web.Request) -> web.Response:
    return web.Response(body=b"this is no gzip", headers={"Content-Encoding": "gzip"})


async def _bytes(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * int(request.match_info["count"]))


async def _latin(_: web.Request) -> web.Response:
    return web.Response(body="naïve".encode("latin-1"), headers={"Content-Type": "text/plain; charset=ISO-8859-1"})


async def _html(_: web.Request) -> web.Response:
    return web.Response(text="<html>\n  <title>Sign in</title>\n</html>", content_type="text/html")


async def _modified(_: web.Request) -> web.Response:
    return web.Response(headers={"Last-Modified": "Sat, 01 Aug 2026 00:00:00 GMT"})


async def _status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["status"]))


async def _hops(request: web.Request) -> web.Response:
    left = int(request.match_info["count"])
    return web.Response(status=302, headers={"Location": f"/hops/{left - 1}"}) if left else web.Response(text="arrived")


async def _cookie_wall(request: web.Request) -> web.Response:
    if request.cookies.get("seen") == "1":
        return web.Response(text="inside")
    return web.Response(status=302, headers={"Location": "/cookie-wall", "Set-Cookie": "seen=1; Path=/"})


async def _to(request: web.Request) -> web.Response:
    """Redirects to the query's `where`, with its `status`."""
    return web.Response(status=int(request.query.get("status", "302")), headers={"Location": request.query["where"]})


async def _echo(request: web.Request) -> web.Response:
    return web.json_response(
        {"method": request.method, "headers": dict(request.headers), "body": await request.text()},
        headers={"X-Request": request.headers.get("X-Request", "")},
    )


class Proxy:
    """A forward proxy: CONNECT and absolute URLs, with a login when `login` is set, and what it was asked."""

    def __init__(self, login: str = "", status: int = 200) -> None:
        """`login`: the Proxy-Authorization it wants. `status`: what it answers to CONNECT."""
        self.port = 0
        self.asked: list[str] = []
        self._login = login
        self._status = status
        self._at_work: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for work in self._at_work:
                work.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        work = asyncio.current_task()
        assert work is not None
        self._at_work.add(work)
        with suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
            await self._pass_on(reader, writer)
        writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first = head.partition("\r\n")[0]
        self.asked.append(first)
        if self._login and f"Proxy-Authorization: {self._login}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        method, where, _ = first.split()
        if method == "CONNECT" and self._status != 200:
            writer.write(f"HTTP/1.1 {self._status} No Luck\r\n\r\n".encode())
            await writer.drain()
            return
        found = re.search(r"(?:http://)?([^:/]+):(\d+)", where)
        assert found is not None
        there_reader, there_writer = await asyncio.open_connection(found[1], int(found[2]))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            there_writer.write(head.encode())
        both = [asyncio.ensure_future(_copy(reader, there_writer)), asyncio.ensure_future(_copy(there_reader, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there_writer.transport.abort()
            for copying in both:
                copying.cancel()
            await asyncio.gather(*both, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
