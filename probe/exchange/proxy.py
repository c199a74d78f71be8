"""A way through an HTTP proxy (CONNECT, RFC 9110 9.3.6)."""

import asyncio
import re
import socket

from yarl import URL

from probe.check import Denied, Garbled, Unreachable
from probe.exchange.request import login

_LONGEST_ANSWER = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ?([^\r\n]*)")


async def tunnel(sock: socket.socket, proxy: URL, host: str, port: int) -> socket.socket:
    """Make a socket that is connected to a proxy one that is connected to `host`; closed when that fails.

    Raises Denied, Unreachable, Garbled.
    """
    try:
        await _ask(sock, proxy, host, port)
    except BaseException:
        sock.close()
        raise
    return sock


async def _ask(sock: socket.socket, proxy: URL, host: str, port: int) -> None:
    there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {there} HTTP/1.1", f"Host: {there}"]
    if authorization := login(proxy):
        lines.append(f"Proxy-Authorization: {authorization}")
    asked = "\r\n".join([*lines, "", ""]).encode()
    try:
        await asyncio.get_running_loop().sock_sendall(sock, asked)
        answer = await _head(sock)
    except OSError as error:
        raise Unreachable(f"the proxy {proxy.host}:{proxy.port} broke the connection off") from error
    _check(answer, f"the proxy {proxy.host}:{proxy.port}", there)


async def _head(sock: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_ANSWER and answer[:5] == b"HTTP/"[: len(answer)]:
        part = await loop.sock_recv(sock, 4096)
        if not part:
            break
        answer += part
    return answer


def _check(answer: bytes, proxy: str, there: str) -> None:
    if not answer:
        raise Unreachable(f"{proxy} closed the connection without an answer")
    found = _STATUS.match(answer)
    if found is None:
        raise Garbled(f"{proxy} did not answer in HTTP")
    status, reason = int(found[1]), found[2].decode("latin-1")
    if status in (401, 403, 407):
        raise Denied(f"{proxy} refused to connect to {there}: {status} {reason}")
    if not 200 <= status < 300:
        raise Unreachable(f"{proxy} could not connect to {there}: {status} {reason}")
