"""The kind redis against real servers: Valkey from the wheel, Redis where Debian's is installed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import OutOfMemoryError

from probe.demo.process import free_port
from probe.demo.valkey import Valkey
from probe.kinds.redis import Redis
from probe.kinds.redis.info import MOST_DATABASES
from probe.model import Reason, Result
from tests.fault_table.rows import Own, Rows, Trust
from tests.harness import run
from tests.kinds.redis_servers import (
    BOTH,
    following,
    full,
    loading,
    logged_in,
    program_of,
    serving,
    tell,
    tell_line,
    until,
)

ON_REPLICAS = {"primary_link_up", "primary_lag_seconds", "primary_sync_in_progress", "primary_link_down_seconds"}
ON_PRIMARIES_WITH_REPLICAS = {"replica_lag_seconds", "replica_lag_bytes"}
KEYS = {"queue": "list", "members": "set", "board": "zset", "events": "stream", "user": "hash", "nothing": "list"}


PASSWORD = "sesame"


def pointed_at(host: str, port: int, tls: Trust) -> Redis:
    return Redis(name="cache", host=host, port=port, password=PASSWORD, tls=tls)


@contextlib.asynccontextmanager
async def healthy(folder: Path) -> AsyncIterator[int]:
    async with serving(folder, password=PASSWORD) as server:
        yield server.port


@contextlib.asynccontextmanager
async def with_another_password(folder: Path) -> AsyncIterator[Redis]:
    async with serving(folder) as server:
        yield logged_in(server, "default", PASSWORD)


@contextlib.asynccontextmanager
async def that_tells_nothing(folder: Path) -> AsyncIterator[Redis]:
    async with serving(folder) as server:
        await tell_line(server, "ACL SETUSER blind on >secret -@all +ping")
        yield logged_in(server, "blind")


@contextlib.asynccontextmanager
async def that_is_full(folder: Path) -> AsyncIterator[Redis]:
    async with serving(folder) as server, full(server):
        yield Redis(url=server.url)


@contextlib.asynccontextmanager
async def that_loads(folder: Path) -> AsyncIterator[Redis]:
    async with loading(folder) as server:
        yield Redis(url=server.url)


@contextlib.asynccontextmanager
async def that_follows(folder: Path) -> AsyncIterator[Redis]:
    async with serving(folder / "primary") as primary, following(primary, folder / "replica") as replica:
        yield Redis(url=replica.url)


ROWS = Rows(
    pointed_at,
    healthy,
    endless=(b"+OK\r\n+PONG\r\n*10000000\r\n", b"+endless\r\n"),
    own={
        "wrong password": Own(with_another_password, Reason.AUTH),
        "missing permission": Own(that_tells_nothing, Reason.AUTH),
        "too many connections": Own(that_is_full, Reason.UNHEALTHY),
        "starting up": Own(that_loads, Reason.UNHEALTHY),
        "read-only": Own(that_follows, Reason.OK),
    },
    differs={"plain where TLS is due": Reason.TIMEOUT},  # the server waits for the end of a command
    strangers={
        "": Reason.CONNECT,  # it hangs up on HTTP, which may be an attack
        "postgres": Reason.TIMEOUT,
        "tcp": Reason.TIMEOUT,
    },
)


def keys_of(result: Result) -> set[str]:
    return {sample.metric.key for sample in result.samples}


async def fill(server: Valkey, db: int = 0) -> None:
    await tell(server, "RPUSH", "queue", "a", "b", "c", db=db)
    await tell(server, "SADD", "members", "a", "b", db=db)
    await tell(server, "ZADD", "board", 1, "a", 2, "b", db=db)
    await tell(server, "XADD", "events", "*", "field", "value", db=db)
    await tell(server, "HSET", "user", "name", "Ada", "born", "1815", db=db)
    await tell(server, "SET", "text", "x", "EX", 1000, db=db)


@BOTH
async def test_tells_all_of_a_healthy_primary(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software) as server:
        await fill(server)
        await tell(server, "LLEN", "queue")
        await tell(server, "LLEN", "nothing")
        result = await run(Redis(url=server.url, keys=KEYS))
    assert (result.reason, result.message, result.notes) == (Reason.OK, "", ())
    assert [step.name for step in result.steps] == ["resolve", "connect", "ping", "info", "keys"]
    elsewhere = ON_REPLICAS | ON_PRIMARIES_WITH_REPLICAS | {"probe_duration_seconds"}
    assert keys_of(result) == Redis.declared.keys() - elsewhere

    assert 0 < result.value("ping_seconds") < result.duration
    ((name, version, mode),) = result.values("server_info")
    assert (name, mode) == (software, "standalone")
    assert int(version.split(".")[0]) >= (8 if software == "valkey" else 6)
    assert result.values("role_info") == {("primary",): 1}
    assert 0 <= result.at - result.value("start_timestamp_seconds") < 60
    assert result.value("clients") == 1
    assert result.value("clients_max") == 10000
    assert result.value("clients_ratio") == 1 / 10000
    assert result.value("connections_received_total") > result.value("connections_rejected_total") == 0
    assert result.value("commands_total") > 6
    assert 0 < result.value("memory_used_bytes") < result.value("memory_limit_bytes") == 64 * 1024**2
    assert 0 < result.value("memory_ratio") < 0.1
    assert (result.value("hits_total"), result.value("misses_total")) == (1, 1)
    assert result.value("database_keys", db="db0") == 6
    assert result.value("database_keys_expiring", db="db0") == 1
    assert result.value("rdb_last_save_ok") == 1
    assert result.value("rdb_changes_since_save") > 0
    assert (result.value("aof_enabled"), result.value("aof_last_write_ok")) == (1, 1)
    nothing = ["loading", "cluster_enabled", "clients_blocked", "replicas", "replicas_online", "databases_cut"]
    assert [result.value(key) for key in nothing] == [0] * len(nothing)
    lengths = {"queue": 3, "members": 2, "board": 2, "events": 1, "user": 2, "nothing": 0}
    assert result.values("key_length") == {(key,): length for key, length in lengths.items()}


@BOTH
async def test_follows_a_primary_and_its_replica_through_an_outage(tmp_path: Path, software: str) -> None:
    settings = {"repl_diskless_sync_delay": "0", "repl_ping_replica_period": "1"}
    async with (
        serving(tmp_path / "primary", software, **settings) as primary,
        following(primary, tmp_path / "replica", software) as replica,
    ):
        await tell(primary, "SET", "a", 1)
        on_primary = await until(Redis(url=primary.url), lambda result: result.value("replicas_online") == 1)
        assert on_primary.value("replicas") == 1
        assert on_primary.value("replica_lag_seconds") <= 2
        assert on_primary.value("replica_lag_bytes") >= 0
        assert on_primary.values("role_info") == {("primary",): 1}

        linked = await until(Redis(url=replica.url), lambda result: result.value("primary_link_up") == 1)
        assert linked.values("role_info") == {("replica",): 1}
        assert 0 <= linked.value("primary_lag_seconds") <= 2
        assert linked.value("primary_sync_in_progress") == 0
        assert "primary_link_down_seconds" not in keys_of(linked)

        await primary.stop()
        alone = await until(Redis(url=replica.url), lambda result: result.value("primary_link_up") == 0)
        assert alone.reason is Reason.OK
        assert alone.value("primary_link_down_seconds") >= 0
        assert "primary_lag_seconds" not in keys_of(alone)

        await tell(replica, "CONFIG", "SET", "replica-serve-stale-data", "no")
        stale = await run(Redis(url=replica.url, keys={"a": "list"}))
        assert stale.reason is Reason.UNHEALTHY
        assert stale.message.startswith("PING was refused: MASTERDOWN Link with MASTER is down")
        assert stale.value("primary_link_up") == 0


async def test_a_replica_that_never_saw_its_primary_says_no_age(tmp_path: Path) -> None:
    async with serving(tmp_path, replicaof=f"127.0.0.1 {free_port()}") as replica:
        result = await run(Redis(url=replica.url))
    assert result.value("primary_link_up") == 0
    assert not {"primary_link_down_seconds", "primary_lag_seconds"} & keys_of(result)


@BOTH
async def test_the_least_permissions_are_enough(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software) as server:
        await fill(server, db=3)
        whole = await run(Redis(url=server.url.replace("/0", "/3"), keys=KEYS))
        await tell_line(server, Redis.permissions.replace("PASSWORD", "secret"))
        least = await run(logged_in(server, "probe", db=3, keys=KEYS))
        assert (least.reason, least.notes) == (Reason.OK, ())
        assert keys_of(least) == keys_of(whole)
        assert least.values("key_length") == whole.values("key_length")


@BOTH
async def test_what_the_acl_denies_is_absent_and_the_note_says_how_to_grant_it(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software) as server:
        await fill(server)
        await tell_line(server, "ACL SETUSER probe on >secret -@all +info")
        check = logged_in(server, "probe", keys={"queue": "list", "board": "zset"})
        result = await run(check)
        assert result.reason is Reason.OK
        assert result.notes == (
            "the ACL denies PING, so its time is not measured; grant it: ACL SETUSER probe +ping",
            "the ACL hides the length of queue; grant it: ACL SETUSER probe ~queue ~board +llen +zcard",
        )
        assert not {"ping_seconds", "key_length"} & keys_of(result)
        assert result.value("clients") == 1
        for note in result.notes:
            await tell_line(server, note.partition("grant it: ")[2])
        mended = await run(check)
        assert mended.notes == ()
        assert mended.values("key_length") == {("queue",): 3, ("board",): 2}


@BOTH
async def test_lengths_of_a_database_that_the_acl_hides_are_not_those_of_another(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software) as server:
        await fill(server, db=0)
        await tell_line(server, "ACL SETUSER probe on >secret ~* -@all +info +ping +llen")
        check = logged_in(server, "probe", db=3, keys={"queue": "list"})
        result = await run(check)
        assert result.reason is Reason.OK
        assert "key_length" not in keys_of(result)
        (note,) = result.notes
        assert note == (
            "the ACL denies SELECT, so the keys of database 3 are hidden; grant it: ACL SETUSER probe +select"
        )
        await tell_line(server, note.partition("grant it: ")[2])
        assert (await run(check)).value("key_length", key="queue") == 0


@BOTH
async def test_login_and_permission_failures_are_auth(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software) as server:
        await tell_line(server, "ACL SETUSER blind on >secret -@all +ping")
        blind = await run(logged_in(server, "blind"))
        assert blind.reason is Reason.AUTH
        assert blind.message.startswith("the ACL denies INFO (NOPERM ")
        assert blind.message.endswith("grant it: ACL SETUSER blind +info")

        wrong = await run(Redis(url=f"redis://:not-{server.password}@127.0.0.1:{server.port}"))
        assert wrong.reason is Reason.AUTH
        assert wrong.message.startswith("the login as default was refused: WRONGPASS invalid username-password pair")

        nobody = await run(logged_in(server, "nobody"))
        assert nobody.reason is Reason.AUTH
        assert nobody.message.startswith("the login as nobody was refused: WRONGPASS")

        without = await run(Redis(host="127.0.0.1", port=server.port))
        assert (without.reason, without.message) == (
            Reason.AUTH,
            "PING was refused: NOAUTH Authentication required.",
        )


@BOTH
async def test_a_password_that_the_server_does_not_ask_for_is_told(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software, requirepass='""') as server:
        result = await run(Redis(host="127.0.0.1", port=server.port, password="secret"))
        assert result.reason is Reason.AUTH
        assert "without any password configured" in result.message
        assert (await run(Redis(host="127.0.0.1", port=server.port))).reason is Reason.OK


@BOTH
async def test_what_is_not_limited_or_not_kept_has_no_number(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software, maxmemory="0", appendonly="no") as server:
        result = await run(Redis(url=server.url))
    assert result.reason is Reason.OK
    assert not {"memory_limit_bytes", "memory_ratio", "memory_refusal_ratio", "aof_last_write_ok"} & keys_of(result)
    assert result.value("aof_enabled") == 0


@BOTH
async def test_a_full_memory_shows_in_its_ratio(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software, maxmemory="5mb") as server:
        for number in range(100):
            with contextlib.suppress(OutOfMemoryError):
                await tell(server, "SET", number, "x" * 100_000)
        result = await run(Redis(url=server.url))
        assert result.value("memory_ratio") > 0.9
        assert result.value("memory_refusal_ratio") == result.value("memory_ratio")
        await tell(server, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        evicting = await run(Redis(url=server.url))
        assert evicting.value("memory_ratio") > 0.9
        assert "memory_refusal_ratio" not in keys_of(evicting), "a cache may be full"


@BOTH
async def test_a_snapshot_that_failed_shows(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software) as server:
        check = Redis(url=server.url)
        assert (await run(check)).value("rdb_last_save_ok") == 1
        (tmp_path / "dump.rdb").mkdir()  # a folder can't be replaced by a file
        await tell(server, "SET", "a", 1)
        await tell(server, "BGSAVE")
        failed = await until(check, lambda result: result.value("rdb_last_save_ok") == 0)
        assert failed.reason is Reason.OK


async def test_a_key_of_another_type_is_unhealthy_and_hides_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await fill(server)
        result = await run(Redis(url=server.url, keys={"user": "list", "queue": "list"}))
    assert result.reason is Reason.UNHEALTHY
    assert result.message.startswith("LLEN user was refused: WRONGTYPE Operation against a key")
    assert result.values("key_length") == {("queue",): 3}


async def test_keys_are_those_of_the_chosen_database(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await fill(server, db=5)
        queue: dict[str, Any] = {"keys": {"queue": "list"}}
        assert (await run(Redis(url=server.url, **queue))).value("key_length", key="queue") == 0
        chosen = await run(Redis(url=server.url.replace("/0", "/5"), **queue))
        assert chosen.value("key_length", key="queue") == 3
        assert chosen.values("database_keys") == {("db5",): 6}
        beyond = await run(Redis(url=server.url.replace("/0", "/99"), **queue))
    assert (beyond.reason, beyond.message) == (
        Reason.UNHEALTHY,
        "SELECT 99 was refused: ERR DB index is out of range",
    )


async def test_many_databases_are_cut_and_counted(tmp_path: Path) -> None:
    async with serving(tmp_path, databases="200") as server:
        script = "for db = 0, 102 do redis.call('SELECT', db); redis.call('SET', 'a', 1) end"
        await tell(server, "EVAL", script, 0)
        result = await run(Redis(url=server.url))
    assert len(result.values("database_keys")) == MOST_DATABASES
    assert result.value("databases_cut") == 3


@BOTH
@pytest.mark.parametrize("with_password", [True, False])
async def test_no_room_for_another_client_is_unhealthy(tmp_path: Path, software: str, with_password: bool) -> None:
    async with serving(tmp_path, software) as server, full(server):
        password = server.password if with_password else None
        result = await run(Redis(host="127.0.0.1", port=server.port, password=password))
    assert result.reason is Reason.UNHEALTHY
    assert result.message.endswith("refused: ERR max number of clients reached")


@BOTH
async def test_a_server_busy_with_a_script_is_unhealthy(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software, lua_time_limit="50") as server:
        endless = asyncio.create_task(tell(server, "EVAL", "while true do end", 0))
        result = await until(Redis(url=server.url), lambda result: result.reason is not Reason.OK)
        await tell(server, "SCRIPT", "KILL")
        await asyncio.wait({endless})
        assert endless.exception() is not None
    assert result.reason is Reason.UNHEALTHY
    assert "BUSY" in result.message


@BOTH
async def test_a_server_that_loads_its_data_is_unhealthy_and_tells_how_far_it_is(tmp_path: Path, software: str) -> None:
    async with loading(tmp_path, software) as server:
        early = await run(Redis(url=server.url))
        loaded = await until(Redis(url=server.url), lambda result: result.reason is not Reason.UNHEALTHY)
    assert early.reason is Reason.UNHEALTHY
    assert early.message.startswith("LOADING: it reads its data and serves nobody until then (")
    assert early.value("loading") == 1
    assert (loaded.reason, loaded.value("loading")) == (Reason.OK, 0)


@BOTH
async def test_a_node_of_a_broken_cluster(tmp_path: Path, software: str) -> None:
    async with serving(tmp_path, software, cluster_enabled="yes", cluster_port=str(free_port())) as server:
        node = await run(Redis(url=server.url))
        assert node.reason is Reason.OK
        assert node.value("cluster_enabled") == 1
        key = await run(Redis(url=server.url, keys={"queue": "list"}))
        assert key.reason is Reason.UNHEALTHY
        assert key.message == "LLEN queue was refused: CLUSTERDOWN Hash slot not served"


@BOTH
async def test_a_sentinel_says_what_it_has(tmp_path: Path, software: str) -> None:
    sentinel = tmp_path / f"{software}-sentinel"  # the name makes it one
    sentinel.symlink_to(program_of(software))
    async with serving(tmp_path / "data", sentinel) as server:
        result = await run(Redis(url=server.url))
    assert (result.reason, result.notes) == (Reason.OK, ())
    assert result.values("role_info") == {("sentinel",): 1}
    assert result.value("clients") == 1
    assert not {"memory_used_bytes", "rdb_last_save_ok", "replicas", "primary_link_up"} & keys_of(result)


def test_what_is_limited_unless_a_user_turns_it_off() -> None:
    check = Redis(url="redis://cache", warn={"memory_refusal_ratio": "off", "key_length{key=queue}": "> 1000"})
    assert {f"{limit.metric} {limit.op} {limit.bound:g}" for limit in check.limits} == {
        "probe_redis_clients_ratio > 0.8",
        "probe_redis_primary_link_up < 1",
        "probe_redis_rdb_last_save_ok < 1",
        "probe_redis_aof_last_write_ok < 1",
        "probe_redis_key_length > 1000",
    }
    assert list(check.problems()) == []
