"""TLS: whom to trust, what the chain says, and why a handshake failed."""

import asyncio
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import ValidationError

from probe.check import Unreachable, Untrusted
from probe.exchange import Link, Tls, open_stream
from probe.exchange.certificates import distinguished_name
from probe.exchange.distrust import told
from tests import faults
from tests.exchange.runs import new_run, steps

HELLO = b"hello\n"


async def ask(port: int, tls: Tls, host: str = "127.0.0.1", link: Link | None = None) -> bytes:
    """What a server says over TLS."""
    reader, writer = await open_stream(new_run(), host, port, tls=tls, link=link)
    try:
        writer.write(b"?")
        return await reader.read()
    finally:
        writer.transport.abort()


async def test_the_whole_chain_is_read() -> None:
    run, link = new_run(), Link()
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    async with faults.tls_server("127.0.0.1", "a.example", answer=HELLO, not_after=expires) as server:
        _reader, writer = await open_stream(run, "127.0.0.1", server.port, tls=Tls(ca=server.ca), link=link)
        writer.transport.abort()
    assert steps(run) == ["resolve", "connect", "tls"]
    assert link.encryption is not None
    (own,) = link.encryption.presented
    assert own.not_after == expires.timestamp()
    assert (own.dns_names, own.ip_addresses) == (("a.example",), ("127.0.0.1",))
    assert own.subject.startswith("OU=Testing cert")
    assert own.issuer.endswith("O=Probe Tests CA")
    assert [each.fingerprint for each in link.encryption.verified] == [
        own.fingerprint,
        x509.load_pem_x509_certificate(faults.authority().cert_pem.bytes()).fingerprint(SHA256()).hex(),
    ]
    assert link.encryption.version == "TLSv1.3"
    assert link.encryption.cipher.startswith("TLS_")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.tls_expired, r"^certificate expired on 2020-02-01 \(OU=Testing cert .*\)$"),
        (faults.tls_wrong_host, r"^certificate is for a\.example, b\.example, not for 127\.0\.0\.1$"),
        (faults.tls_unknown_ca, r"^certificate is signed by an unknown CA \(issuer OU=.*O=Probe Tests CA\)$"),
    ],
)
async def test_says_which_certificate_and_why(fault: Any, says: str) -> None:
    run, link = new_run(), Link()
    async with fault() as server:
        with pytest.raises(Untrusted, match=says):
            await open_stream(run, "127.0.0.1", server.port, tls=Tls(ca=server.ca), link=link)
    assert run.at_step == "tls"
    assert link.encryption is None
    assert len(link.distrusted) == 1


async def test_a_certificate_that_is_not_valid_yet() -> None:
    begins = datetime.now(UTC) + timedelta(days=2)
    async with faults.tls_server(not_before=begins) as server:
        with pytest.raises(Untrusted, match=f"^certificate is not valid before {begins.date()} "):
            await ask(server.port, Tls(ca=server.ca))


async def test_the_systems_cas_are_the_default() -> None:
    async with faults.tls_server() as server:
        with pytest.raises(Untrusted, match="unknown CA"):
            await ask(server.port, Tls())


async def test_insecure_takes_any_certificate() -> None:
    link = Link()
    async with faults.tls_expired(HELLO) as server:
        assert await ask(server.port, Tls(insecure=True), link=link) == HELLO
    assert link.encryption is not None
    assert len(link.encryption.presented) == 1
    assert link.encryption.verified == ()


async def test_another_name_may_be_asked_for() -> None:
    async with faults.tls_wrong_host(HELLO) as server:
        assert await ask(server.port, Tls(ca=server.ca, server_name="b.example")) == HELLO


async def test_a_driver_may_be_given_the_address() -> None:
    """A context holds the name, whatever host the driver says it connects to."""
    async with faults.tls_wrong_host(HELLO) as server:
        context = Tls(ca=server.ca).context("a.example")
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="127.0.0.1")
        writer.transport.abort()
        stranger = Tls(ca=server.ca).context("c.example")
        with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'c\.example'"):
            await asyncio.open_connection("127.0.0.1", server.port, ssl=stranger, server_hostname="a.example")


async def test_a_blocking_driver_may_be_given_the_address_too() -> None:
    def greet(port: int, context: ssl.SSLContext) -> bytes:
        with socket.create_connection(("127.0.0.1", port)) as sock, context.wrap_socket(sock) as secured:
            secured.sendall(b"?")
            return secured.recv(100)

    async with faults.tls_wrong_host(HELLO) as server:
        assert await asyncio.to_thread(greet, server.port, Tls(ca=server.ca).context("a.example")) == HELLO


def test_contexts_of_many_hosts_share_the_trusted_certificates() -> None:
    tls = Tls()
    assert tls.context("a.example") is tls.context("a.example")
    assert tls.context("a.example") is not tls.context("b.example")
    assert tls.shared_context() is Tls().shared_context()
    assert tls.context("a.example").verify_mode == ssl.CERT_REQUIRED
    assert tls.context("a.example").check_hostname


async def test_a_renewed_ca_file_is_read(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    trustme.CA(organization_name="Another CA").cert_pem.write_to_path(str(ca))
    async with faults.tls_server(answer=HELLO) as server:
        with pytest.raises(Untrusted):
            await ask(server.port, Tls(ca=str(ca)))
        faults.authority().cert_pem.write_to_path(str(ca))
        assert await ask(server.port, Tls(ca=str(ca))) == HELLO


async def test_a_server_that_wants_a_client_certificate(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = faults.authority().issue_cert("client.example")
    cert.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    async with faults.tls_server(answer=HELLO, client_ca=faults.authority()) as server:
        assert await ask(server.port, Tls(ca=server.ca, cert=str(cert), key=str(key))) == HELLO
    async with faults.tls_client_refused() as server:
        with pytest.raises(ssl.SSLError) as refused:  # TLS 1.3: only the first read learns it
            await ask(server.port, Tls(ca=server.ca))
        assert told(refused.value) == "the server refused the TLS connection: certificate required"


@pytest.mark.parametrize("fault", [faults.garbage, lambda: faults.answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
async def test_plain_text_where_tls_is_due(fault: Any) -> None:
    async with fault() as port:
        with pytest.raises(Untrusted, match=r"^no TLS there: the server answered in plain text$"):
            await ask(port, Tls())


@pytest.mark.parametrize("fault", [faults.closing, faults.resetting])
async def test_hung_up_on_during_the_handshake(fault: Any) -> None:
    async with fault() as port:
        with pytest.raises(Unreachable, match=r"^the server closed the connection during the TLS handshake$"):
            await ask(port, Tls())


async def test_a_silent_server_ends_with_its_caller() -> None:
    run = new_run()
    async with faults.silent() as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(open_stream(run, "127.0.0.1", port, tls=Tls()), 0.2)
    assert run.at_step == "tls"


async def test_a_second_look_at_the_chain_takes_half_of_the_time_at_most() -> None:
    """The server hangs on the connection that is only for the explanation."""
    connections = 0
    secured: list[asyncio.Transport] = []

    class OnceOnly(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            nonlocal connections
            connections += 1
            if connections == 1:
                loop = asyncio.get_running_loop()
                context = faults.server_context("a.example")
                starting = loop.start_tls(transport, self, context, server_side=True)
                asyncio.ensure_future(starting).add_done_callback(lambda done: done.cancelled() or done.exception())
            secured.append(transport)

    began = time.monotonic()
    async with faults.serving(OnceOnly) as port, faults.tls_wrong_host() as other:
        with pytest.raises(Untrusted, match=r"certificate does not verify: .*[mM]ismatch"):
            await open_stream(new_run(timeout=1.0), "127.0.0.1", port, tls=Tls(ca=other.ca))
    assert connections == 2
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"ca": "{}/none.pem"}, r"^can't use the CA file .*/none\.pem: no such file or directory$"),
        ({"ca": "{}/text.pem"}, r"^can't use the CA file .*/text\.pem: it does not hold the PEM texts"),
        ({"cert": "{}/none.pem"}, r"^can't use the client certificate .*/none\.pem: no such file or directory$"),
        ({"cert": "{}/text.pem", "key": "{}/text.pem"}, r"^can't use the client certificate .* with .*/text\.pem: it"),
    ],
)
async def test_says_which_file_is_wrong(fields: dict[str, str], says: str, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    tls = Tls(**{name: path.format(tmp_path) for name, path in fields.items()})
    async with faults.tls_server() as server:
        with pytest.raises(Untrusted, match=says):
            await ask(server.port, tls)


def test_a_key_needs_its_certificate() -> None:
    with pytest.raises(ValidationError, match="key is given without cert"):
        Tls(key="key.pem")


def test_a_name_is_written_as_go_writes_it() -> None:
    parts = (
        (("countryName", "DE"),),
        (("organizationName", "A, Inc."),),
        (("organizationalUnitName", "one"),),
        (("organizationalUnitName", "two"),),
        (("commonName", "a.example"),),
    )
    assert distinguished_name(parts) == "CN=a.example,OU=one+OU=two,O=A\\, Inc.,C=DE"
