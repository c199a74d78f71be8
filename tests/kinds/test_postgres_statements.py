"""The counter of statements: from pg_stat_statements, which only Debian's PostgreSQL has."""

import pytest

from probe.kinds.postgres.statements import Counted, Sums, counted
from probe.runner import Runner
from tests.harness import run
from tests.kinds.postgres_servers import DEBIAN, keys_of, serving, sessions, watching

BEFORE = Counted(1000, 50, Sums(calls=300, seconds=20, reset=7, started=5))


@pytest.mark.parametrize(
    ("what", "now", "calls", "seconds"),
    [
        ("some more", Sums(310, 21, reset=7, started=5), 1010, 51),
        ("nothing", Sums(300, 20, reset=7, started=5), 1000, 50),
        ("more were forgotten than came", Sums(250, 19, reset=7, started=5), 1000, 50),
        ("reset, and few since", Sums(4, 0.5, reset=8, started=5), 1004, 50.5),
        ("reset, and many since", Sums(400, 30, reset=8, started=5), 1400, 80),
        ("restarted", Sums(310, 21, reset=7, started=9), 1010, 51),
        ("another server took over", Sums(90_000, 900, reset=3, started=2), 1000, 50),
    ],
)
def test_the_counter_never_runs_backwards(what: str, now: Sums, calls: float, seconds: float) -> None:
    assert counted(BEFORE, now) == Counted(calls, seconds, now), what


def test_the_counter_starts_where_the_server_is() -> None:
    now = Sums(300, 20, reset=7, started=5)
    assert counted(None, now) == Counted(300, 20, now)


@DEBIAN
async def test_counts_on_when_the_server_is_made_to_forget() -> None:
    async with serving("debian") as server, sessions(server, 1) as (session,):
        check, runner = watching(server), Runner()
        for _ in range(100):
            await session.execute("SELECT 1")
        before = await runner.run(check)
        await server.execute("SELECT pg_stat_statements_reset()")
        for _ in range(10):
            await session.execute("SELECT 2")
        after = await runner.run(check)
        fresh = await run(check)
        await runner.close()
    assert before.value("statements_total") >= 100
    assert before.value("statements_total") + 10 <= after.value("statements_total")
    assert before.value("statements_seconds_total") < after.value("statements_seconds_total")
    assert fresh.value("statements_total") < 100


@DEBIAN
async def test_finds_the_extension_in_whatever_schema() -> None:
    async with serving("debian") as server:
        await server.execute(
            'CREATE SCHEMA "My ""Stats"""', 'ALTER EXTENSION pg_stat_statements SET SCHEMA "My ""Stats"""'
        )
        hidden = await run(watching(server))
        await server.execute('GRANT USAGE ON SCHEMA "My ""Stats""" TO probe')
        result = await run(watching(server))
    assert "statements_total" not in keys_of(hidden)
    assert result.value("statements_total") > 0


@DEBIAN
async def test_says_that_the_extension_is_not_loaded() -> None:
    async with serving("debian", shared_preload_libraries="") as server:
        result = await run(watching(server))
    assert "statements_total" not in keys_of(result)
    assert result.notes == (
        "pg_stat_statements is in the database but tells nothing: it must be in shared_preload_libraries, "
        "of version 1.8 or newer, and executable",
    )
