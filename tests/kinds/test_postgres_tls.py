"""The kind postgres and TLS: each sslmode, what verifies and what does not. The wheel's server is built without."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio
import trustme

from probe.demo.postgres import Postgres as Server
from probe.kinds.postgres import Postgres
from probe.model import Reason, Result
from tests import faults
from tests.harness import run
from tests.kinds.postgres_servers import DEBIAN, PASSWORD, serving, watching

ENCRYPTED = {"encrypted": {"sql": "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()"}}


class Secure(NamedTuple):
    server: Server
    ca: str
    other_ca: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secure]:
    """A server whose certificate is for localhost, not for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificates")
    cert, key, ca, other_ca = (folder / name for name in ("cert.pem", "key.pem", "ca.pem", "other.pem"))
    issued = faults.authority().issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(str(cert))
    key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(str(key))
    faults.authority().cert_pem.write_to_path(str(ca))
    trustme.CA().cert_pem.write_to_path(str(other_ca))
    async with serving("debian", ssl="on", ssl_cert_file=str(cert), ssl_key_file=str(key)) as server:
        yield Secure(server, str(ca), str(other_ca))


async def by_dsn(secure: Secure, host: str, query: str) -> Result:
    dsn = f"postgresql://probe:{PASSWORD}@{host}:{secure.server.port}/app?{query}"
    return await run(Postgres(name="db", dsn=dsn, queries=ENCRYPTED))


@DEBIAN
@pytest.mark.parametrize(
    ("host", "query", "encrypted"),
    [
        ("127.0.0.1", "", 1),
        ("127.0.0.1", "sslmode=disable", 0),
        ("127.0.0.1", "sslmode=prefer", 1),
        ("127.0.0.1", "sslmode=require", 1),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert={ca}", 1),
        ("localhost", "sslmode=verify-full&sslrootcert={ca}", 1),
    ],
)
async def test_each_mode_encrypts_or_not(secure: Secure, host: str, query: str, encrypted: int) -> None:
    result = await by_dsn(secure, host, query.format(ca=secure.ca))
    assert (result.reason, result.message) == (Reason.OK, "")
    assert result.value("query_encrypted") == encrypted


@DEBIAN
@pytest.mark.parametrize(
    ("host", "query", "message"),
    [
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={ca}", "certificate is for localhost, not for 127.0.0.1"),
        ("localhost", "sslmode=verify-full&sslrootcert={other}", "certificate is signed by an unknown CA"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert={other}", "certificate is signed by an unknown CA"),
    ],
)
async def test_says_why_it_does_not_trust_a_certificate(secure: Secure, host: str, query: str, message: str) -> None:
    result = await by_dsn(secure, host, query.format(ca=secure.ca, other=secure.other_ca))
    assert (result.reason, result.step) == (Reason.TLS, "tls")
    assert result.message.startswith(message)


@DEBIAN
async def test_tells_when_the_certificate_expires_if_it_is_checked(secure: Secure) -> None:
    fields = {"host": "127.0.0.1", "port": secure.server.port, "user": "probe", "password": PASSWORD, "database": "app"}
    checked = await run(Postgres(**fields, tls={"ca": secure.ca, "server_name": "localhost"}))
    unchecked = await run(Postgres(**fields, tls={"insecure": True}))
    assert (checked.reason, unchecked.reason) == (Reason.OK, Reason.OK)
    assert checked.value("probe_ssl_earliest_cert_expiry") > checked.at
    assert not unchecked.values("probe_ssl_earliest_cert_expiry")


async def test_a_server_without_tls() -> None:
    async with serving() as server:
        preferred = await run(watching(server))
        required = await run(Postgres(dsn=server.dsn("probe", PASSWORD) + "?sslmode=require"))
    assert preferred.reason is Reason.OK
    assert (required.reason, required.step, required.message) == (
        Reason.TLS,
        "tls",
        f"127.0.0.1:{server.port} offers no TLS; set ssl = on there, or sslmode=disable here",
    )


async def test_a_server_that_promises_tls_and_does_not_keep_it() -> None:
    async with faults.answering(b"S", closes=False) as port:
        hung = await run(Postgres(dsn=f"postgresql://probe@127.0.0.1:{port}/app", timeout="1s"))
    async with faults.answering(b"S") as port:
        closed = await run(Postgres(dsn=f"postgresql://probe@127.0.0.1:{port}/app"))
    assert (hung.reason, hung.message) == (Reason.TIMEOUT, "no answer within 1.0 s (in tls)")
    assert closed.reason is Reason.CONNECT
