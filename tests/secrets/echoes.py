"""Servers that say back what they were told, in every way that their protocol has: what a leak would come through."""

import asyncio
import base64
import html
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, unquote_plus

from tests import faults

Say = Callable[[bytes], list[bytes]]
"""What is answered, in pieces, to what came."""

NEXT = "/next?"
"""Where redirects lead: to a page that says everything back once more."""


class Echo(asyncio.Protocol):
    """Answers once to each whole request, then closes a moment later, unless there is more to a dialogue."""

    def __init__(self, say: Say, *, closes: bool = True) -> None:
        self._say = say
        self._closes = closes
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        pieces = self._say(self._came)
        if not pieces:
            return
        self._came = b""
        loop = asyncio.get_running_loop()
        for number, piece in enumerate(pieces):
            loop.call_later(0.03 * number, self._write, piece)
        if self._closes:
            loop.call_later(0.03 * len(pieces) + 0.05, self._transport.close)

    def _write(self, piece: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(piece)  # type: ignore[attr-defined]  # every stream transport has it


@asynccontextmanager
async def echoing(say: Say, *, closes: bool = True) -> AsyncIterator[int]:
    """The port of a server that answers so."""
    async with faults.serving(lambda: Echo(say, closes=closes)) as port:
        yield port


def understood(request: bytes) -> str:
    """All that a server learns from a request, in clear: its path decoded, logins decoded, headers, body."""
    text = request.decode(errors="replace")
    logins = [
        base64.b64decode(found + "==").decode(errors="replace") for found in re.findall(r"Basic ([\w+/-]+)", text)
    ]
    headers = re.findall(r"^(?:Authorization|Cookie|x_key|X-Amz-Security-Token): (.+)\r$", text, re.MULTILINE)
    path = unquote_plus(text.partition("\r\n")[0])
    return " ".join([*logins, *headers, path, text.partition("\r\n\r\n")[2]])


def _http(answer: Callable[[bytes], bytes | list[bytes]]) -> Say:
    def say(came: bytes) -> list[bytes]:
        head, end, _ = came.partition(b"\r\n\r\n")
        if not end:
            return []
        if NEXT.encode() in head.partition(b"\r\n")[0]:
            return [_page(500, understood(came))]
        told = answer(came)
        return told if isinstance(told, list) else [_bodiless(told, came)]

    return say


def _page(status: int, text: str, *headers: str, reason: str = "Echo") -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *headers, f"Content-Length: {len(text.encode())}", "Connection: close"]
    return "\r\n".join([*lines, "", text]).encode()


def _bodiless(answer: bytes, came: bytes) -> bytes:
    """What is left of an answer to a HEAD."""
    return answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if came.startswith(b"HEAD") else answer


def _html(came: bytes) -> bytes:
    return _page(401, f"<p>You sent {html.escape(understood(came))}</p>", "Content-Type: text/html")


def _json(status: int) -> Callable[[bytes], bytes]:
    def answer(came: bytes) -> bytes:
        told = understood(came)
        body = json.dumps({"message": told, "status": told, "version": "1.0", "Code": told})
        return _page(status, body, "Content-Type: application/json")

    return answer


def _xml(status: int) -> Callable[[bytes], bytes]:
    def answer(came: bytes) -> bytes:
        told = html.escape(understood(came))
        body = f"<Error><Code>Echo</Code><Message>{told}</Message></Error>"
        return _page(status, body, "Content-Type: application/xml")

    return answer


def _after(padding: int) -> Callable[[bytes], bytes]:
    return lambda came: _page(401, "x" * padding + understood(came))


def _spaced(came: bytes) -> bytes:
    return _page(500, " " * 1500 + understood(came) + understood(came) * 20)


def _redirect(where: str) -> Callable[[bytes], bytes]:
    return lambda came: _page(302, "", f"Location: {where}{quote(understood(came), safe='!:/')}")


def _version(came: bytes) -> bytes:
    return _page(200, json.dumps({"status": "OK", "version": understood(came)}))


LANGFUSE = _page(200, '{"status": "OK", "version": "4.0.0"}')
"""Its web server is well; its worker says back."""

MINIO = _page(200, "", "Server: MinIO", "X-Minio-Write-Quorum: 1")
"""Its health is good; its metrics and its S3 say back."""

HTTP: Mapping[str, Say] = {
    "html": _http(_html),
    "text": _http(lambda came: _page(401, came.decode(errors="replace"))),
    "json-200": _http(_json(200)),
    "json-401": _http(_json(401)),
    "json-503": _http(_json(503)),
    "xml-200": _http(_xml(200)),
    "xml-403": _http(_xml(403)),
    "xml-500": _http(_xml(500)),
    "cut-here": _http(_after(185)),
    "cut-later": _http(_after(160)),
    "spaced": _http(_spaced),
    "reason": _http(lambda came: _page(407, "", reason=understood(came))),
    "header": _http(lambda came: _page(200, "{}", f"X-Echo: {understood(came)}")),
    "bad-header": _http(lambda came: f"HTTP/1.1 200 OK\r\n{understood(came)}\r\n\r\n".encode()),
    "bad-length": _http(lambda came: f"HTTP/1.1 200 OK\r\nContent-Length: {understood(came)}\r\n\r\n".encode()),
    "redirect": _http(_redirect(NEXT + "token=")),
    "redirect-away": _http(_redirect("ftp://example/")),
    "version": _http(_version),
    "worker": _http(lambda came: LANGFUSE if b"/api/public/" in came else _html(came)),
    "minio": _http(lambda came: MINIO if b" /minio/health/" in came else _page(500, came.decode(errors="replace"))),
    "bytes": _http(lambda came: came),
    "login": _http(lambda came: understood(came).encode()),
    "login-in-pieces": _http(lambda came: [understood(came).encode()[:37], understood(came).encode()[37:]]),
}


def _commands(came: bytes) -> list[list[str]]:
    text = came.decode(errors="replace")
    return [re.findall(r"\$\d+\r\n(.*?)\r\n", part) for part in re.split(r"(?m)^\*\d+\r\n", text)[1:]]


def _resp(answer: Callable[[list[str]], bytes]) -> Say:
    return lambda came: [b"".join(answer(command) for command in _commands(came))]


def _informed(info: str) -> Say:
    """Lets everybody in; its INFO knows the login."""

    def say(came: bytes) -> list[bytes]:
        commands = _commands(came)
        told = info.format(commands[0][-1]).encode()
        simple = {"PING": b"+PONG\r\n", "INFO": b"$%d\r\n%s\r\n" % (len(told), told)}
        return [b"".join(simple.get(command[0], b"+OK\r\n") for command in commands)]

    return say


def _bulk(command: list[str]) -> bytes:
    told = " ".join(command).encode()
    return b"$%d\r\n%s\r\n" % (len(told), told)


REDIS: Mapping[str, Say] = {
    "refusal": _resp(lambda command: f"-WRONGPASS not {' '.join(command)}\r\n".encode()),
    "unknown": _resp(lambda command: f"-ERR unknown command, with args beginning with: {command}\r\n".encode()),
    "status": _resp(lambda command: f"+{' '.join(command)}\r\n".encode()),
    "number": _resp(lambda command: f":{' '.join(command)}\r\n".encode()),
    "far": _resp(lambda command: f"+{'x' * 75}{' '.join(command)}\r\n".encode()),
    "bulk": _resp(_bulk),
    "info": _informed("redis_version:7.0\r\nused_memory:{}\r\n"),
    "version": _informed("redis_version:{}\r\n"),
    "array": lambda came: [came],
    "bytes": lambda came: [came.replace(b"*", b"")],
    "in-pieces": lambda came: [came.replace(b"*", b"")[:40], came.replace(b"*", b"")[40:]],
    "long-line": lambda came: [came.replace(b"\r\n", b" ") + b"x" * 70_000],
}


def _message(sort: bytes, body: bytes) -> bytes:
    return sort + (len(body) + 4).to_bytes(4, "big") + body


def _error(text: str, sqlstate: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": text, "D": text, "H": text}
    return _message(b"E", b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0")


def _denied(came: bytes) -> bytes:
    return _error(came.replace(b"\0", b" ").decode(errors="replace"), "28000")


SSL_REQUEST = bytes.fromhex("04d2162f")
CLEARTEXT = _message(b"R", (3).to_bytes(4, "big"))
WELCOME = b"".join(
    [
        _message(b"R", (0).to_bytes(4, "big")),
        _message(b"S", b"server_version\0" + b"16.0\0"),
        _message(b"S", b"client_encoding\0UTF8\0"),
        _message(b"Z", b"I"),
    ]
)


def _postgres(answer: Callable[[str], bytes], *, logs_in: bool = False) -> Say:
    """Asks for a password in clear, then answers; or lets everybody in and answers the first question."""

    def say(came: bytes) -> list[bytes]:
        if came[4:8] == SSL_REQUEST:
            return [b"N"]
        if came[:1] == b"\0":  # StartupMessage
            return [WELCOME if logs_in else CLEARTEXT]
        return [answer(came.replace(b"\0", b" ").decode(errors="replace"))]

    return say


POSTGRES: Mapping[str, Say] = {
    "refusal": _postgres(lambda told: _error(f"wrong password: {told}", "28P01")),
    "unwell": _postgres(lambda told: _error(f"no: {told}", "53300")),
    "notice": _postgres(lambda told: _message(b"N", f"M{told}\0\0".encode())),
    "nonsense": _postgres(lambda told: _message(b"R", (77).to_bytes(4, "big") + told.encode())),
    "bytes": _postgres(str.encode),
    "startup": lambda came: [b"N"] if came[4:8] == SSL_REQUEST else [_denied(came)],
    "query": _postgres(lambda told: _error(f"syntax error at {told}", "42601"), logs_in=True),
}

LINES: Mapping[str, Say] = {
    "line": lambda came: [came],
    "far": lambda came: [b"x" * 185 + came],
    "no-text": lambda came: [b"\1" + came],
    "no-text-far": lambda came: [b"\1" + b"x" * 20 + came],
}
"""For dialogues of lines."""
