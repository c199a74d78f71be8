"""The certificates that a server showed, also those that do not verify, read with the standard library alone."""

import hashlib
import re
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

_DER = 2
"""_ssl.ENCODING_DER."""

_SHORT = {
    "serialNumber": "SERIALNUMBER",
    "commonName": "CN",
    "postalCode": "POSTALCODE",
    "streetAddress": "STREET",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "organizationalUnitName": "OU",
    "organizationName": "O",
    "countryName": "C",
}
"""Names of a distinguished name's parts, in the order in which Go's pkix.Name.String writes them."""

_SPECIAL = re.compile(r'([,+"\\<>;])')


class Certificate(NamedTuple):
    """One certificate, read. `not_before`, `not_after`: unix seconds. `names`: DNS names and IP addresses."""

    subject: str
    issuer: str
    not_before: float
    not_after: float
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    serial: str
    fingerprint: str

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is valid for."""
        return self.dns_names + self.ip_addresses


def presented(tls: ssl.SSLObject) -> tuple[Certificate, ...]:
    """The chain as the server sent it, its own certificate first; empty when it sent none."""
    return _read(_chain(tls, "get_unverified_chain"))


def verified(tls: ssl.SSLObject) -> tuple[Certificate, ...]:
    """The chain that was built from it up to a trusted certificate; empty when nothing was verified."""
    return _read(_chain(tls, "get_verified_chain")) if tls.context.verify_mode == ssl.CERT_REQUIRED else ()


def distinguished_name(parts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """As Go's pkix.Name writes it (`CN=a,O=b,C=c`), from the form that ssl gives."""
    values: dict[str, list[str]] = {}
    for name, value in (pair for part in parts for pair in part):
        values.setdefault(name, []).append(_SPECIAL.sub(r"\\\1", value))
    known = [
        "+".join(f"{short}={value}" for value in values.pop(name)) for name, short in _SHORT.items() if name in values
    ]
    return ",".join([*known, *(f"{name}={value}" for name, found in values.items() for value in found)])


def _chain(tls: ssl.SSLObject, method: str) -> list[Any]:
    # SSLObject.get_unverified_chain is public only from 3.13 on, and gives bytes that ssl has no reader for.
    ask: Callable[[], list[Any] | None] = getattr(tls._sslobj, method)  # type: ignore[attr-defined]  # noqa: SLF001
    return ask() or []


def _read(chain: list[Any]) -> tuple[Certificate, ...]:
    return tuple([_certificate(certificate.public_bytes(_DER), _Told(certificate)) for certificate in chain])


class _Told:
    """The certificate as OpenSSL tells it; equal to every other, so that the bytes alone are a cache's key."""

    def __init__(self, certificate: Any) -> None:
        self.info: Callable[[], Mapping[str, Any]] = certificate.get_info

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4096)
def _certificate(der: bytes, told: _Told) -> Certificate:
    info = told.info()
    alternatives = info.get("subjectAltName", ())
    return Certificate(
        subject=distinguished_name(info["subject"]),
        issuer=distinguished_name(info["issuer"]),
        not_before=float(ssl.cert_time_to_seconds(info["notBefore"])),
        not_after=float(ssl.cert_time_to_seconds(info["notAfter"])),
        dns_names=tuple([value for kind, value in alternatives if kind == "DNS"]),
        ip_addresses=tuple([value for kind, value in alternatives if kind == "IP Address"]),
        serial=info["serialNumber"].lower(),
        fingerprint=hashlib.sha256(der).hexdigest(),
    )
