"""One HTTP exchange, connected anew, each phase timed as a step: resolve, connect, tls, processing, transfer."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError, WSMessageTypeError

from probe.check import Failures, Run
from probe.exchange.answer import Answer
from probe.exchange.hop import Hops
from probe.exchange.names import Family
from probe.exchange.request import Request, request
from probe.exchange.tls import Tls
from probe.exchange.trace import Trace
from probe.model import Reason

MAX_BODY = 10 * 1024 * 1024
"""Bytes of a body, unpacked, that are read before an answer counts as garbage."""


def of_status(error: aiohttp.ClientResponseError) -> Reason:
    """What a status that a driver raised stands for; 0 and 400 are aiohttp's own, for what it could not read."""
    if error.status in (401, 403, 407):
        return Reason.AUTH
    return Reason.PROTOCOL if error.status in (0, 400) else Reason.UNHEALTHY


FAILURES: Failures = {
    aiohttp.ClientError: Reason.PROTOCOL,
    aiohttp.ClientConnectionError: Reason.CONNECT,
    aiohttp.ClientConnectionResetError: Reason.CONNECT,
    aiohttp.ClientOSError: Reason.CONNECT,
    aiohttp.ClientConnectorError: Reason.CONNECT,
    aiohttp.ClientProxyConnectionError: Reason.CONNECT,
    UnixClientConnectorError: Reason.CONNECT,
    aiohttp.ServerConnectionError: Reason.CONNECT,
    aiohttp.ServerDisconnectedError: Reason.CONNECT,
    aiohttp.ClientConnectorDNSError: Reason.DNS,
    aiohttp.ClientSSLError: Reason.TLS,
    aiohttp.ClientConnectorSSLError: Reason.TLS,
    aiohttp.ClientConnectorCertificateError: Reason.TLS,
    aiohttp.ServerFingerprintMismatch: Reason.TLS,
    aiohttp.ServerTimeoutError: Reason.TIMEOUT,
    aiohttp.ConnectionTimeoutError: Reason.TIMEOUT,
    aiohttp.SocketTimeoutError: Reason.TIMEOUT,
    aiohttp.ClientResponseError: of_status,
    aiohttp.ClientHttpProxyError: of_status,
    aiohttp.WSServerHandshakeError: of_status,
    aiohttp.ContentTypeError: Reason.PROTOCOL,
    aiohttp.ClientPayloadError: Reason.PROTOCOL,
    aiohttp.TooManyRedirects: Reason.UNHEALTHY,
    aiohttp.InvalidURL: Reason.PROTOCOL,
    aiohttp.InvalidUrlClientError: Reason.PROTOCOL,
    aiohttp.InvalidUrlRedirectClientError: Reason.PROTOCOL,
    aiohttp.NonHttpUrlClientError: Reason.PROTOCOL,
    aiohttp.NonHttpUrlRedirectClientError: Reason.PROTOCOL,
    aiohttp.RedirectClientError: Reason.PROTOCOL,
    aiohttp.EofStream: Reason.PROTOCOL,
    aiohttp.WebSocketError: Reason.PROTOCOL,
    WSMessageTypeError: Reason.PROTOCOL,
}
"""aiohttp's exceptions. `fetch` turns them into failures with words of its own; drivers on aiohttp may raise them."""


async def fetch(
    run: Run,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    tls: Tls | None = None,
    family: Family = "any",
    proxy: str | None = None,
    redirects: bool = False,
    max_body: int = MAX_BODY,
    trace: Trace | None = None,
) -> Answer:
    """Ask once and read the whole answer, whatever its status. Arguments, and what it raises, as of `ask`."""
    asked = request(url, method=method, headers=headers, body=body, tls=tls, family=family, proxy=proxy)
    return await ask(run, asked, redirects=redirects, max_body=max_body, trace=trace)


async def ask(
    run: Run, asked: Request, *, redirects: bool = False, max_body: int = MAX_BODY, trace: Trace | None = None
) -> Answer:
    """The same for a request that was made beforehand. `trace` keeps what was measured, also of a failure.

    Raises Unresolved, Unreachable, Untrusted, Garbled, Denied (a proxy's login), Unhealthy (too many redirects).
    """
    return await Hops(run, trace or Trace(), max_body).follow(asked, redirects=redirects)


async def get_text(run: Run, url: str, **options: Any) -> str:
    """The body of a 2xx answer as text; options as of `fetch`. Raises what `fetch` does, Denied, Unhealthy."""
    return successful(await fetch(run, url, **options)).text


async def get_json(run: Run, url: str, **options: Any) -> Any:
    """The body of a 2xx answer read as JSON; options as of `fetch`. Raises what `get_text` does."""
    return successful(await fetch(run, url, **options)).json()


def successful(answer: Answer) -> Answer:
    """The answer, if its status is 2xx. Raises Denied, Unhealthy, saying what came instead."""
    if not 200 <= answer.status < 300:
        raise answer.refusal("2xx")
    return answer
