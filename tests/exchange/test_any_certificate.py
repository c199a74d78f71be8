"""Whatever a server's certificate holds: it is read, and what is wrong with it is said on one line."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.exchange.certificates import Certificate, _certificate, _Told
from probe.exchange.distrust import explained

KEY = ec.generate_private_key(ec.SECP256R1())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.text("\n\r\0,+=\\", min_size=1)
PARTS = st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.SURNAME])
NAMES = st.lists(st.builds(x509.NameAttribute, PARTS, TEXTS), max_size=4).map(x509.Name)
ASCII = st.text(st.characters(codec="ascii"), max_size=10)
OTHERS = st.lists(
    st.builds(x509.DNSName, ASCII)
    | st.just(x509.RFC822Name("a@b.example"))
    | st.builds(x509.UniformResourceIdentifier, ASCII)
    | st.builds(x509.DirectoryName, NAMES)
    | st.builds(x509.IPAddress, st.builds(IPv4Address, st.integers(0, 2**32 - 1)))
    | st.builds(x509.IPAddress, st.builds(IPv6Address, st.integers(0, 2**128 - 1)))
    | st.just(x509.RegisteredID(ObjectIdentifier("1.2.3.4")))
    | st.just(x509.OtherName(ObjectIdentifier("1.2.3.4"), b"\x05\x00")),
    max_size=5,
)
DATES = st.datetimes(datetime(1950, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001  # as hypothesis wants them


def issued(subject: x509.Name, issuer: x509.Name, began: datetime, others: list[Any], serial: int) -> x509.Certificate:
    made = x509.CertificateBuilder(issuer, subject, KEY.public_key(), serial)
    made = made.not_valid_before(began).not_valid_after(began + timedelta(days=1))
    if others:
        made = made.add_extension(x509.SubjectAlternativeName(others), critical=False)
    return made.sign(KEY, hashes.SHA256())


def read(made: x509.Certificate, file: Path) -> Certificate:
    """As OpenSSL tells it to ssl, which reads files only."""
    file.write_bytes(made.public_bytes(Encoding.PEM))

    class Shown:
        def get_info(self) -> Mapping[str, Any]:
            told: Mapping[str, Any] = ssl._ssl._test_decode_cert(str(file))  # type: ignore[attr-defined]
            return told

    return _certificate(made.public_bytes(Encoding.DER), _Told(Shown()))


MADE = st.builds(issued, NAMES, NAMES, DATES, OTHERS, st.integers(1, 2**159 - 1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(made=MADE, code=st.sampled_from([2, 9, 10, 18, 20, 62, 64, 1]))
def test_is_read(made: x509.Certificate, code: int, tmp_path: Path) -> None:
    certificate = read(made, tmp_path / "certificate.pem")
    assert certificate.not_after - certificate.not_before == timedelta(days=1).total_seconds()
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "why."
    for now in (0.0, datetime.now(UTC).timestamp(), 1e12):
        assert str(explained(error, (certificate,), "db.example", now)).startswith("certificate ")
