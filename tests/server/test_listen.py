"""Binding: what works, and the one line that says why it does not."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from probe.config.settings import Web
from probe.server import CannotListen, make_app, serve, tls_context
from tests.server.scene import Agent


def app() -> aiohttp.web.Application:
    return make_app(Agent(), Web())


async def test_a_port_in_use_is_one_clear_line() -> None:
    first = await serve(app(), ("127.0.0.1", 0))
    port = first.addresses[0][1]
    try:
        with pytest.raises(CannotListen) as failure:
            await serve(app(), ("127.0.0.1", port))
    finally:
        await first.cleanup()
    assert str(failure.value) == (
        f"can't listen on 127.0.0.1:{port}: the port is in use; stop who uses it, or choose another with "
        "web.listen or --listen"
    )
    again = await serve(app(), ("127.0.0.1", port))
    await again.cleanup()


async def test_an_address_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(CannotListen, match=r"can't listen on 192\.0\.2\.1:1: this machine has no such address"):
        await serve(app(), ("192.0.2.1", 1))
    with pytest.raises(CannotListen, match=r"can't listen on nowhere\.invalid:1: .*name"):
        await serve(app(), ("nowhere.invalid", 1))


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\0", b"GET / HTTP/1.1\r\nAuthorization: " + b"s3cret" * 2000])
async def test_what_is_no_http_is_refused_and_fills_no_log(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "probe")
    runner = await serve(web.Application(), ("127.0.0.1", 0))
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(sent + b"\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.0 400 Bad Request\r\n")
    writer.close()
    await runner.cleanup()
    assert caplog.text == ""


async def test_an_error_of_ours_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def fall(_: web.Request) -> web.Response:
        raise ValueError("a bug")

    app = web.Application()
    app.add_routes([web.get("/", fall)])
    runner = await serve(app, ("127.0.0.1", 0))
    async with aiohttp.ClientSession() as client, client.get("http://{}:{}/".format(*runner.addresses[0])) as answer:
        assert answer.status == 500
    await runner.cleanup()
    assert "ValueError: a bug" in caplog.text


async def test_serves_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(str(key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(cert), append=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    runner = await serve(app(), ("127.0.0.1", 0), tls_context(cert, key))
    try:
        url = f"https://localhost:{runner.addresses[0][1]}/-/ready"
        async with aiohttp.ClientSession() as client, client.get(url, ssl=trusting) as answer:
            assert (answer.status, await answer.text()) == (200, "ready\n")
    finally:
        await runner.cleanup()


def test_a_certificate_that_cannot_serve_is_one_clear_line(tmp_path: Path) -> None:
    one, other = trustme.CA().issue_cert("a"), trustme.CA().issue_cert("b")
    cert, key, text = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "text.pem"
    one.cert_chain_pems[0].write_to_path(str(cert))
    other.private_key_pem.write_to_path(str(key))
    text.write_text("hello")
    with pytest.raises(CannotListen, match=r"web\.tls: .*gone\.pem does not exist or may not be read"):
        tls_context(tmp_path / "gone.pem", key)
    with pytest.raises(
        CannotListen, match=r"are not a PEM certificate and its unencrypted key \(key values mismatch\)"
    ):
        tls_context(cert, key)
    with pytest.raises(CannotListen, match="are not a PEM certificate and its unencrypted key"):
        tls_context(text, key)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("a")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(cert))
    clear = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    locked = BestAvailableEncryption(b"secret")
    key.write_bytes(clear.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(CannotListen, match="are not a PEM certificate and its unencrypted key"):
        tls_context(cert, key)
