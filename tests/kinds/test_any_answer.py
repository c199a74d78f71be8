"""Whatever a server answers: a reason that stands for it, in time, never a bug of ours."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.check import Check
from probe.model import Reason, Result
from probe.registry import Registry
from probe.runner import Runner
from tests import faults

NUMBERS = st.sampled_from([b"0", b"1", b"-1", b"5", b"1e999", b"nan", b"99999999999999999999", b"x", b"", b"\xff"])
JUNK = st.binary(max_size=8)


def pieces(*known: bytes) -> st.SearchStrategy[bytes]:
    """What a protocol is made of, in any order, with what it is not made of in between."""
    piece = st.sampled_from(known) | st.sampled_from(known) | st.sampled_from(known) | JUNK
    return st.lists(st.tuples(piece, NUMBERS | st.just(b"")).map(b"".join), max_size=12).map(b"".join)


HTTP = st.tuples(
    st.sampled_from(
        [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 503 \r\n", b"HTTP/1.1 302 Found\r\n", b""]
    ),
    pieces(
        b"Content-Length: ",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Content-Type: application/json; charset=",
        b"Content-Type: text/html\r\n",
        b"Location: http://[::1\r\n",
        b"Location: //\r\n",
        b"Location: //xn--a/\r\n",
        b"Location: /\xe9\r\n",
        b"Set-Cookie: a=b; Max-Age=x; Path=\r\n",
        b"Last-Modified: Mon, 99 Foo 99999 99:99:99\r\n",
        b"Last-Modified: 0\r\n",
        b"Retry-After: ",
        b"X-Minio-Write-Quorum: ",
        b"Server: MinIO\r\n",
        b"X-Amz-Request-Id: 1\r\n",
        b"x-amz-bucket-region: a\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"\r\n",
        b": ",
    ),
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n\r\n", b""]),
    pieces(
        b"5\r\n",
        b"0\r\n\r\n",
        b'{"status": "OK", "version": "4"}',
        b'{"data": [{"count_count": ',
        b"}]}",
        b"[" * 2000,
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"<ListBucketResult><Contents><Key>a</Key><Size>",
        b"</Size><LastModified>x</LastModified></Contents></ListBucketResult>",
        b"<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"<Error><Code>AccessDenied</Code></Error>",
        b"minio_cluster_health_drives_online_count{a=",
    ),
).map(b"".join)

REDIS = pieces(
    b"+OK\r\n",
    b"+PONG\r\n",
    b"-ERR a\r\n",
    b"-LOADING\r\n",
    b"-MOVED 1\r\n",
    b"-ASK a b c\r\n",
    b"-NOPERM\r\n",
    b":",
    b"\r\n",
    b"$",
    b"$5\r\nhello\r\n",
    b"$-1\r\n",
    b"*",
    b"*2\r\n",
    b"*-1\r\n",
    b"%1\r\n",
    b">2\r\n",
    b"_\r\n",
    b"#t\r\n",
    b"(1\r\n",
    b"=",
    b"redis_version:7.0\r\n",
    b"$40\r\nredis_version:7.0\r\nused_memory:1\r\n",
)


def message(sort: bytes, body: bytes) -> bytes:
    return sort + (len(body) + 4).to_bytes(4, "big") + body


POSTGRES = st.lists(
    st.builds(message, st.sampled_from([bytes([code]) for code in b"RSKZENTDC123ntIAGHWvsc"]), st.binary(max_size=30))
    | st.sampled_from(
        [
            message(b"R", bytes(4)),
            message(b"R", b"\0\0\0\3"),
            message(b"R", b"\0\0\0\5salt"),
            message(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0"),
            message(b"R", b"\0\0\0\x0br=a,s=b,i=1"),
            message(b"S", b"server_version\0x.y\0"),
            message(b"S", b"server_version\x0016.2\0"),
            message(b"S", b"client_encoding\0EBCDIC\0"),
            message(b"Z", b"I"),
            message(b"E", b"SFATAL\0C53300\0Mfull\0\0"),
            message(b"E", b"C\0\0"),
            message(b"T", b"\0\1a\0" + bytes(18)),
            message(b"D", b"\0\1\0\0\0\2{}"),
        ]
    )
    | JUNK,
    max_size=10,
).map(b"".join)

LINES = pieces(b"220 hello\r\n", b"a\n", b"\x00", b"\xff" * 4, b"x" * 70_000)

LOCAL = {"interval": "30s", "timeout": "10s", "name": "a"}
SPOKEN: Mapping[str, tuple[st.SearchStrategy[bytes], Any]] = {
    "http": (HTTP, lambda port: {"url": f"http://127.0.0.1:{port}/", "expect": {"json": {"a.b": "> 1"}}}),
    "langfuse": (HTTP, lambda port: {"url": f"http://127.0.0.1:{port}", "public_key": "p", "secret_key": "s"}),
    "postgres": (POSTGRES, lambda port: {"host": "127.0.0.1", "port": port, "user": "u", "password": "p"}),
    "redis": (REDIS, lambda port: {"host": "127.0.0.1", "port": port, "username": "u", "db": 1, "keys": {"k": "list"}}),
    "s3": (
        HTTP,
        lambda port: {
            "endpoint": f"http://127.0.0.1:{port}",
            "access_key": "a",
            "secret_key": "s",
            "buckets": ["b"],
            "newest": ["b/p"],
        },
    ),
    "tcp": (LINES, lambda port: {"address": f"127.0.0.1:{port}", "dialogue": [{"expect": "^no such line$"}]}),
}
"""What each kind's servers say, and a check of one on a port; a new kind without it fails the test."""


class Saying(asyncio.Protocol):
    """Says the same to whoever asks, and hangs up."""

    def __init__(self, answer: bytes, *, unasked: bool) -> None:
        self._answer = answer
        self._unasked = unasked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if self._unasked:
            self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answer)  # type: ignore[attr-defined]  # every stream transport has it
        self._transport.close()


async def results(kind: str, answer: bytes) -> list[Result]:
    """What the run and all surveys of a check find at a server that says this."""
    runner = Runner()
    async with faults.serving(lambda: Saying(answer, unasked=kind == "tcp")) as port:
        fields = SPOKEN[kind][1](port)
        model: type[Check] = Registry().find(kind)
        check = model.model_validate({**LOCAL, **fields})
        try:
            return [await runner.run(check, survey) for survey in ("", *check.active_surveys)]
        finally:
            await runner.close()


@pytest.mark.parametrize("kind", Registry().names())
def test_an_answer_never_is_a_bug(kind: str) -> None:
    examples = 20 if kind == "s3" else 100  # a client of botocore's costs 50 ms each time

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(answer=SPOKEN[kind][0])
    def never(answer: bytes) -> None:
        must_have_a_reason(asyncio.run(results(kind, answer)))

    never()


def must_have_a_reason(found: list[Result]) -> None:
    for result in found:
        assert result.reason is not Reason.INTERNAL, result.message
        assert result.reason is not Reason.TIMEOUT, "it hung up, so there was nothing to wait for"
