"""The kind tcp against real servers and real faults."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from probe.kinds.tcp import Tcp
from probe.model import Reason, Result
from tests import faults
from tests.fault_table.rows import Rows, Trust
from tests.harness import run
from tests.kinds import redis_servers

TALK = [{"send": "PING\r"}, {"expect": r"^\+PONG"}]


def pointed_at(host: str, port: int, tls: Trust) -> Tcp:
    return Tcp(name="port", address=f"{host}:{port}", tls=tls or False, dialogue=TALK)


@contextlib.asynccontextmanager
async def healthy(folder: Path) -> AsyncIterator[int]:
    async with redis_servers.serving(folder, requirepass='""') as server:
        yield server.port


NO_LOGIN = "it knows lines: whatever is not the awaited one is unhealthy"
ROWS = Rows(
    pointed_at,
    healthy,
    endless=(b"", b"no such line\r\n"),
    own={
        "wrong password": NO_LOGIN,
        "missing permission": NO_LOGIN,
        "too many connections": NO_LOGIN,
        "starting up": NO_LOGIN,
        "read-only": NO_LOGIN,
    },
    differs={
        "closes in the middle of an answer": Reason.UNHEALTHY,  # the last line may lack its end, and was another
        "an answer without end": Reason.UNHEALTHY,  # of lines, but not the awaited one
        "plain where TLS is due": Reason.TIMEOUT,  # the server waits for the end of a line
    },
    strangers={
        "": Reason.CONNECT,  # it hangs up on HTTP, which may be an attack
        "postgres": Reason.TIMEOUT,
        "redis": Reason.AUTH,  # a password that the server has not
    },
)


async def ask(port: int, **fields: Any) -> Result:
    return await run(Tcp(name="port", address=f"127.0.0.1:{port}", **fields))


class Mail(asyncio.Protocol):
    """Speaks enough SMTP (RFC 5321, 3207) to be greeted, asked and encrypted."""

    def __init__(self, starttls: bytes = b"220 go ahead\r\n", context: ssl.SSLContext | None = None) -> None:
        self._starttls = starttls
        self._context = context
        self._encrypting: asyncio.Future[Any] | None = None
        self._early = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        if self._encrypting is None:
            transport.write(b"220-mail.example welcomes\r\n220 you\r\n")

    def data_received(self, data: bytes) -> None:
        if self._encrypting is not None and not self._encrypting.done():
            self._early += data  # deciphered, before we have got hold of the new transport
            return
        line = data.decode().strip()
        if line == "STARTTLS":
            self.transport.write(self._starttls)
            if self._starttls.startswith(b"220"):
                self._encrypting = asyncio.ensure_future(self._encrypt())
        elif line.startswith("EHLO"):
            self.transport.write(f"250-mail.example greets {line[5:]}\r\n250 STARTTLS\r\n".encode())
        else:
            self.transport.write(b"500 what?\r\n")

    async def _encrypt(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # a client that does not trust us hangs up, or says so
            context = self._context or faults.server_context()
            self.transport = await loop.start_tls(self.transport, self, context, server_side=True)
        loop.call_soon(self._take_early)

    def _take_early(self) -> None:
        if self._early:
            self.data_received(self._early)


GREETING = [{"expect": r"^220 (\w+)", "send": "EHLO probe\r"}]


async def test_a_connection_is_enough() -> None:
    async with faults.silent() as port:
        result = await ask(port)
    assert (result.reason, result.message) == (Reason.OK, "")
    assert [step.name for step in result.steps] == ["resolve", "connect"]
    assert result.value("probe_dns_lookup_time_seconds") < 1
    assert {sample.metric.name: sample.value for sample in result.samples[1:]} == {
        "probe_failed_due_to_regex": 0,
        "probe_ip_protocol": 4,
        "probe_ip_addr_hash": 3668918509,
    }


async def test_a_dialogue() -> None:
    async with faults.serving(Mail) as port:
        result = await ask(port, dialogue=[*GREETING, {"expect": "^250 "}])
    assert result.reason is Reason.OK, result.message
    assert [step.name for step in result.steps] == ["resolve", "connect", "expect", "send"]


@pytest.mark.parametrize("said", [r"EHLO \1-\2", r"EHLO \g<1>-\g<host>", "EHLO ${1}-${host}"])
async def test_what_matched_may_be_said_again(said: str) -> None:
    async with faults.serving(Mail) as port:
        result = await ask(
            port,
            dialogue=[{"expect": r"^(\d+)-(?P<host>\S+)", "send": said + "\r"}, {"expect": "greets 220-mail.example$"}],
        )
    assert result.reason is Reason.OK, result.message


async def test_tls_from_the_first_byte() -> None:
    async with faults.tls_server(answer=b"+PONG\r\n") as server:
        result = await ask(server.port, tls={"ca": server.ca}, dialogue=[{"send": "PING\r"}, {"expect": "^.PONG"}])
    assert result.reason is Reason.OK, result.message
    assert [step.name for step in result.steps] == ["resolve", "connect", "tls", "send", "expect"]
    assert result.value("probe_tls_version_info", version="TLS 1.3") == 1
    assert (
        result.value("probe_ssl_earliest_cert_expiry")
        == result.value("probe_ssl_last_chain_expiry_timestamp_seconds")
        > 1_700_000_000
    )
    assert len(result.values("probe_ssl_last_chain_info")) == 1


async def test_tls_later() -> None:
    async with faults.tls_server() as files, faults.serving(Mail) as port:
        turns = [*GREETING, {"expect": "^250 ", "send": "STARTTLS\r"}, {"expect": "^220", "starttls": True}]
        after = [{"send": "EHLO again\r"}, {"expect": "greets again"}]
        trusted = await ask(port, tls={"ca": files.ca}, dialogue=[*turns, *after])
        stranger = await ask(port, dialogue=turns)
    assert trusted.reason is Reason.OK, trusted.message
    assert trusted.value("probe_ssl_earliest_cert_expiry") > 1_700_000_000
    assert [step.name for step in trusted.steps] == ["resolve", "connect", "expect", "send", "tls"]
    assert (stranger.reason, stranger.step) == (Reason.TLS, "tls")
    assert stranger.message == "certificate does not verify: unable to get local issuer certificate"


async def test_a_server_that_says_something_else_and_waits() -> None:
    async with faults.serving(lambda: Mail(b"454 not now\r\n")) as port:
        result = await ask(
            port,
            timeout="1s",
            dialogue=[{"expect": "^220 ", "send": "STARTTLS\r"}, {"expect": "^220", "starttls": True}],
        )
    assert (result.reason, result.step) == (Reason.TIMEOUT, "expect")
    assert result.message == "no line that matches ^220 in time; the last one was 454 not now"


@pytest.mark.parametrize(
    ("fault", "fields", "reason", "step", "says"),
    [
        (faults.refused, {}, Reason.CONNECT, "connect", "connection refused by 127.0.0.1:"),
        (faults.black_hole, {}, Reason.TIMEOUT, "connect", "no answer within 1.0 s (in connect)"),
        (faults.silent, {"dialogue": TALK}, Reason.TIMEOUT, "expect", r"no line that matches ^\+PONG in time"),
        (faults.silent, {"tls": True}, Reason.TIMEOUT, "tls", "no answer within 1.0 s (in tls)"),
        (faults.closing, {"dialogue": TALK[1:]}, Reason.CONNECT, "expect", "closed the connection without a word"),
        (faults.resetting, {"dialogue": TALK}, Reason.CONNECT, "expect", "reset the connection without a word"),
        (faults.closing, {"tls": True}, Reason.CONNECT, "tls", "closed the connection during the TLS handshake"),
        (
            faults.garbage,
            {"dialogue": TALK},
            Reason.PROTOCOL,
            "expect",
            r"matches ^\+PONG, got bytes that are no text: '\x00\x01",
        ),
        (faults.garbage, {"tls": True}, Reason.TLS, "tls", "no TLS there: the server answered in plain text"),
        (
            lambda: faults.answering(b"-NOAUTH Authentication required.\r\n"),
            {"dialogue": TALK},
            Reason.UNHEALTHY,
            "expect",
            r"expected a line that matches ^\+PONG, got -NOAUTH Authentication required.",
        ),
        (
            lambda: faults.answering(b"220 hi\r\n"),
            {"dialogue": [{"send": "?"}, {"expect": "^220"}, {"expect": "^250"}]},
            Reason.PROTOCOL,
            "expect",
            "the server closed the connection in the middle of the dialogue",
        ),
        (
            lambda: faults.resetting(b"220 hi\r\n"),
            {"dialogue": [{"send": "?"}, {"expect": "^220"}, {"expect": "^250"}]},
            Reason.PROTOCOL,
            "expect",
            "the server reset the connection in the middle of the dialogue",
        ),
        (
            lambda: faults.answering(b"x" * 200_000, closes=False),
            {"dialogue": TALK},
            Reason.PROTOCOL,
            "expect",
            "the server sent a line longer than 64 KiB",
        ),
        (
            lambda: faults.trickling(b"+PONG\r\n"),
            {"dialogue": TALK},
            Reason.TIMEOUT,
            "expect",
            r"no line that matches ^\+PONG in time",
        ),
    ],
)
async def test_failures_by_their_cause(
    fault: Any, fields: dict[str, Any], reason: Reason, step: str, says: str
) -> None:
    async with fault() as port:
        result = await ask(port, timeout="1s" if reason is Reason.TIMEOUT else "10s", **fields)
    assert (result.reason, result.step) == (reason, step), result.message
    assert says in result.message
    assert result.value("probe_ip_protocol") == 4
    given_up = any(word in says for word in ("reset", "longer", "no text"))
    expected = reason in (Reason.TIMEOUT, Reason.TLS) or step != "expect" or given_up
    assert result.value("probe_failed_due_to_regex") == (not expected)


async def test_an_awaited_line_that_never_came_is_said_in_a_metric() -> None:
    async with faults.answering(b"-ERR\r\n") as port:
        result = await ask(port, dialogue=TALK)
    assert result.value("probe_failed_due_to_regex") == 1


async def test_a_name_without_an_address() -> None:
    result = await run(Tcp(name="port", address="nowhere.invalid:80"))
    assert (result.reason, result.step) == (Reason.DNS, "resolve")
    assert result.value("probe_ip_protocol") == result.value("probe_ip_addr_hash") == 0


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.tls_expired, "certificate expired on 2020-02-01 ("),
        (faults.tls_wrong_host, "certificate is for a.example, b.example, not for 127.0.0.1"),
        (faults.tls_unknown_ca, "certificate is signed by an unknown CA (issuer "),
    ],
)
async def test_a_chain_that_does_not_verify(fault: Any, says: str) -> None:
    async with fault() as server:
        result = await ask(server.port, tls={"ca": server.ca})
    assert (result.reason, result.step) == (Reason.TLS, "tls")
    assert result.message.startswith(says)
    assert result.value("probe_ssl_earliest_cert_expiry") > 1_500_000_000


async def test_a_missing_client_certificate() -> None:
    async with faults.tls_client_refused() as server:
        result = await ask(server.port, tls={"ca": server.ca}, dialogue=[{"expect": "."}])
    assert (result.reason, result.message) == (
        Reason.TLS,
        "the server refused the TLS connection: certificate required",
    )


async def test_ipv6() -> None:
    async with faults.serving(Mail, host="::1") as port:
        result = await run(Tcp(name="port", address=f"[::1]:{port}", dialogue=GREETING))
    assert result.reason is Reason.OK, result.message
    assert result.value("probe_ip_protocol") == 6


@pytest.mark.parametrize("address", ["db", "db:", ":5432", "db:0", "db:65536", "db:http", "::1:22", "[::1]"])
def test_an_address_needs_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValidationError, match="not an address; write host:port"):
        Tcp(address=address)


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        ({"send": "PING", "expect": "PONG"}, "in one turn expect comes before send"),
        ({"expect": "("}, "'\\(' is no regular expression"),
        ({"except": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_a_turn_that_can_not_be_meant(turn: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Tcp(address="db:1", dialogue=[turn])


def test_a_connection_is_encrypted_once() -> None:
    later = {"starttls": True}
    assert [place for place, _ in Tcp(address="db:1", dialogue=[later, later]).problems()] == [
        ("dialogue", 1, "starttls")
    ]
    assert [place for place, _ in Tcp(address="db:1", tls=True, dialogue=[later]).problems()] == [("tls",)]
