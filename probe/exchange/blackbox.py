"""The metric families of blackbox_exporter, with its names, labels and meaning, also on failure.

So existing alerts and dashboards work. A kind inherits the classes that it needs as its `metrics`; what is 0 and what
is absent when a run fails follows blackbox_exporter's prober/*.go, and the one difference is said at `emit_tls`.
"""

import ipaddress
import re
from email.utils import parsedate_to_datetime
from functools import lru_cache

from probe.check import Run
from probe.exchange.link import Link
from probe.exchange.trace import Trace
from probe.model import gauge

NEVER = -62135596800.0
"""Go's zero time in unix seconds: what blackbox_exporter shows for a chain that was not verified (`insecure`)."""


FAILED_DUE_TO_REGEX = gauge(
    "Whether what the config expects of the answer's text (a header, the body, a line) did not come.",
    name="probe_failed_due_to_regex",
)
"""The one number of blackbox_exporter that says why, for every kind that reads text."""


class NameMetrics:
    """How the name was resolved."""

    dns_lookup_time_seconds = gauge(
        "Time of the look-up of the name, in seconds.", name="probe_dns_lookup_time_seconds"
    )
    ip_protocol = gauge("IP version that was connected with: 4 or 6; 0: no address.", name="probe_ip_protocol")
    ip_addr_hash = gauge(
        "FNV-1a hash of the address that was connected to: it changes when the address does.", name="probe_ip_addr_hash"
    )


class TlsMetrics:
    """What the TLS handshake brought."""

    ssl_earliest_cert_expiry = gauge(
        "When the first of the certificates that the server showed expires, in unix seconds.",
        name="probe_ssl_earliest_cert_expiry",
        warn="< 14d",
    )
    ssl_last_chain_expiry_timestamp_seconds = gauge(
        "When the verified chain expires, in unix seconds.", name="probe_ssl_last_chain_expiry_timestamp_seconds"
    )
    ssl_last_chain_info = gauge(
        "The server's own certificate; always 1.",
        "fingerprint_sha256",
        "subject",
        "issuer",
        "subjectalternative",
        "serialnumber",
        name="probe_ssl_last_chain_info",
    )
    tls_version_info = gauge("TLS version that was agreed on; always 1.", "version", name="probe_tls_version_info")
    tls_cipher_info = gauge("Cipher that was agreed on; always 1.", "cipher", name="probe_tls_cipher_info")


class HttpMetrics(NameMetrics, TlsMetrics):
    """One HTTP exchange, its redirects included."""

    http_duration_seconds = gauge(
        "Time by phase (resolve, connect, tls, processing, transfer), summed over redirects, in seconds.",
        "phase",
        name="probe_http_duration_seconds",
    )
    http_status_code = gauge("Status of the last answer; 0: none came.", name="probe_http_status_code")
    http_redirects = gauge("Redirects that were met.", name="probe_http_redirects")
    http_ssl = gauge("Whether the last answer came over TLS.", name="probe_http_ssl")
    http_version = gauge("HTTP version of the last answer; 0: none came.", name="probe_http_version")
    http_content_length = gauge(
        "Length of the body by its Content-Length, in bytes; -1: the header does not say.",
        name="probe_http_content_length",
    )
    http_uncompressed_body_length = gauge(
        "Length of the body as it was read and unpacked, in bytes.", name="probe_http_uncompressed_body_length"
    )
    http_last_modified_timestamp_seconds = gauge(
        "The Last-Modified header, in unix seconds.", name="probe_http_last_modified_timestamp_seconds"
    )
    failed_due_to_regex = FAILED_DUE_TO_REGEX


def emit_names(run: Run, link: Link) -> None:
    """Report how a name was resolved, successful or not; nothing when it was never asked for."""
    if link.resolve is None:
        return
    address = link.address
    run.emit(NameMetrics.dns_lookup_time_seconds, link.resolve)
    run.emit(NameMetrics.ip_protocol, (6 if ":" in address.host else 4) if address else 0)
    run.emit(NameMetrics.ip_addr_hash, _ip_hash(address.host) if address else 0)


def emit_tls(run: Run, link: Link) -> None:
    """Report an encrypted connection.

    Of a chain that did not verify, the expiry is reported too, which blackbox_exporter leaves out: it is when it is
    needed most.
    """
    found = link.encryption
    presented = found.presented if found else link.distrusted
    if presented:
        run.emit(TlsMetrics.ssl_earliest_cert_expiry, min(each.not_after for each in presented))
    if found is None:
        return
    last = min((each.not_after for each in found.verified), default=NEVER)
    run.emit(TlsMetrics.ssl_last_chain_expiry_timestamp_seconds, last)
    run.emit(TlsMetrics.tls_version_info, 1, version=found.version.replace("TLSv", "TLS "))
    run.emit(TlsMetrics.tls_cipher_info, 1, cipher=iana_cipher(found.cipher))
    if presented:
        own = presented[0]
        run.emit(
            TlsMetrics.ssl_last_chain_info,
            1,
            fingerprint_sha256=own.fingerprint,
            subject=own.subject,
            issuer=own.issuer,
            subjectalternative=",".join(own.dns_names),
            serialnumber=own.serial,
        )


def emit_http(run: Run, trace: Trace) -> None:
    """Report an HTTP exchange, as far as it came."""
    metrics = HttpMetrics
    emit_names(run, trace.first)
    for phase, seconds in trace.phases.items():
        run.emit(metrics.http_duration_seconds, seconds, phase=phase)
    head = trace.head
    run.emit(metrics.http_status_code, head.status if head else 0)
    run.emit(metrics.http_version, float(f"{head.version[0]}.{head.version[1]}") if head else 0)
    run.emit(metrics.http_content_length, head.content_length if head else 0)
    run.emit(metrics.http_uncompressed_body_length, trace.body_length)
    run.emit(metrics.http_redirects, trace.redirects)
    run.emit(metrics.http_ssl, bool(head and trace.link.encryption))
    if head and (modified := _http_date(head.headers.get("Last-Modified", ""))) is not None:
        run.emit(metrics.http_last_modified_timestamp_seconds, modified)
    if head or trace.link.distrusted:
        emit_tls(run, trace.link)


@lru_cache(maxsize=256)
def iana_cipher(name: str) -> str:
    """OpenSSL's name of a cipher suite as the standard (and Go) writes it."""
    found = re.fullmatch(r"(?:(?P<exchange>(?:EC)?DHE?-[A-Z]+)-)?(?P<cipher>.+?)(?:-(?P<hash>SHA\d*))?", name)
    if name.startswith("TLS_") or found is None:
        return name
    cipher = re.sub(r"(AES|CAMELLIA|ARIA)(?=\d)", r"\1_", found["cipher"]).replace("-", "_")
    if cipher.endswith(("128", "256")):
        cipher += "_CBC"
    digest = found["hash"] or ("SHA256" if cipher.endswith(("POLY1305", "GCM")) else "")
    exchange = (found["exchange"] or "RSA").replace("-", "_")
    return f"TLS_{exchange}_WITH_{cipher}" + (f"_{digest}" if digest else "")


@lru_cache(maxsize=4096)
def _ip_hash(host: str) -> int:
    value = 0x811C9DC5
    for byte in ipaddress.ip_address(host.partition("%")[0]).packed:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
