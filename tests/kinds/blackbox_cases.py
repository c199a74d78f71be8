"""What our kinds and blackbox_exporter are asked beside the faults of the table: servers, and fields of the check."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests import faults
from tests.exchange import web
from tests.kinds.test_tcp import Mail

Place = Callable[[], AbstractAsyncContextManager[Any]]


def saying(answer: bytes, **how: Any) -> Place:
    return lambda: faults.answering(answer, **how)


class Wants(asyncio.Protocol):
    """Says yes to a request that has these bytes in it, and no to another."""

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._asked = b""

    def data_received(self, data: bytes) -> None:
        self._asked += data
        if b"\r\n\r\n" in self._asked:
            status = b"200 OK" if self._wanted in self._asked else b"400 Bad Request"
            self._transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")


def wanting(wanted: bytes) -> Place:
    return lambda: faults.serving(lambda: Wants(wanted))


KEPT = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS_CUT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
HTTP: dict[str, tuple[Place, str, dict[str, Any]]] = {
    "healthy": (web.serving, "/health", {}),
    "503": (web.serving, "/down", {}),
    "204": (web.serving, "/status/204", {}),
    "304": (web.serving, "/status/304", {}),
    "404 that is expected": (web.serving, "/nowhere", {"expect": {"status": [404]}}),
    "401": (web.serving, "/status/401", {}),
    "chunks": (web.serving, "/chunked", {}),
    "last modified": (web.serving, "/modified", {}),
    "gzip": (web.serving, "/gzip", {"headers": {"Accept-Encoding": "gzip"}}),
    "gzip, unasked": (web.serving, "/gzip", {}),
    "no gzip where it says so": (web.serving, "/wrong-gzip", {"headers": {"Accept-Encoding": "gzip"}}),
    "another charset": (web.serving, "/latin", {"expect": {"body": {"contains": "na"}}}),
    "HEAD": (web.serving, "/bytes/1000", {"method": "HEAD"}),
    "POST": (wanting(b"Content-Length: 5\r\n"), "/", {"method": "POST", "body": "hello"}),
    "Basic": (wanting(b"Authorization: Basic dTpw\r\n"), "/", {"basic": {"username": "u", "password": "p"}}),
    "bearer": (wanting(b"Authorization: Bearer token\r\n"), "/", {"bearer": "token"}),
    "a header": (wanting(b"X-A: b\r\n"), "/", {"headers": {"X-A": "b"}}),
    "another Host": (wanting(b"Host: a.example\r\n"), "/", {"headers": {"Host": "a.example"}}),
    "a body that matches": (web.serving, "/health", {"expect": {"body": {"matches": r'"version": "2\.'}}}),
    "a body that does not": (web.serving, "/health", {"expect": {"body": {"matches": "no such text"}}}),
    "a body that should lack it": (web.serving, "/health", {"expect": {"body": {"lacks": "healthy"}}}),
    "a body that matches, of a 503": (web.serving, "/down", {"expect": {"body": {"matches": "no such text"}}}),
    "a header that matches": (web.serving, "/health", {"expect": {"headers": {"Content-Type": "^application/json"}}}),
    "a header that does not": (web.serving, "/health", {"expect": {"headers": {"Content-Type": "^text/html"}}}),
    "a header that is missing": (web.serving, "/health", {"expect": {"headers": {"X-Nothing": "."}}}),
    "three redirects": (web.serving, "/hops/3", {}),
    "ten redirects": (web.serving, "/hops/10", {}),
    "eleven redirects": (web.serving, "/hops/11", {}),
    "a redirect that is the answer": (web.serving, "/hops/3", {"redirects": False}),
    "a redirect with a cookie": (web.serving, "/cookie-wall", {}),
    "308": (web.serving, "/to?where=/health&status=308", {}),
    "a redirect to a 503": (web.serving, "/to?where=/down", {}),
    "a redirect to nobody": (web.serving, "/to?where=http://127.0.0.1:1/", {}),
    "a redirect to no address": (web.serving, "/to?where=http://nosuch.invalid/", {}),
    "a redirect to ftp": (web.serving, "/to?where=ftp://a/", {}),
    "IPv6": (lambda: web.serving(host="::1"), "/health", {}),
    "keep-alive": (saying(KEPT, closes=False), "/", {}),
    "HTTP/1.0, to the end": (saying(b"HTTP/1.0 200 OK\r\n\r\nhello"), "/", {}),
    "100 before 200": (saying(b"HTTP/1.1 100 Continue\r\n\r\n" + KEPT), "/", {}),
    "half a head": (saying(KEPT[:30]), "/", {}),
    "half a body": (saying(KEPT[:-2]), "/", {}),
    "half a body, and waits": (saying(KEPT[:-2], closes=False), "/", {"timeout": "1s"}),
    "half a body, and resets": (lambda: faults.resetting(KEPT[:-2]), "/", {}),
    "chunks cut off": (saying(CHUNKS_CUT), "/", {}),
    "one byte, and waits": (saying(KEPT[:1], closes=False), "/", {"timeout": "1s"}),
    "garbage when asked": (saying(faults.GARBAGE), "/", {}),
    "Redis": (saying(b"-ERR unknown command\r\n"), "/", {}),
}
"""By name: what serves it (a URL, or a port), a path, fields."""


def mail(starttls: bytes = b"220 go ahead\r\n") -> AbstractAsyncContextManager[int]:
    """A server of mail that shows one certificate to both."""
    context = faults.server_context()
    return faults.serving(lambda: Mail(starttls, context))


GREETED = {"expect": r"^220 (\w+)", "send": "EHLO probe\r"}
ENCRYPTED = [
    GREETED,
    {"expect": "^250 STARTTLS", "send": "STARTTLS\r"},
    {"expect": "^220", "starttls": True},
    {"send": "EHLO again\r"},
    {"expect": "greets again"},
]
TCP: dict[str, tuple[Place, dict[str, Any]]] = {
    "a connection": (faults.silent, {}),
    "a connection that ends": (faults.closing, {}),
    "a connection that ends without a word": (faults.closing, {"dialogue": [{"expect": "^.PONG"}]}),
    "lines that are no text, and the end": (
        saying(b"\0\1\n\2"),
        {"dialogue": [{"send": "PING\r"}, {"expect": "^.PONG"}]},
    ),
    "TLS and no word": (faults.tls_server, {}),
    "TLS and a line": (
        lambda: faults.tls_server(answer=b"+PONG\r\n"),
        {"dialogue": [{"send": "PING\r"}, {"expect": "^.PONG"}]},
    ),
    "a line that matches": (lambda: faults.serving(Mail), {"dialogue": [GREETED]}),
    "a part of it said back": (
        lambda: faults.serving(Mail),
        {"dialogue": [{"expect": r"^220 (\w+)", "send": "EHLO ${1}\r"}, {"expect": "greets you"}]},
    ),
    "a line that does not, and the end": (
        saying(b"-ERR\r\n"),
        {"dialogue": [{"send": "PING\r"}, {"expect": "^.PONG"}]},
    ),
    "a line that does not, and waits": (
        saying(b"-ERR\r\n", closes=False),
        {"timeout": "1s", "dialogue": [{"send": "PING\r"}, {"expect": "^.PONG"}]},
    ),
    "a line after others": (saying(b"a\nb\r\n+PONG\r\n"), {"dialogue": [{"send": "PING\r"}, {"expect": "^.PONG"}]}),
    "a last line without an end": (saying(b"+PONG"), {"dialogue": [{"send": "PING\r"}, {"expect": "^.PONG"}]}),
    "STARTTLS": (mail, {"tls": "later", "dialogue": ENCRYPTED}),
    "STARTTLS refused": (lambda: mail(b"454 no\r\n"), {"timeout": "1s", "dialogue": ENCRYPTED}),
    "STARTTLS of a stranger": (mail, {"dialogue": ENCRYPTED}),
}
"""By name: what serves it, fields."""
