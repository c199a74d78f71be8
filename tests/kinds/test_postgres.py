"""The kind postgres against real servers: all that it tells of one, and what people add to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from probe.demo.postgres import Postgres as Server
from probe.exchange import TlsMetrics
from probe.kinds.postgres import Postgres
from probe.kinds.postgres.custom import metrics_of
from probe.model import Metric, Reason, Result
from tests.fault_table.rows import Own, Rows, Trust
from tests.harness import run
from tests.kinds.postgres_servers import (
    EVERY_MAJOR,
    PASSWORD,
    ask,
    following,
    keys_of,
    serving,
    sessions,
    starting_up,
    until,
    watching,
)

CERTIFICATE = {metric.key for metric in vars(TlsMetrics).values() if isinstance(metric, Metric)}
ON_REPLICAS = {"replication_receiving", "replication_lag_seconds", "replication_lag_bytes"}
WITH_REPLICAS = {"replica_lag_bytes", "replica_lag_seconds", "slot_active", "slot_lost", "slot_retained_bytes"}
WITH_ARCHIVE = {"wal_archived_total", "wal_archive_failures_total", "wal_archive_failing"}
WITH_STATEMENTS = {"statements_total", "statements_seconds_total"}
PROBES_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'probe'"
ELSEWHERE = CERTIFICATE | ON_REPLICAS | WITH_REPLICAS | WITH_ARCHIVE | {"extension_missing", "probe_duration_seconds"}


def pointed_at(host: str, port: int, tls: Trust) -> Postgres:
    return Postgres(name="db", host=host, port=port, user="probe", password=PASSWORD, database="app", tls=tls)


@asynccontextmanager
async def healthy(_: Path) -> AsyncIterator[int]:
    async with serving() as server:
        yield server.port


@asynccontextmanager
async def with_another_password(_: Path) -> AsyncIterator[Postgres]:
    async with serving() as server:
        yield Postgres(name="db", dsn=server.dsn("probe", "wrong"))


@asynccontextmanager
async def with_a_closed_database(_: Path) -> AsyncIterator[Postgres]:
    async with serving() as server:
        await server.execute("REVOKE CONNECT ON DATABASE app FROM PUBLIC")
        yield watching(server)


@asynccontextmanager
async def with_no_connection_left(_: Path) -> AsyncIterator[Postgres]:
    async with serving(max_connections="5", max_wal_senders="0") as server, sessions(server, 2):
        yield watching(server)


@asynccontextmanager
async def that_starts_up(_: Path) -> AsyncIterator[Postgres]:
    async with starting_up() as server:
        yield watching(server)


@asynccontextmanager
async def that_follows(_: Path) -> AsyncIterator[Postgres]:
    async with serving() as primary, following(primary) as standby:
        yield watching(standby)


ROWS = Rows(
    pointed_at,
    healthy,
    endless=(b"N", b"E\x7f\xff\xff\xff", b"endless"),
    before_tls=b"S",
    own={
        "wrong password": Own(with_another_password, Reason.AUTH),
        "missing permission": Own(with_a_closed_database, Reason.AUTH),
        "too many connections": Own(with_no_connection_left, Reason.UNHEALTHY),
        "starting up": Own(that_starts_up, Reason.UNHEALTHY),
        "read-only": Own(that_follows, Reason.OK),
    },
    differs={"garbage where TLS is due": Reason.PROTOCOL},  # PostgreSQL is asked in plain whether it has TLS
    strangers={"": Reason.CONNECT},  # it hangs up
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


@EVERY_MAJOR
async def test_tells_all_of_a_healthy_primary(version: str) -> None:
    async with serving(version) as server, sessions(server, 3) as (idle, open_since, waits):
        await idle.execute("SELECT 1")
        await open_since.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
        waiting = asyncio.create_task(waits.execute("SELECT pg_advisory_xact_lock(1)"))
        result = await until(watching(server), _is_counted)
        await open_since.execute("ROLLBACK")
        await waiting
        started = await ask(server, "SELECT extract(epoch FROM pg_postmaster_start_time())::float8")
        full_version = await ask(server, "SHOW server_version")
    assert (result.reason, result.message, result.notes) == (Reason.OK, "", ())
    assert [step.name for step in result.steps] == ["resolve", "connect", "tls", "login", "query"]
    from_wheel = version in ("18", "16")
    absent = ELSEWHERE | (WITH_STATEMENTS if from_wheel else set())
    absent |= {"checksum_failures_total"} if version != "18" else set()  # on by default since 18
    assert keys_of(result) == {key for key, metric in Postgres.declared.items() if not metric.survey} - absent

    assert result.values("version_info") == {(full_version.split()[0],): 1}
    assert result.value("start_timestamp_seconds") == pytest.approx(started)
    assert result.values("privilege_info") == {("pg_monitor",): 1}
    assert result.values("replication_role_info") == {("primary",): 1}
    assert result.values("connections") == {
        ("active",): 1,
        ("idle",): 1,
        ("idle in transaction",): 1,
        ("idle in transaction (aborted)",): 0,
    }
    assert (result.value("connections_used"), result.value("connections_maximum")) == (4, 37)
    assert result.value("connections_ratio") == 4 / 37
    assert result.values("database_connections") == {("app",): 4, ("postgres",): 0}
    assert result.value("oldest_transaction_seconds") >= result.value("oldest_idle_in_transaction_seconds") > 0
    assert result.value("oldest_prepared_transaction_seconds") == 0
    assert result.value("commits_total", datname="app") > result.value("rollbacks_total", datname="app") == 0
    assert result.value("blocks_hit_total", datname="app") > 0
    assert 0 < result.value("transaction_id_age") < 1000
    assert result.value("multixact_id_age") == 0
    assert result.value("wal_size_bytes") == result.value("wal_files") * 16 * 1024**2
    assert result.value("wal_bytes_total") > 16 * 1024**2
    assert result.value("replicas") == 0
    assert ("plpgsql", "1.0") in result.values("extension_info")
    assert result.values("omitted") == {("databases",): 0, ("extensions",): 0, ("replicas",): 0, ("slots",): 0}
    if not from_wheel:
        assert result.value("statements_total") > 5
        assert result.value("statements_seconds_total") > 0


def _is_counted(result: Result) -> bool:
    """Before 15 counters come late, by a collector of statistics."""
    return result.value("locks_waited_for") == 1 and result.value("commits_total", datname="app") > 0


async def test_counts_what_went_wrong_in_a_database() -> None:
    async with serving(deadlock_timeout="10ms", work_mem="64kB") as server:
        async with sessions(server, 2, user="probe") as (one, other):
            await one.execute("SELECT count(*) FROM (SELECT generate_series(1, 20000) n ORDER BY 1) sorted")
            for session, own in ((one, 1), (other, 2)):
                await session.execute(f"BEGIN; SELECT pg_advisory_xact_lock({own})")
            crossing = asyncio.create_task(one.execute("SELECT pg_advisory_xact_lock(2)"))
            with suppress(asyncpg.DeadlockDetectedError):
                await other.execute("SELECT pg_advisory_xact_lock(1)")
            with suppress(asyncpg.DeadlockDetectedError):
                await crossing
        result = await until(watching(server), lambda result: result.value("rollbacks_total", datname="app") > 0)
    assert result.values("deadlocks_total") == {("app",): 1, ("postgres",): 0}
    assert result.value("temporary_bytes_total", datname="app") > 100_000


async def test_sees_transactions_that_somebody_forgot() -> None:
    async with serving(max_prepared_transactions="1") as server, sessions(server, 1) as (session,):
        await session.execute("BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'forgotten'")
        await session.execute("BEGIN")
        with suppress(asyncpg.UndefinedTableError):
            await session.execute("SELECT * FROM nothing")
        await asyncio.sleep(0.05)
        result = await run(watching(server))
    assert result.value("oldest_prepared_transaction_seconds") >= 0.05
    assert result.value("oldest_idle_in_transaction_seconds") >= 0.05
    assert result.value("connections", state="idle in transaction (aborted)") == 1


async def test_says_that_archiving_fails() -> None:
    async with serving(archive_mode="on", archive_command="false") as server:
        quiet = await run(watching(server))
        await server.execute("SELECT pg_switch_wal()")
        result = await until(watching(server), lambda result: result.value("wal_archive_failures_total") > 0)
    assert quiet.value("wal_archived_total") == result.value("wal_archived_total") == 0
    assert result.value("wal_archive_failing") == 1


async def test_measures_databases_against_what_is_enough() -> None:
    async with serving() as server:
        check = watching(server, capacity={"app": "1GiB", "gone": "1GiB"})
        result = await run(check, "sizes")
        size = await ask(server, "SELECT pg_database_size('app')")
    assert result.reason is Reason.OK
    assert result.values("database_size_bytes").keys() == {("app",), ("postgres",)}
    assert result.value("database_size_bytes", datname="app") == pytest.approx(size, rel=0.05)
    assert result.values("database_capacity_bytes") == {("app",): 1024**3, ("gone",): 1024**3}
    ratio = result.value("database_size_bytes", datname="app") / 1024**3
    assert result.values("database_capacity_ratio") == {("app",): ratio}
    assert result.notes == ("there is no database gone, which capacity names",)


async def test_misses_an_extension_and_says_how_to_get_it() -> None:
    async with serving() as server:
        good = await run(watching(server, extensions=["vector"]))
        bad = await run(watching(server, extensions=["vector", "uuid-ossp", "postgis"]))
    assert (good.reason, good.values("extension_missing")) == (Reason.OK, {("vector",): 0})
    assert (bad.reason, bad.message) == (
        Reason.UNHEALTHY,
        "missing in database app: uuid-ossp, postgis; run there: "
        'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION postgis;',
    )
    assert bad.values("extension_missing") == {("vector",): 0, ("uuid-ossp",): 1, ("postgis",): 1}
    assert bad.value("connections_used") == 1


async def test_makes_gauges_of_a_users_own_queries() -> None:
    queries = {
        "answer": {"sql": "SELECT 42", "help": "The answer."},
        "orders": {
            "sql": "SELECT 3 AS open, interval '90 s' AS oldest_seconds, NULL AS none, to_timestamp(7) AS at, .5 AS n",
            "values": ["open", "oldest_seconds", "none", "at", "n"],
        },
    }
    async with serving() as server:
        check = watching(server, queries=queries, warn={"query_answer": "> 41", "query_orders_oldest_seconds": "> 5m"})
        result = await run(check)
    assert (result.reason, list(check.problems())) == (Reason.OK, [])
    assert check.metrics_declared["query_answer"].help == "The answer."
    assert {key: result.values(key) for key in metrics_of(check.queries)} == {
        "query_answer": {(): 42},
        "query_orders_open": {(): 3},
        "query_orders_oldest_seconds": {(): 90},
        "query_orders_none": {},
        "query_orders_at": {(): 7},
        "query_orders_n": {(): 0.5},
    }
    assert [limit.bound for limit in check.limits if limit.by_user] == [41, 300]


NO_NUMBER = {
    "SELECT count(*) FROM orders": (Reason.UNHEALTHY, 'query mine: relation "orders" does not exist'),
    "SELEKT 1": (Reason.UNHEALTHY, 'query mine: syntax error at or near "SELEKT"'),
    "SELECT 1 WHERE false": (Reason.UNHEALTHY, "query mine answers 0 rows, not one"),
    "SELECT 1 AS a, 2 AS b": (
        Reason.UNHEALTHY,
        "query mine answers 2 columns (a, b); name those to export under values",
    ),
    "SELECT 'a lot'": (Reason.UNHEALTHY, "query mine answers 'a lot', which is no number"),
    "SELECT '4713-01-01 BC'::timestamptz": (
        Reason.UNHEALTHY,
        "query mine answers a time that Python has none for: date value out of range",
    ),
    "SELECT $1::int": (
        Reason.UNHEALTHY,
        "query mine: the server expects 1 argument for this query, 0 were passed",
    ),
    "SELECT count(*) FROM pg_authid": (Reason.AUTH, "query mine: permission denied for table pg_authid"),
    "CREATE TABLE t ()": (Reason.UNHEALTHY, "query mine: cannot execute CREATE TABLE in a read-only transaction"),
    "DO 'begin end'; SELECT 2": (
        Reason.UNHEALTHY,
        "query mine: cannot insert multiple commands into a prepared statement",
    ),
    "SELECT pg_cancel_backend(pg_backend_pid())": (
        Reason.TIMEOUT,
        "query mine: canceling statement due to user request",
    ),
}


@pytest.mark.parametrize("sql", NO_NUMBER)
async def test_says_why_a_query_gives_no_number(server: Server, sql: str) -> None:
    result = await run(watching(server, queries={"mine": {"sql": sql}}))
    assert (result.reason, result.message) == NO_NUMBER[sql]
    assert result.value("connections_used") == 1


async def test_says_which_columns_there_are(server: Server) -> None:
    result = await run(watching(server, queries={"mine": {"sql": "SELECT 1 AS a", "values": ["b"]}}))
    assert (result.reason, result.message) == (Reason.UNHEALTHY, "query mine answers no column b; it answers a")


async def test_leaves_no_session_behind_even_when_its_time_is_up(server: Server) -> None:
    result = await run(watching(server, queries={"slow": {"sql": "SELECT pg_sleep(60)"}}, timeout="2s"))
    assert (result.reason, result.message) == (Reason.TIMEOUT, "no answer within 2.0 s (in query)")
    async with asyncio.timeout(5):
        while await ask(server, PROBES_SESSIONS):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.05)
