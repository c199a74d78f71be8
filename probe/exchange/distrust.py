"""The TLS handshake, and what to say when it fails: which certificate, for whom, by whom, until when."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from probe.check import Failure, Run, Unreachable, Untrusted
from probe.exchange.certificates import Certificate, presented
from probe.exchange.link import Link, encryption
from probe.exchange.tls import Tls

Proto = TypeVar("Proto", bound=asyncio.BaseProtocol)
Reconnect = Callable[[], Awaitable[socket.socket]]
"""Connects once more to the same server, to read the chain that did not verify."""


_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
"""OpenSSL's words for bytes that are no TLS record."""

# X509_V_ERR_… of openssl/x509_vfy.h
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_UNKNOWN_ISSUER = (2, 19, 20, 21)
_OTHER_NAME = (62, 64)


async def handshake(
    run: Run,
    sock: socket.socket,
    protocol: Callable[[], Proto],
    tls: Tls,
    host: str,
    *,
    link: Link,
    reconnect: Reconnect,
) -> tuple[asyncio.Transport, Proto]:
    """Encrypt a connected socket, timed as the step `tls` and noted on the link.

    Raises Untrusted, or Unreachable when the server just hung up.
    """
    began = time.monotonic()
    with run.step("tls"):
        try:
            transport, made = await _encrypt(sock, protocol, tls, host)
        except OSError as error:  # ssl.SSLError is one
            if isinstance(error, ssl.SSLCertVerificationError):
                link.distrusted = await _read_chain(run, tls, host, reconnect)
            raise explained(error, link.distrusted, tls.name_for(host), run.now) from error
    link.tls = time.monotonic() - began
    link.encryption = encryption(transport.get_extra_info("ssl_object"))
    return transport, made


def explained(error: OSError, chain: tuple[Certificate, ...], name: str, now: float) -> Untrusted | Unreachable:
    """What a failed handshake means, in words; `chain` is what the server showed, as far as it could be read."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Untrusted(_about_certificates(error, chain, name, now))
    if isinstance(error, ssl.SSLZeroReturnError | ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
        return Unreachable("the server closed the connection during the TLS handshake")
    return Untrusted(told(error))


def told(error: ssl.SSLError) -> str:
    """OpenSSL's error as a sentence."""
    reason = error.reason or str(error)
    if reason in _PLAIN:
        return "no TLS there: the server answered in plain text"
    alert = reason.partition("_ALERT_")[2]
    if alert:
        return f"the server refused the TLS connection: {alert.replace('_', ' ').lower()}"
    return f"the TLS handshake failed: {reason.replace('_', ' ').lower()}"


async def _encrypt(
    sock: socket.socket, protocol: Callable[[], Proto], tls: Tls, host: str
) -> tuple[asyncio.Transport, Proto]:
    loop = asyncio.get_running_loop()
    try:
        context, name = tls.shared_context(), tls.name_for(host)
        return await loop.create_connection(protocol, sock=sock, ssl=context, server_hostname=name)
    except BaseException:
        sock.close()
        raise


async def _read_chain(run: Run, tls: Tls, host: str, reconnect: Reconnect) -> tuple[Certificate, ...]:
    """The chain of a second, unverified connection; empty when that fails too, or takes half of the time left."""
    with suppress(OSError, Failure):
        async with asyncio.timeout(run.remaining / 2):
            sock = await reconnect()
            transport, _ = await _encrypt(sock, asyncio.Protocol, tls.unverified(), host)
            try:
                return presented(transport.get_extra_info("ssl_object"))
            finally:
                transport.abort()
    return ()


def _about_certificates(
    error: ssl.SSLCertVerificationError, chain: tuple[Certificate, ...], name: str, now: float
) -> str:
    code = error.verify_code
    if chain and code in _OTHER_NAME:
        return f"certificate is for {', '.join(chain[0].names) or chain[0].subject}, not for {name}"
    if code == _EXPIRED and (expired := _first(chain, lambda each: each.not_after < now)):
        return f"certificate expired on {_day(expired.not_after)} ({expired.subject})"
    if code == _NOT_YET_VALID and (early := _first(chain, lambda each: each.not_before > now)):
        return f"certificate is not valid before {_day(early.not_before)} ({early.subject})"
    if chain and code == _SELF_SIGNED:
        return f"certificate is signed by itself, not by a known CA ({chain[0].subject})"
    if chain and code in _UNKNOWN_ISSUER:
        return f"certificate is signed by an unknown CA (issuer {chain[-1].issuer})"
    return f"certificate does not verify: {error.verify_message.rstrip('.')}"


def _first(chain: tuple[Certificate, ...], fits: Callable[[Certificate], bool]) -> Certificate | None:
    return next((certificate for certificate in chain if fits(certificate)), None)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
