"""The faults that any server can have, and what each means whatever the protocol is."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import trustme

from probe.model import Reason
from tests import faults
from tests.fault_table import relay
from tests.fault_table.door import door
from tests.fault_table.rows import Rows, Trust

FIRST_WORD = 3
"""Bytes that are in the middle of any protocol's first answer."""

ALERT = bytes.fromhex("15 0301 0002 02 46")
"""A TLS record: fatal, protocol version."""


class Place(NamedTuple):
    """Where to point a check, and how it is to encrypt."""

    port: int
    tls: Trust = None
    host: str = faults.LOOPBACK


Happens = Callable[[Rows, int], AbstractAsyncContextManager[Place]]
"""Makes the fault, for a kind's rows and with a healthy server of that kind on a port."""


class Fault(NamedTuple):
    """`reason`: what it means to every kind that does not say otherwise. `words`: what its message then says."""

    happens: Happens
    reason: Reason
    words: str = ""


def _of(make: Callable[[], AbstractAsyncContextManager[int]]) -> Happens:
    @asynccontextmanager
    async def happens(rows: Rows, port: int) -> AsyncIterator[Place]:
        async with make() as broken:
            yield Place(broken)

    return happens


def _spoilt(spoil: relay.Spoil) -> Happens:
    @asynccontextmanager
    async def happens(rows: Rows, port: int) -> AsyncIterator[Place]:
        async with relay.relayed(port, spoil) as broken:
            yield Place(broken)

    return happens


@asynccontextmanager
async def _named(rows: Rows, port: int) -> AsyncIterator[Place]:
    yield Place(port, host="nosuch.invalid")


@asynccontextmanager
async def _healthy(rows: Rows, port: int) -> AsyncIterator[Place]:
    yield Place(port)


@asynccontextmanager
async def _endless(rows: Rows, port: int) -> AsyncIterator[Place]:
    async with relay.endless(rows.endless[:-1], rows.endless[-1]) as broken:
        yield Place(broken)


@asynccontextmanager
async def _endless_line(rows: Rows, port: int) -> AsyncIterator[Place]:
    async with relay.endless((), b"x" * 1024) as broken:
        yield Place(broken)


@asynccontextmanager
async def _pem(authority: trustme.CA) -> AsyncIterator[Trust]:
    with TemporaryDirectory() as folder:
        ca = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca))
        yield {"ca": str(ca)}


def _encrypted(*names: str, ended: datetime | None = None, known: bool = True, wants_client: bool = False) -> Happens:
    """A TLS server; what a client does not like about it is in its certificate, or it wants one of the client."""

    @asynccontextmanager
    async def happens(rows: Rows, port: int) -> AsyncIterator[Place]:
        began = datetime(2020, 1, 1, tzinfo=UTC) if ended else None
        context = faults.server_context(*names, not_before=began, not_after=ended)
        if wants_client:
            faults.authority().configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        ca = faults.authority() if known else trustme.CA(organization_name="Another CA")
        async with _pem(ca) as trust, door(context, rows.before_tls) as broken:
            yield Place(broken, trust)

    return happens


def _where_tls_is_due(happens: Happens) -> Happens:
    @asynccontextmanager
    async def encrypting(rows: Rows, port: int) -> AsyncIterator[Place]:
        async with happens(rows, port) as place, _pem(faults.authority()) as trust:
            yield place._replace(tls=trust)

    return encrypting


@asynccontextmanager
async def _tls_where_plain_is_due(rows: Rows, port: int) -> AsyncIterator[Place]:
    async with door(faults.server_context()) as broken:
        yield Place(broken)


FAULTS: dict[str, Fault] = {
    "nothing is wrong": Fault(_healthy, Reason.OK),
    "a name that does not resolve": Fault(_named, Reason.DNS, "nosuch.invalid does not resolve: "),
    "refused": Fault(_of(faults.refused), Reason.CONNECT, "connection refused by 127.0.0.1:"),
    "a SYN black hole": Fault(_of(faults.black_hole), Reason.TIMEOUT, "no answer within 1.0 s (in connect)"),
    "accepts and says nothing": Fault(_of(faults.silent), Reason.TIMEOUT),
    "closes at once": Fault(_of(faults.closing), Reason.CONNECT),
    "closes when asked": Fault(_of(lambda: faults.closing(when_asked=True)), Reason.CONNECT),
    "resets at once": Fault(_of(lambda: faults.resetting(when_asked=False)), Reason.CONNECT),
    "resets when asked": Fault(_of(faults.resetting), Reason.CONNECT),
    "closes in the middle of an answer": Fault(_spoilt(relay.cut(FIRST_WORD)), Reason.PROTOCOL),
    "resets in the middle of an answer": Fault(_spoilt(relay.cut(FIRST_WORD, reset=True)), Reason.PROTOCOL),
    "stops in the middle of an answer": Fault(_spoilt(relay.stopped(FIRST_WORD)), Reason.TIMEOUT),
    "one byte a second": Fault(_spoilt(relay.a_byte_a_second), Reason.TIMEOUT),
    "garbage": Fault(_of(faults.garbage), Reason.PROTOCOL),
    "a line without end": Fault(_endless_line, Reason.PROTOCOL),
    "an answer without end": Fault(_endless, Reason.PROTOCOL),
    "TLS expired": Fault(_encrypted(ended=datetime(2020, 2, 1, tzinfo=UTC)), Reason.TLS, "certificate expired on 2020"),
    "TLS for another host": Fault(_encrypted("a.example"), Reason.TLS, "certificate is for a.example, not for 127.0"),
    "TLS of an unknown CA": Fault(_encrypted(known=False), Reason.TLS, "certificate is signed by an unknown CA"),
    "TLS wants a client certificate": Fault(
        _encrypted(wants_client=True), Reason.TLS, "the server refused the TLS connection: certificate required"
    ),
    "plain where TLS is due": Fault(_where_tls_is_due(_healthy), Reason.TLS),
    "garbage where TLS is due": Fault(_where_tls_is_due(_of(faults.garbage)), Reason.TLS),
    "nothing said where TLS is due": Fault(
        _where_tls_is_due(_of(faults.silent)), Reason.TIMEOUT, "no answer within 1.0 s (in tls)"
    ),
    "closes where TLS is due": Fault(_where_tls_is_due(_of(faults.closing)), Reason.CONNECT),
    # OpenSSL's servers hang up on what is no TLS at all, Go's say so.
    "TLS where plain is due": Fault(_tls_where_plain_is_due, Reason.CONNECT),
    "a TLS alert where plain is due": Fault(_of(lambda: faults.answering(ALERT)), Reason.PROTOCOL),
}
"""By name. A message is looked at only where the reason is the usual one."""
