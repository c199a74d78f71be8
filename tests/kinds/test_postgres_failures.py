"""The kind postgres against what is broken, what is no PostgreSQL, and what refuses it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg.exceptions as driver
import pytest
import pytest_asyncio

from probe.check import reason_of
from probe.demo.postgres import Postgres as Server
from probe.kinds.postgres import Postgres
from probe.kinds.postgres.failures import BY_SQLSTATE, FAILURES
from probe.model import Reason
from tests import faults
from tests.harness import run
from tests.kinds.postgres_servers import EACH, PASSWORD, ask, serving, sessions, watching

PLAIN = "?sslmode=disable"


def message(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol."""
    return kind + (len(body) + 4).to_bytes(4, "big") + body


OK_LOGIN = message(b"R", b"\0\0\0\0")
READY = message(b"Z", b"I")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


def check(port: int, mode: str = "", timeout: str = "5s") -> Postgres:
    return Postgres(name="db", dsn=f"postgresql://probe:sesame@127.0.0.1:{port}/app{mode}", timeout=timeout)


@pytest.mark.parametrize(("mode", "step"), [("", "tls"), (PLAIN, "login")])
async def test_it_hangs(mode: str, step: str) -> None:
    async with faults.silent() as port:
        result = await run(check(port, mode, timeout="1s"))
    assert (result.reason, result.message) == (Reason.TIMEOUT, f"no answer within 1.0 s (in {step})")


@pytest.mark.parametrize("mode", ["", PLAIN])
async def test_it_closes_at_once(mode: str) -> None:
    async with faults.closing(when_asked=True) as port:
        result = await run(check(port, mode))
    assert (result.reason, result.message) == (Reason.CONNECT, f"127.0.0.1:{port} closed the connection at once")


@pytest.mark.parametrize("mode", ["", PLAIN])
async def test_it_resets_at_once(mode: str) -> None:
    async with faults.resetting() as port:
        result = await run(check(port, mode))
    assert result.reason is Reason.CONNECT


@pytest.mark.parametrize("mode", ["", PLAIN])
async def test_it_is_something_else(mode: str) -> None:
    for other in (faults.garbage(), faults.answering(b"HTTP/1.1 400 Bad Request\r\n\r\n", closes=False)):
        async with other as port:
            result = await run(check(port, mode, timeout="2s"))
        assert (result.reason, result.message) == (
            Reason.PROTOCOL,
            f"127.0.0.1:{port} does not answer as PostgreSQL does",
        )


@pytest.mark.parametrize(
    "answer",
    [
        OK_LOGIN,
        OK_LOGIN + READY,
        OK_LOGIN + message(b"S", b"server_version\0what?\0") + READY,
        OK_LOGIN + message(b"S", b"server_version") + READY,
        message(b"R", b""),
        message(b"E", b"\0"),
        message(b"E", b"ERROR"),
    ],
)
async def test_it_only_begins_like_postgresql(answer: bytes) -> None:
    async with faults.answering(answer) as port:
        result = await run(check(port, PLAIN))
    assert (result.reason, result.step) == (Reason.PROTOCOL, "login")


async def test_a_way_to_log_in_that_nobody_knows() -> None:
    async with faults.answering(b"R\0\0\0\x08\0\0\0\x63", closes=False) as port:
        result = await run(check(port, PLAIN))
    assert result.reason is Reason.AUTH
    assert "unsupported authentication method" in result.message


async def test_a_wrong_password_and_a_role_that_does_not_exist(server: Server) -> None:
    wrong = await run(Postgres(dsn=server.dsn("probe", "wrong")))
    unknown = await run(Postgres(dsn=server.dsn("nobody", PASSWORD)))
    none = await run(Postgres(dsn=server.dsn("probe", "")))
    assert (wrong.reason, wrong.step) == (Reason.AUTH, "login")
    assert wrong.message == 'password authentication failed for user "probe"'
    assert (unknown.reason, unknown.message) == (Reason.AUTH, 'password authentication failed for user "nobody"')
    assert (none.reason, none.step) == (Reason.AUTH, "login")


async def test_a_database_that_does_not_exist_and_one_that_is_forbidden(server: Server) -> None:
    await server.execute("CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    missing = await run(Postgres(dsn=server.dsn("probe", PASSWORD, "nope")))
    closed = await run(Postgres(dsn=server.dsn("probe", PASSWORD, "closed")))
    assert (missing.reason, missing.message) == (Reason.UNHEALTHY, 'database "nope" does not exist')
    assert closed.reason is Reason.AUTH
    assert closed.message.startswith('permission denied for database "closed"')


@EACH
async def test_no_connection_is_left(version: str) -> None:
    async with serving(version, max_connections="5", max_wal_senders="0") as server, sessions(server, 2):
        result = await run(watching(server))
    assert (result.reason, result.step) == (Reason.UNHEALTHY, "login")
    assert "remaining connection slots are reserved" in result.message


async def test_it_starts_up() -> None:
    starting_up = message(b"E", b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0")
    async with faults.answering(starting_up) as port:
        result = await run(check(port, PLAIN))
    assert (result.reason, result.message) == (Reason.UNHEALTHY, "the database system is starting up")


async def test_it_shuts_down_amid_a_query() -> None:
    async with serving() as server:
        slow = watching(server, queries={"slow": {"sql": "SELECT pg_sleep(60)"}})
        running = asyncio.create_task(run(slow))
        while not await ask(server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(60)'"):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.05)
        await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'probe'")
        result = await running
    assert result.reason is Reason.UNHEALTHY
    assert "terminating connection due to administrator command" in result.message


async def test_it_is_too_old() -> None:
    async with faults.answering(
        OK_LOGIN + message(b"S", b"server_version\0" + b"12.3\0") + READY, closes=False
    ) as port:
        result = await run(check(port, PLAIN))
    assert (result.reason, result.message) == (
        Reason.UNHEALTHY,
        f"127.0.0.1:{port} is PostgreSQL 12.3; probe reads 13 and newer",
    )


async def test_a_unix_socket(tmp_path: Path) -> None:
    missing = await run(Postgres(host=str(tmp_path), user="probe"))
    assert (missing.reason, missing.message) == (
        Reason.CONNECT,
        f"no connection to {tmp_path}/.s.PGSQL.5432: no such file or directory",
    )
    async with serving(unix_socket_directories=str(tmp_path)) as server:
        found = await run(
            Postgres(host=str(tmp_path), port=server.port, user="probe", password=PASSWORD, database="app")
        )
    assert (found.reason, [step.name for step in found.steps]) == (Reason.OK, ["connect", "login", "query"])


NEVER_RAISED = {driver.PostgresLogMessage}
"""What the server says beside its answers; no exception at all."""

EXPLICIT = {
    driver.FatalPostgresError,
    driver.UnknownPostgresError,
    driver.PostgresError,
    driver.InterfaceError,
    driver.InterfaceWarning,
    driver.ClientConfigurationError,
    driver.InternalClientError,
    driver.OutdatedSchemaCacheError,
    driver.ProtocolError,
    driver.UnsupportedClientFeatureError,
    driver.UnsupportedServerFeatureError,
    driver.TargetServerAttributeNotMatched,
}
"""Classes without an SQLSTATE, each with a line of its own or of its parent's in FAILURES."""


@pytest.mark.parametrize("name", driver.__all__)
def test_every_exception_of_the_driver_is_decided(name: str) -> None:
    error = getattr(driver, name)
    if error in NEVER_RAISED:
        return
    state = getattr(error, "sqlstate", None)
    if state is None:
        assert error in EXPLICIT
    elif not issubclass(error, Warning):
        assert state in BY_SQLSTATE or state[:2] in BY_SQLSTATE
    assert any(parent in FAILURES for parent in error.__mro__)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (driver.InvalidPasswordError, Reason.AUTH),
        (driver.InvalidAuthorizationSpecificationError, Reason.AUTH),
        (driver.InsufficientPrivilegeError, Reason.AUTH),
        (driver.TooManyConnectionsError, Reason.UNHEALTHY),
        (driver.CannotConnectNowError, Reason.UNHEALTHY),
        (driver.InvalidCatalogNameError, Reason.UNHEALTHY),
        (driver.ReadOnlySQLTransactionError, Reason.UNHEALTHY),
        (driver.QueryCanceledError, Reason.TIMEOUT),
        (driver.TransactionTimeoutError, Reason.TIMEOUT),
        (driver.ProtocolViolationError, Reason.PROTOCOL),
        (driver.ConnectionDoesNotExistError, Reason.PROTOCOL),
        (driver.ProtocolError, Reason.PROTOCOL),
        (driver.UnknownPostgresError, Reason.PROTOCOL),
        (driver.PostgresSyntaxError, Reason.UNHEALTHY),
        (driver.DiskFullError, Reason.UNHEALTHY),
        (driver.DataCorruptedError, Reason.UNHEALTHY),
        (driver.InterfaceError, Reason.INTERNAL),
        (driver.PrivilegeNotGranted, Reason.INTERNAL),
    ],
)
def test_the_reason_of_what_matters(error: type[Exception], reason: Reason) -> None:
    assert reason_of(error("x"), FAILURES) is reason
