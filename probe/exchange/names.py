"""Host names to addresses, so that a dead DNS server delays nobody but those who asked for that name.

asyncio's and libuv's own look-ups share a pool of four to six threads: a few hung ones stall every check. Here each
name in flight has a daemon thread of its own, which all who ask for that name at that time share.
"""

import asyncio
import socket
import threading
from functools import lru_cache
from typing import Literal, NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult

from probe.check import Run, Unresolved

Family = Literal["any", "ip4", "ip6"]
"""Which addresses of a name are wanted; `any` in the order that the system prefers (RFC 6724)."""

_FAMILIES: dict[Family, socket.AddressFamily] = {
    "any": socket.AF_UNSPEC,
    "ip4": socket.AF_INET,
    "ip6": socket.AF_INET6,
}


class Address(NamedTuple):
    """Where to connect to. `host` is an IP address as text, `family` the AF_… it belongs to."""

    family: int
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def resolve(run: Run, host: str, port: int, family: Family = "any") -> tuple[Address, ...]:
    """The addresses of a name, at least one, timed as the step `resolve`. Raises Unresolved."""
    with run.step("resolve"):
        return await look_up(host, port, family)


async def look_up(host: str, port: int, family: Family = "any") -> tuple[Address, ...]:
    """The addresses of a name, at least one. Raises Unresolved."""
    literal = _literal(host)
    if literal is None:
        found = await _shared_look_up(host, _FAMILIES[family])
    elif family != "any" and literal[0] != _FAMILIES[family]:
        raise Unresolved(f"{host} is no IPv{family[-1]} address")
    else:
        found = (literal,)
    return tuple([Address(af, address, port) for af, address in found])


class Resolver(AbstractResolver):
    """The same look-ups for a driver that brings aiohttp's own connector."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """As aiohttp asks it; raises OSError, which aiohttp takes for a DNS error."""
        wanted: Family = next((name for name, af in _FAMILIES.items() if af == family), "any")
        try:
            addresses = await look_up(host, port, wanted)
        except Unresolved as error:
            raise OSError(None, str(error)) from error
        return [
            ResolveResult(
                hostname=host,
                host=address.host,
                port=address.port,
                family=address.family,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is kept."""


_Found = tuple[tuple[int, str], ...]
_Outcome = _Found | Unresolved


class _LookUp:
    """One name that a thread is looking up, and who waits for it. Guarded by `_lock`."""

    def __init__(self, host: str, family: int) -> None:
        self.host = host
        self.family = family
        self.waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[_Outcome]]] = []

    def work(self) -> None:
        outcome = _ask_system(self.host, self.family)
        with _lock:
            del _in_flight[self.host, self.family]
        for loop, future in self.waiting:
            try:
                loop.call_soon_threadsafe(_settle, future, outcome)
            except RuntimeError:  # that loop was closed meanwhile; nobody waits there any more
                continue


_lock = threading.Lock()
_in_flight: dict[tuple[str, int], _LookUp] = {}


async def _shared_look_up(host: str, family: int) -> _Found:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Outcome] = loop.create_future()
    with _lock:
        look_up = _in_flight.get((host, family))
        if look_up is None:
            look_up = _LookUp(host, family)
            threading.Thread(target=look_up.work, name=f"probe:resolve {host}", daemon=True).start()
            _in_flight[host, family] = look_up  # its thread waits for the lock before it looks here
        look_up.waiting.append((loop, future))
    outcome = await future
    if isinstance(outcome, Unresolved):
        raise Unresolved(*outcome.args)  # an exception of one's own: those who share this one would share its traceback
    return outcome


def _settle(future: "asyncio.Future[_Outcome]", outcome: _Outcome) -> None:
    if not future.done():
        future.set_result(outcome)


def _ask_system(host: str, family: int) -> _Outcome:
    try:
        answers = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return Unresolved(f"{host} does not resolve: {(error.strerror or str(error)).lower()}")
    except (OSError, ValueError) as error:  # ValueError: what is no name at all (an empty label, one over 63 bytes)
        return Unresolved(f"{host!r} does not resolve: {error}")
    return tuple(dict.fromkeys((int(af), _with_scope(sockaddr)) for af, _, _, _, sockaddr in answers))


def _with_scope(sockaddr: tuple[object, ...]) -> str:
    host = str(sockaddr[0])
    scope = sockaddr[3] if len(sockaddr) == 4 else 0
    return f"{host}%{scope}" if scope and "%" not in host else host


@lru_cache(maxsize=4096)
def _literal(host: str) -> tuple[int, str] | None:
    """Family and address of a host that is one already; None for a name."""
    bare = host.removeprefix("[").removesuffix("]")
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, bare)
        except (OSError, ValueError):
            continue
        return int(family), bare
    return None
