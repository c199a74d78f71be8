"""botocore's requests over probe's own HTTP exchange: its steps, its look-ups, its TLS, its limits and its words.

aiobotocore's transport would keep connections (so that DNS, TCP and TLS go untested), resolve names in asyncio's small
pool, read bodies of any size, and say "Could not connect to the endpoint URL" for most of what can go wrong.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aiobotocore.awsrequest import AioAWSResponse
from yarl import URL

from probe.check import Garbled, Run
from probe.exchange.answer import excerpt
from probe.exchange.http import fetch
from probe.exchange.tls import Tls
from probe.kinds.s3.failures import is_page

REDIRECTS = (301, 302, 303, 307, 308)

_current: ContextVar[Run] = ContextVar("run")
"""The run whose request it is: a run and its surveys share one client."""


@contextmanager
def carrying(run: Run) -> Iterator[None]:
    """What botocore asks in here, and in asyncio tasks made in here, is a part of this run."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)


class Wire:
    """What aiobotocore takes as its `http_session_cls`, once it knows `tls`; nothing else of it is asked for."""

    def __init__(self, *, tls: Tls | None, **_: object) -> None:
        self._tls = tls

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *_: object) -> None:
        """No connection outlives its request."""

    async def send(self, request: Any) -> AioAWSResponse:
        """The answer to a prepared request (botocore's AWSPreparedRequest). Raises what `fetch` does, and Garbled."""
        answer = await fetch(
            _current.get(),
            request.url,
            method=request.method,
            headers={name: _text(value) for name, value in request.headers.items()},
            body=_bytes(request.body),
            tls=self._tls,
        )
        headers: Any = {name.lower(): value for name, value in answer.headers.items()}  # as aiobotocore's own transport
        if answer.status == 200 and is_page(headers):  # botocore believes any 200 to a HEAD, and makes others a 500
            raise Garbled(f"{URL(answer.url).origin()} answers with a web page; it is no S3")
        if answer.status in REDIRECTS and not _names_region(
            headers, answer.body
        ):  # botocore would ask again without end
            where = excerpt(answer.headers.get("Location", "nowhere"))
            raise Garbled(f"{URL(answer.url).origin()} sends elsewhere ({answer.status}, to {where}); it is no S3")
        return AioAWSResponse(answer.url, answer.status, headers, _Body(answer.body))


class _Body:
    """Bytes that were read before, for whoever reads them as a stream."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        return self._body


def _names_region(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a redirect is one of AWS', to the region that the bucket is in."""
    return "x-amz-bucket-region" in headers or b"<Region>" in body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: str | bytes | None) -> bytes | None:
    return body.encode() if isinstance(body, str) else body or None
