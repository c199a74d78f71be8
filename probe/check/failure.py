"""What a kind may raise, and the reason each stands for.

    Failure               never raised itself
    ├── Unresolved        dns         no address
    ├── Unreachable       connect     not one byte of an answer
    ├── Untrusted         tls         the handshake failed
    ├── Overdue           timeout     the deadline passed, said by the kind itself
    ├── Denied            auth        login or permission
    ├── Garbled           protocol    not the protocol, cut off, too large, another service
    └── Unhealthy         unhealthy   a proper answer that says no

A kind's `failures` adds its driver's exceptions to these. Python's own network errors are known already.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from probe.model import Reason


class Failure(Exception):
    """Base of what a kind raises on purpose. The text is for people: in their words, with the value that came."""


class Unresolved(Failure):
    """A name has no address, or nobody said one in time."""


class Unreachable(Failure):
    """Not one byte of an answer came."""


class Untrusted(Failure):
    """The TLS handshake failed."""


class Overdue(Failure):
    """An answer came too late."""


class Denied(Failure):
    """The login or a permission was refused."""


class Garbled(Failure):
    """What came is not the protocol, is cut off, too large, or comes from another service."""


class Unhealthy(Failure):
    """A proper answer that says no, or an expectation that failed."""


class Unfinished(Exception):
    """No failure: a survey did its share and goes on next time from its memory. Its numbers so far are not shown."""


Failures = Mapping[type[BaseException], Reason | Callable[[Any], Reason]]
"""Exception classes to their reason, or to a function that tells it from the exception (an SQLSTATE, a status)."""

KNOWN: Failures = {
    Unresolved: Reason.DNS,
    Unreachable: Reason.CONNECT,
    Untrusted: Reason.TLS,
    Overdue: Reason.TIMEOUT,
    Denied: Reason.AUTH,
    Garbled: Reason.PROTOCOL,
    Unhealthy: Reason.UNHEALTHY,
    socket.gaierror: Reason.DNS,
    ssl.SSLError: Reason.TLS,
    TimeoutError: Reason.TIMEOUT,
    OSError: Reason.CONNECT,
    EOFError: Reason.PROTOCOL,
    UnicodeError: Reason.PROTOCOL,
}
"""What every kind understands without saying so. UnicodeError: bytes of a server that are no text."""


def reason_of(error: BaseException, failures: Failures) -> Reason:
    """The reason that the most specific known class of `error` stands for; `internal` for what nobody declared.

    A kind's own mapping decides before the common one, for the same class and for its bases.
    """
    for known in (failures, KNOWN):
        for parent in type(error).__mro__:
            if parent in known:
                told = known[parent]
                return told if isinstance(told, Reason) else Reason(told(error))
    return Reason.INTERNAL
