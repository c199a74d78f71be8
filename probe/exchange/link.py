"""What was measured while a connection was made, kept also when it failed half-way."""

import ssl
from dataclasses import dataclass
from typing import NamedTuple

from probe.exchange.certificates import Certificate, presented, verified
from probe.exchange.names import Address


class Encryption(NamedTuple):
    """What a good TLS handshake settled on. `version` as in `TLSv1.3`, `cipher` by its OpenSSL name."""

    presented: tuple[Certificate, ...]
    verified: tuple[Certificate, ...]
    version: str
    cipher: str


@dataclass(slots=True)
class Link:
    """One connection: seconds of each step that was begun (None: was not), where it went, how it is encrypted."""

    resolve: float | None = None
    connect: float | None = None
    tls: float | None = None
    address: Address | None = None
    """The one it is connected to, or the first to be tried."""
    encryption: Encryption | None = None
    distrusted: tuple[Certificate, ...] = ()
    """The chain that did not verify, as far as it could be read."""


def encryption(tls: ssl.SSLObject) -> Encryption:
    """What an established connection is protected by."""
    cipher = tls.cipher()
    return Encryption(presented(tls), verified(tls), tls.version() or "", cipher[0] if cipher else "")
