"""INFO's answer: a text of `name:value` lines in sections."""

import math
import re
from collections.abc import Iterator

from probe.check import Garbled
from probe.exchange.answer import excerpt

MOST_DATABASES = 100
"""Databases that are shown one by one; a server may have thousands."""

_REPLICA = re.compile(r"^(slave\d+):(.*)\r$", re.MULTILINE)


class Info:
    """What a server says of itself. A field that it does not have is None.

    Of some 200 fields 40 matter: to search the text for them, in about the server's own order, takes half as long as
    to take it all apart.
    """

    def __init__(self, answer: object) -> None:
        """Raises Garbled when the answer is no INFO of Redis or of one of its kin."""
        self._text = f"\r\n{answer.decode(errors='replace')}\r\n" if isinstance(answer, bytes) else ""
        self._known: dict[str, str | None] = {}
        self._at = 0
        if self.text("redis_version") is None:
            raise Garbled(f"INFO was answered with {excerpt(repr(answer))}, which is not Redis'")

    def text(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def number(self, name: str) -> float | None:
        """Raises Garbled when it is there and no number."""
        value = self.text(name)
        return None if value is None else _number(name, value)

    def age(self, name: str) -> float | None:
        """Seconds since something; None also when it never was, which INFO writes as -1."""
        seconds = self.number(name)
        return None if seconds is None or seconds < 0 else seconds

    def flag(self, name: str, good: str) -> bool | None:
        """Whether a field has its good value."""
        value = self.text(name)
        return None if value is None else value == good

    @property
    def software(self) -> str:
        """`redis` or `valkey`."""
        return "redis" if self.text("valkey_version") is None else "valkey"

    @property
    def version(self) -> str:
        """Valkey's own version, not that of the Redis that it is compatible with."""
        return self.text("valkey_version") or self.text("redis_version") or ""

    @property
    def mode(self) -> str:
        """`standalone`, `cluster` or `sentinel`."""
        return self.text("redis_mode") or self.text("server_mode") or "standalone"

    @property
    def role(self) -> str:
        """`primary`, `replica` or `sentinel`; what INFO calls master and slave."""
        said = self.text("role") or self.mode
        return {"master": "primary", "slave": "replica"}.get(said, said)

    def started(self, now: float) -> float | None:
        """Unix time of the start; by the server's own clock where it says that (6.2), so that it does not waver."""
        uptime = self.number("uptime_in_seconds")
        clock = self.number("server_time_usec")
        return None if uptime is None else (now if clock is None else clock // 1_000_000) - uptime

    def counted_memory(self) -> float | None:
        """Bytes as the server holds them against its limit: without the buffers of replicas and of the AOF."""
        used = self.number("used_memory")
        return None if used is None else used - (self.number("mem_not_counted_for_evict") or 0)

    def counted_clients(self) -> float | None:
        """Connections as the server holds them against its maximum: with those of replicas and of the cluster."""
        clients = self.number("connected_clients")
        if clients is None:
            return None
        return clients + (self.number("connected_slaves") or 0) + (self.number("cluster_connections") or 0)

    def databases(self) -> Iterator[tuple[str, float, float]]:
        """Name (`db0`), keys, and keys that expire, of each database that is not empty."""
        keyspace = self._text.partition("# Keyspace\r\n")[2].partition("\r\n\r\n")[0]
        for name, value in _fields(keyspace).items():
            parts = _parts(value)
            yield name, _number(name, parts.get("keys", "")), _number(name, parts.get("expires", ""))

    def replica_lags(self) -> list[tuple[float, float]]:
        """Of each replica that is online: seconds since it last acknowledged, bytes that it has not acknowledged."""
        if self.number("connected_slaves") == 0:
            return []
        written = self.number("master_repl_offset") or 0
        lags = []
        for name, value in _REPLICA.findall(self._text):
            parts = _parts(value)
            if parts.get("state") == "online":
                acknowledged = _number(name, parts.get("offset", ""))
                lags.append((_number(name, parts.get("lag", "")), max(0.0, written - acknowledged)))
        return lags

    def _found(self, name: str) -> str | None:
        """The rest of its line; looked for from where the latest one was found."""
        start = f"\r\n{name}:"
        at = self._text.find(start, self._at)
        if at < 0 and (at := self._text.find(start, 0, self._at)) < 0:
            return None
        value = at + len(start)
        self._at = self._text.find("\r\n", value)
        return self._text[value : self._at]


def _fields(text: str) -> dict[str, str]:
    return dict([line.split(":", 1) for line in text.split("\r\n") if ":" in line])


def _parts(value: str) -> dict[str, str]:
    """A value that is a list itself, as `keys=1,expires=0`."""
    return {name: part for name, _, part in (pair.partition("=") for pair in value.split(","))}


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Garbled(f"INFO says {name}:{excerpt(value)}, which is no number")
    return number


def _ratio(part: float | None, whole: float | None) -> float | None:
    """None also where nothing is the whole: a limit of 0 is no limit."""
    return None if part is None or not whole else part / whole


def readings(info: Info, now: float) -> Iterator[tuple[str, float]]:
    """The numbers that every server has at most once, by the key of their metric; what it does not say is left out."""
    for section in (
        _life(info, now),
        _clients(info),
        _memory(info),
        _persistence(info),
        _use(info),
        _replication(info),
    ):
        for key, value in section.items():
            if value is not None:
                yield key, value


def _life(info: Info, now: float) -> dict[str, float | None]:
    return {"start_timestamp_seconds": info.started(now)}


def _clients(info: Info) -> dict[str, float | None]:
    return {
        "clients": info.number("connected_clients"),
        "clients_max": info.number("maxclients"),
        "clients_ratio": _ratio(info.counted_clients(), info.number("maxclients")),
        "clients_blocked": info.number("blocked_clients"),
    }


def _memory(info: Info) -> dict[str, float | None]:
    used, rss, limit = info.number("used_memory"), info.number("used_memory_rss"), info.number("maxmemory")
    ratio = _ratio(info.counted_memory(), limit)
    return {
        "memory_used_bytes": used,
        "memory_rss_bytes": rss,
        "memory_limit_bytes": limit or None,
        "memory_ratio": ratio,
        "memory_refusal_ratio": ratio if info.flag("maxmemory_policy", "noeviction") else None,
    }


def _persistence(info: Info) -> dict[str, float | None]:
    return {
        "loading": info.number("loading"),
        "rdb_changes_since_save": info.number("rdb_changes_since_last_save"),
        "rdb_last_save_timestamp_seconds": info.number("rdb_last_save_time"),
        "rdb_last_save_ok": info.flag("rdb_last_bgsave_status", "ok"),
        "aof_enabled": info.number("aof_enabled"),
        "aof_last_write_ok": info.flag("aof_last_write_status", "ok") if info.number("aof_enabled") else None,
    }


def _use(info: Info) -> dict[str, float | None]:
    return {
        "connections_received_total": info.number("total_connections_received"),
        "commands_total": info.number("total_commands_processed"),
        "connections_rejected_total": info.number("rejected_connections"),
        "expired_keys_total": info.number("expired_keys"),
        "evicted_keys_total": info.number("evicted_keys"),
        "hits_total": info.number("keyspace_hits"),
        "misses_total": info.number("keyspace_misses"),
        "error_replies_total": info.number("total_error_replies"),
    }


def _replication(info: Info) -> dict[str, float | None]:
    replicas, lags = info.number("connected_slaves"), info.replica_lags()
    return {
        **_link(info),
        "replicas": replicas,
        "replicas_online": None if replicas is None else len(lags),
        "replica_lag_seconds": max((seconds for seconds, _ in lags), default=None),
        "replica_lag_bytes": max((size for _, size in lags), default=None),
        "cluster_enabled": info.number("cluster_enabled"),
    }


def _link(info: Info) -> dict[str, float | None]:
    """A replica's to its primary."""
    is_up = info.flag("master_link_status", "up")
    if is_up is None:
        return {}
    return {
        "primary_link_up": is_up,
        "primary_lag_seconds": info.age("master_last_io_seconds_ago"),
        "primary_sync_in_progress": info.number("master_sync_in_progress"),
        "primary_link_down_seconds": info.age("master_link_down_since_seconds"),
    }
