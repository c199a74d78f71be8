"""What each privilege shows, what it hides, and that nothing hidden reads 0."""

from probe.kinds.postgres import Postgres
from probe.model import Reason
from tests.harness import run
from tests.kinds.postgres_servers import EACH, PASSWORD, keys_of, serving, sessions, watching

OF_STATS = {"connections", "oldest_transaction_seconds", "oldest_idle_in_transaction_seconds"}
OF_WAL_FOLDER = {"wal_files", "wal_size_bytes"}


@EACH
async def test_each_privilege_shows_what_it_may(version: str) -> None:
    async with serving(version) as server:
        await server.make_role("stats", PASSWORD, member_of=["pg_read_all_stats"])
        async with sessions(server, 2, user="probe"):
            whole, monitor, stats, login = [
                await run(watching(server, user)) if user else await run(Postgres(name="db", dsn=server.dsn()))
                for user in ("", "probe", "stats", "app")
            ]
    assert {result.reason for result in (whole, monitor, stats, login)} == {Reason.OK}
    assert [list(result.values("privilege_info")) for result in (whole, monitor, stats, login)] == [
        [("superuser",)],
        [("pg_monitor",)],
        [("pg_read_all_stats",)],
        [("login",)],
    ]
    assert keys_of(whole) == keys_of(monitor)
    assert keys_of(monitor) - keys_of(stats) == OF_WAL_FOLDER
    assert keys_of(stats) - keys_of(login) == OF_STATS
    assert (whole.notes, monitor.notes) == ((), ())
    assert stats.notes == (
        "hidden from stats: size of the WAL folder: GRANT pg_monitor TO stats; "
        "or: GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO stats;",
    )
    assert login.notes[0] == (
        "hidden from app: sessions by state, oldest transactions, names and lags of replicas: GRANT pg_monitor TO app;"
    )
    assert monitor.value("connections_used") == stats.value("connections_used") == 3
    assert login.value("connections_used") >= 3


async def test_the_grants_that_it_names_are_enough() -> None:
    async with serving() as server:
        await server.execute(
            *Postgres.permissions.replace("'...'", f"'{PASSWORD}'").replace("probe", "pasted").split(";\n")[:2]
        )
        monitor = await run(watching(server, "pasted"))
        await server.execute("GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO app", "GRANT pg_read_all_stats TO app")
        parts = await run(watching(server, "app"))
    assert (monitor.notes, parts.notes) == ((), ())
    assert keys_of(monitor) == keys_of(parts)


async def test_a_privilege_that_is_not_inherited_shows_nothing() -> None:
    async with serving("16") as server:
        await server.execute("ALTER ROLE app NOINHERIT", "GRANT pg_monitor TO app")
        result = await run(watching(server, "app"))
    assert result.values("privilege_info") == {("login",): 1}
    assert "connections" not in keys_of(result)


@EACH
async def test_a_forbidden_database_hides_only_its_own_size(version: str) -> None:
    async with serving(version) as server:
        await server.execute('CREATE DATABASE "Secret"')
        await server.execute('REVOKE CONNECT ON DATABASE "Secret" FROM PUBLIC')
        login, monitor = await run(watching(server, "app"), "sizes"), await run(watching(server), "sizes")
    assert (login.reason, monitor.reason) == (Reason.OK, Reason.OK)
    assert login.values("database_size_bytes").keys() == {("app",), ("postgres",)}
    assert login.notes == (
        'the size of database Secret is hidden from app: GRANT CONNECT ON DATABASE "Secret" TO app;',
    )
    assert monitor.values("database_size_bytes").keys() == {("app",), ("postgres",), ("Secret",)}
    assert monitor.notes == ()


async def test_reports_a_hundred_databases_and_counts_the_rest() -> None:
    async with serving() as server:
        await server.execute(*(f"CREATE DATABASE d{n} STRATEGY file_copy" for n in range(100)))
        check = watching(server, capacity={"d99": "1GiB"}, timeout="15s")
        result, sizes = await run(check), await run(check, "sizes")
    assert len(result.values("commits_total")) == len(sizes.values("database_size_bytes")) == 100
    assert ("app",) in result.values("commits_total")
    assert {("app",), ("d99",)} <= sizes.values("database_size_bytes").keys()
    assert result.value("omitted", list="databases") == 2
