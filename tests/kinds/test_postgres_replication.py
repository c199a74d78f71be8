"""A primary and a real standby: who is behind, by how much, and no false alarm where nobody writes."""

import asyncio

import pytest

from probe.kinds.postgres import Postgres
from probe.kinds.postgres.report import _lag
from tests.harness import run
from tests.kinds.postgres_servers import EACH, ask, following, keys_of, serving, until, watching


@EACH
async def test_tells_of_a_standby_at_both_ends(version: str) -> None:
    async with serving(version) as primary, following(primary, version) as standby:
        here = await until(watching(primary), lambda result: bool(result.values("replica_lag_seconds")))
        await primary.execute("CREATE TABLE written ()")
        there = await until(watching(standby), lambda result: result.values("replication_lag_seconds") == {(): 0})
        login = await run(watching(primary, "app"))

        await standby.execute("SELECT pg_wal_replay_pause()")
        await primary.execute("CREATE TABLE t AS SELECT generate_series(1, 10000) n")
        behind = await until(watching(standby), lambda result: result.value("replication_lag_bytes") > 100_000)
        left = await until(watching(primary), lambda result: max(result.values("replica_lag_bytes").values()) > 100_000)
        await standby.execute("SELECT pg_wal_replay_resume()")
        await until(watching(standby), lambda result: result.value("replication_lag_bytes") == 0)

    assert list(here.values("replication_role_info")) == [("primary",)]
    assert here.value("replicas") == 1
    assert here.values("replica_lag_seconds").keys() == {("walreceiver", "127.0.0.1")}
    assert here.values("slot_active") == {("standby",): 1}
    assert here.values("slot_lost") == {("standby",): 0}
    assert here.value("slot_retained_bytes", slot="standby") < 16 * 1024**2

    assert list(there.values("replication_role_info")) == [("replica",)]
    assert there.value("replication_receiving") == 1
    assert there.value("replication_lag_bytes") == 0
    assert there.value("wal_bytes_total") <= left.value("wal_bytes_total")
    assert behind.value("replication_lag_seconds") > 0
    assert left.value("replica_lag_bytes", application="walreceiver") > 100_000

    assert login.value("replicas") == 1
    assert not {"replica_lag_bytes", "replica_lag_seconds"} & keys_of(login)
    assert login.values("slot_active") == {("standby",): 1}


async def test_an_idle_primary_makes_no_lag_and_a_lost_one_does() -> None:
    async with serving() as primary, following(primary, "18") as standby:
        await primary.execute("CREATE TABLE t ()")
        check = Postgres(name="db", dsn=standby.dsn())
        await until(check, lambda result: result.values("replication_lag_seconds") == {(): 0})
        await asyncio.sleep(0.3)
        idle = await run(check)
        stale = await ask(standby, "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8")
        await primary.stop()
        lost = await until(check, lambda result: result.value("replication_receiving") == 0)
    assert stale > 0.3
    assert idle.value("replication_lag_seconds") == 0
    assert lost.value("replication_lag_seconds") > 0.3
    assert lost.value("replication_lag_bytes") == 0


@pytest.mark.parametrize(
    ("receiving", "caught_up", "age", "caught_up_at", "lag"),
    [
        (1, True, 7200, None, 0),
        (1, True, None, None, 0),
        (1, False, 7200, None, 7200),
        (1, False, 7200, 990, 10),
        (1, False, 4, 990, 4),
        (1, False, None, 990, 10),
        (1, False, None, None, None),
        (0, True, 7200, 990, 10),
        (0, None, 7200, None, 7200),
    ],
)
def test_a_replica_lags_no_longer_than_since_it_was_last_level(
    receiving: int, caught_up: bool | None, age: float | None, caught_up_at: float | None, lag: float | None
) -> None:
    row = {"now": 1000, "replication_receiving": receiving, "caught_up": caught_up, "replication_lag_seconds": age}
    level_at = _lag([row], [], caught_up_at)
    assert row["replication_lag_seconds"] == lag
    assert level_at == (1000 if receiving and caught_up else caught_up_at)
