"""Redis and Valkey: does it answer, how near are its limits, is it replicated and saved, how long are its queues?

One connection and one round trip a run: AUTH, SELECT, PING, INFO and the lengths of `keys` travel together.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    MasterDownError,
    NoPermissionError,
    RedisError,
    TryAgainError,
)

from probe.check import Check, Denied, Failures, Garbled, Problem, Run, Secret, Unhealthy, Url
from probe.exchange import Tls, excerpt
from probe.exchange.hosts import Host
from probe.exchange.sockets import open_link
from probe.kinds.redis.failures import FAILURES, refusal, said
from probe.kinds.redis.info import MOST_DATABASES, Info, readings
from probe.kinds.redis.login import PORT, Login, UrlError, read_url
from probe.kinds.redis.wire import Answer, HungUp, Incoming, Question, Wire, packed
from probe.model import Reason, counter, gauge

MOST_KEYS = 100
"""Lengths that one check may ask for."""

LENGTH = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "stream": "XLEN", "hash": "HLEN"}
"""The command that tells how long a value of a type is; all take constant time."""

ELSEWHERE = (AskError, TryAgainError)
"""A cluster's answers for a key that another node has (MovedError is an AskError), or that is just moving."""

STILL_TELLS = (BusyLoadingError, MasterDownError)
"""Refusals of PING by a server that answers INFO all the same."""

KeyName = Annotated[str, Field(min_length=1, max_length=256)]
KeyType = Literal["list", "set", "zset", "stream", "hash"]


class Redis(Check):
    """Redis 6 to 8, Valkey and their kin: connections, memory, persistence, replication, lengths of queues."""

    url: Url = ""
    """`redis://user:password@host:6379/0`, or `rediss://` for TLS; in place of host, port, tls and so on."""
    host: Host = ""
    """Name or IP address, when there is no url."""
    port: int = Field(default=PORT, ge=1, le=65535)
    """TCP port, when there is no url."""
    username: str = ""
    """User of the ACL; empty: the user `default`. Also beside a url that names none."""
    password: Secret | None = None
    """Its password; none: no login. Also beside a url that has none."""
    db: int = Field(default=0, ge=0)
    """Number of the database that `keys` are in, when there is no url."""
    tls: Tls | None = None
    """How to trust and to appear. With host it turns TLS on (`tls: {}`); a url says so by `rediss://`."""
    keys: Mapping[KeyName, KeyType] = Field(default_factory=dict, max_length=MOST_KEYS)
    """Keys whose length is wanted, with the type that Redis' TYPE says, as `{celery: list, "bull:mail:wait": list}`.

    A key that does not exist has length 0, as Redis means it; one of another type makes the run unhealthy, because
    whoever works on that queue fails just so. In a cluster the node that is asked must be the one that has them."""

    class metrics:
        ping_seconds = gauge("Seconds from asking to the answer of PING; login, INFO and key lengths travel with it.")
        server_info = gauge("Always 1. What runs there, by its INFO.", "software", "version", "mode")
        role_info = gauge("Always 1. The role: primary, replica or sentinel (INFO role).", "role")
        start_timestamp_seconds = gauge("When the server was started (INFO uptime_in_seconds).")
        loading = gauge("Whether it is still loading its data and serves nobody (INFO loading).")
        clients = gauge("Client connections now, replicas not counted (INFO connected_clients).")
        clients_max = gauge("Connections that it accepts at most (INFO maxclients, Redis 6.2).")
        clients_ratio = gauge(
            "Connections, of replicas and of the cluster too, of those that it accepts at most.", warn="> 0.8"
        )
        clients_blocked = gauge("Clients that wait in BLPOP, XREAD and their like (INFO blocked_clients).")
        connections_received_total = counter("Connections accepted (INFO total_connections_received).")
        connections_rejected_total = counter("Connections refused for maxclients (INFO rejected_connections).")
        commands_total = counter("Commands processed (INFO total_commands_processed).")
        error_replies_total = counter("Commands answered with an error (INFO total_error_replies, Redis 6.2).")
        memory_used_bytes = gauge("Memory that the server allocated (INFO used_memory).")
        memory_rss_bytes = gauge("Memory that the system gave it (INFO used_memory_rss).")
        memory_limit_bytes = gauge("Its limit (INFO maxmemory); absent where there is none.")
        memory_ratio = gauge(
            "Memory that counts against its limit, of the limit; absent where there is none. At 1 it evicts or, with "
            "the policy noeviction, refuses writes."
        )
        memory_refusal_ratio = gauge(
            "The same where nothing is evicted (INFO maxmemory_policy noeviction): at 1 it refuses writes. A cache "
            "that evicts may be full.",
            warn="> 0.9",
        )
        evicted_keys_total = counter("Keys removed for the memory limit (INFO evicted_keys).")
        expired_keys_total = counter("Keys removed because their time was over (INFO expired_keys).")
        hits_total = counter("Look-ups that found their key (INFO keyspace_hits).")
        misses_total = counter("Look-ups that found none (INFO keyspace_misses).")
        database_keys = gauge("Keys of a database; empty ones are not shown (INFO keyspace).", "db")
        database_keys_expiring = gauge("Its keys that have a time to live (INFO keyspace).", "db")
        databases_cut = gauge(f"Databases beyond the first {MOST_DATABASES}, which are not shown.")
        replicas = gauge("Replicas connected, in whatever state (INFO connected_slaves).")
        replicas_online = gauge("Replicas that follow, not still synchronising (INFO slave0 and so on).")
        replica_lag_seconds = gauge("Seconds since the slowest online replica last acknowledged (INFO slave0 lag).")
        replica_lag_bytes = gauge(
            "Bytes written that the slowest online replica has not acknowledged (offsets of INFO)."
        )
        primary_link_up = gauge(
            "On a replica: whether its link to the primary is up (INFO master_link_status).", warn="< 1"
        )
        primary_link_down_seconds = gauge(
            "On a replica whose link is down: for how long, if it ever was up (INFO master_link_down_since_seconds)."
        )
        primary_lag_seconds = gauge(
            "On a replica: seconds since it last heard from the primary (INFO master_last_io_seconds_ago)."
        )
        primary_sync_in_progress = gauge("On a replica: whether it copies all data now (INFO master_sync_in_progress).")
        rdb_last_save_ok = gauge("Whether the last snapshot succeeded (INFO rdb_last_bgsave_status).", warn="< 1")
        rdb_last_save_timestamp_seconds = gauge(
            "When data was last saved as a snapshot; the start, if not since then (INFO rdb_last_save_time)."
        )
        rdb_changes_since_save = gauge("Writes that no snapshot has yet (INFO rdb_changes_since_last_save).")
        aof_enabled = gauge("Whether writes are logged to an append-only file (INFO aof_enabled).")
        aof_last_write_ok = gauge(
            "With an append-only file: whether the last write to it succeeded (INFO aof_last_write_status).",
            warn="< 1",
        )
        cluster_enabled = gauge("Whether it is a node of a cluster (INFO cluster_enabled).")
        key_length = gauge("Elements of a list, set, sorted set, stream or hash; 0 when there is none.", "key")

    failures: ClassVar[Failures] = FAILURES
    example: ClassVar[str] = """\
checks:
  cache:
    kind: redis
    url: redis://probe:${CACHE_PASSWORD}@cache:6379/0
    keys: {celery: list, "bull:mail:wait": list}
    warn: {"key_length{key=celery}": "> 1000"}
    fail: {memory_refusal_ratio: "> 0.98"}
"""
    reasons: ClassVar[Mapping[Reason, str]] = {
        Reason.CONNECT: "refused, reset, or closed without a word: also a TLS port that is asked without TLS",
        Reason.TIMEOUT: "in tls: also a port without TLS, where the server waits for the end of a command",
        Reason.AUTH: "NOAUTH, WRONGPASS, protected mode, or NOPERM for INFO",
        Reason.PROTOCOL: "not Redis' protocol, cut off, or a server that does not know INFO",
        Reason.UNHEALTHY: "LOADING, MASTERDOWN, BUSY, CLUSTERDOWN, maxclients reached, no such database, "
        "a key of another type than `keys` says",
    }
    permissions: ClassVar[str] = (
        "ACL SETUSER probe on >PASSWORD ~* -@all +ping +info +select +llen +scard +zcard +xlen +hlen"
    )

    async def run(self, run: Run) -> None:
        try:
            await self._converse(run)
        except HungUp:
            if self.login.encrypted:
                async with await self._open(run) as wire:
                    await wire.hear_out()
            raise

    @cached_property
    def login(self) -> Login:
        """Where to connect and as whom. Raises UrlError."""
        given = self.password.get_secret_value() if self.password else ""
        if not self.url:
            return Login(self.host, self.port, self.username, given, self.db, self.tls is not None)
        read = read_url(self.url)
        return read._replace(username=read.username or self.username, password=read.password or given)

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if not self.url:
            if not self.host:
                yield ("url",), "neither url nor host is given; write url: redis://host:6379/0"
            return
        for field in ("host", "port", "db"):
            if field in self.model_fields_set:
                yield (field,), f"{field} stands beside a url; write it into the url"
        try:
            encrypted = self.login.encrypted
        except UrlError as error:
            yield ("url",), str(error)
        else:
            if self.tls is not None and not encrypted:
                yield ("tls",), "tls stands beside a url without it; write rediss:// instead of redis://"

    async def _open(self, run: Run) -> Wire:
        server = self.login
        tls = (self.tls or Tls()) if server.encrypted else None
        _, incoming = await open_link(run, server.host, server.port, lambda: Incoming(str(server)), tls=tls)
        return Wire(incoming)

    async def _converse(self, run: Run) -> None:
        async with await self._open(run) as wire:
            before = run.remaining
            with run.step("ping"):
                wire.ask(self._questions)
                may_look = await self._enter(run, wire)
                pong = await wire.answer()
            self._report_ping(run, pong, before - run.remaining)
            with run.step("info"):
                self._report_info(run, await wire.answer())
            if isinstance(pong, STILL_TELLS):
                raise refusal("PING", pong)
            with run.step("keys"):
                lengths = [await wire.answer() for _ in self.keys]
        if may_look:
            self._report_lengths(run, lengths)

    @cached_property
    def _questions(self) -> bytes:
        """All that a run asks, as it is sent."""
        server = self.login
        login: list[Question] = []
        if server.username:
            login.append(("AUTH", server.username, server.password))
        elif server.password:  # as applications do: one word is refused where no password is set, two are not
            login.append(("AUTH", server.password))
        if server.db:
            login.append(("SELECT", server.db))
        return packed([*login, ("PING",), ("INFO",), *((LENGTH[kind], key) for key, kind in self.keys.items())])

    async def _enter(self, run: Run, wire: Wire) -> bool:
        """Read the answers of AUTH and SELECT; whether the lengths that follow are those of the right database."""
        server = self.login
        if server.password or server.username:
            granted(f"the login as {server.username or 'default'}", await wire.answer())
        if not server.db:
            return True
        chosen = await wire.answer()
        if isinstance(chosen, NoPermissionError):
            run.note(f"the ACL denies SELECT, so the keys of database {server.db} are hidden; {self._grant('+select')}")
            return False
        granted(f"SELECT {server.db}", chosen)
        return True

    def _report_ping(self, run: Run, pong: Answer, took: float) -> None:
        if isinstance(pong, NoPermissionError):
            run.note(f"the ACL denies PING, so its time is not measured; {self._grant('+ping')}")
        elif not isinstance(pong, STILL_TELLS):
            if granted("PING", pong) != b"PONG":
                raise Garbled(f"PING was answered with {excerpt(repr(pong))}")
            run.emit(self.metrics.ping_seconds, took)

    def _report_info(self, run: Run, answer: Answer) -> None:
        if isinstance(answer, NoPermissionError):
            raise Denied(f"the ACL denies INFO ({said(answer)}); {self._grant('+info')}")
        info = Info(granted("INFO", answer))
        run.emit(self.metrics.server_info, 1, software=info.software, version=info.version, mode=info.mode)
        run.emit(self.metrics.role_info, 1, role=info.role)
        for key, value in readings(info, run.now):
            run.emit(self.declared[key], value)
        databases = list(info.databases())
        for db, keys, expiring in databases[:MOST_DATABASES]:
            run.emit(self.metrics.database_keys, keys, db=db)
            run.emit(self.metrics.database_keys_expiring, expiring, db=db)
        run.emit(self.metrics.databases_cut, max(0, len(databases) - MOST_DATABASES))
        if info.number("loading"):
            done = f"{info.text('loading_loaded_perc') or '?'}% done, {info.text('loading_eta_seconds') or '?'} s to go"
            raise Unhealthy(f"LOADING: it reads its data and serves nobody until then ({done})")

    def _report_lengths(self, run: Run, lengths: Sequence[Answer]) -> None:
        others = []
        for (key, kind), length in zip(self.keys.items(), lengths, strict=True):
            if isinstance(length, int):
                run.emit(self.metrics.key_length, length, key=key)
            else:
                others.append((key, kind, length))
        denied = [(key, kind) for key, kind, answer in others if isinstance(answer, NoPermissionError)]
        if denied:
            rights = [f"~{key}" for key, _ in denied] + sorted({f"+{LENGTH[kind].lower()}" for _, kind in denied})
            run.note(f"the ACL hides the length of {denied[0][0]}; {self._grant(*rights)}")
        for key, kind, answer in others:
            if isinstance(answer, ELSEWHERE):
                run.note(f"{key} is on another node of the cluster ({said(answer)}); ask for its length there")
            elif not isinstance(answer, NoPermissionError):
                granted(f"{LENGTH[kind]} {key}", answer)
                raise Garbled(f"{LENGTH[kind]} {key} was answered with {excerpt(repr(answer))}")

    def _grant(self, *rights: str) -> str:
        return f"grant it: ACL SETUSER {self.login.username or 'default'} {' '.join(rights)}"


def granted(asked: str, answer: Answer) -> Answer:
    """The answer, unless it is an error of the server: then that is raised."""
    if isinstance(answer, RedisError):
        raise refusal(asked, answer)
    return answer
