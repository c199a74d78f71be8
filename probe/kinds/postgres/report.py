"""From PostgreSQL's answers to samples: what a column can't say by its name alone."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from probe.check import Run
from probe.kinds.postgres.metrics import PostgresMetrics
from probe.kinds.postgres.sql import FACTS, FOR_EVERYBODY, Answers, Row
from probe.kinds.postgres.statements import Counted, Sums, counted

STATES = ("active", "idle", "idle in transaction", "idle in transaction (aborted)")
"""What a session may be doing, in PostgreSQL's words; always exported. Rarer ones are while they occur."""

Metrics = type[PostgresMetrics]


class Memory(NamedTuple):
    """What one run leaves for the next. `caught_up_at`: when this replica was last level, by its own clock."""

    statements: Counted | None = None
    caught_up_at: float | None = None


def everything(run: Run, metrics: Metrics, answers: Answers, user: str) -> None:
    """Emit all that the answers tell, and note what they hide from this user."""
    server = answers["server"][0]
    run.emit(metrics.version_info, 1, version=server["version"])
    run.emit(metrics.replication_role_info, 1, role="replica" if server["replica"] else "primary")
    run.emit(metrics.privilege_info, 1, privilege=_privilege(server))
    _note_what_is_hidden(run, answers, user)
    _sessions(run, metrics, server, answers["sessions"])
    before: Memory = run.memory or Memory()
    run.memory = Memory(
        _statements(run, metrics, server, answers.get("statements", ()), before.statements),
        _lag(answers["receiver"], answers["replicas"], before.caught_up_at),
    )
    run.emit(metrics.replicas, sum(row.pop("replicas") for row in answers["replicas"]))
    for name in ("server", "databases", "extensions", "receiver", "slots", "archiver", "wal_folder"):
        _rows(run, metrics, name, answers.get(name, ()))
    if server["reads_stats"]:
        _rows(run, metrics, "replicas", answers["replicas"])
    for name in ("databases", "extensions", "replicas", "slots"):
        rows = answers[name]
        run.emit(metrics.omitted, rows[0]["matching"] - len(rows) if rows else 0, list=name)


def quoted(name: str) -> str:
    """A name as SQL wants it, in quotes only where it must be."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


def _privilege(server: Row) -> str:
    for fact, privilege in (
        ("superuser", "superuser"),
        ("monitors", "pg_monitor"),
        ("reads_stats", "pg_read_all_stats"),
    ):
        if server[fact]:
            return privilege
    return "login"


def _note_what_is_hidden(run: Run, answers: Answers, user: str) -> None:
    server = answers["server"][0]
    if not server["reads_stats"]:
        run.note(
            f"hidden from {user}: sessions by state, oldest transactions, names and lags of replicas: "
            f"GRANT pg_monitor TO {quoted(user)};"
        )
    if not server["lists_wal"]:
        run.note(
            f"hidden from {user}: size of the WAL folder: GRANT pg_monitor TO {quoted(user)}; "
            f"or: GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO {quoted(user)};"
        )
    if not answers["statements_at"] and any(row["extension"] == "pg_stat_statements" for row in answers["extensions"]):
        run.note(
            "pg_stat_statements is in the database but tells nothing: it must be in shared_preload_libraries, "
            "of version 1.8 or newer, and executable"
        )


def _sessions(run: Run, metrics: Metrics, server: Row, sessions: Sequence[Row]) -> None:
    """Without pg_read_all_stats the states are those of this login's own sessions only: then they are left out."""
    used = server["backends"]
    if server["reads_stats"]:
        by_state = {row["state"]: row for row in sessions}
        for state in dict.fromkeys((*STATES, *by_state)):
            run.emit(metrics.connections, by_state[state]["connections"] if state in by_state else 0, state=state)
        idle = [row["oldest_change"] for state, row in by_state.items() if state.startswith("idle in transaction")]
        run.emit(metrics.oldest_idle_in_transaction_seconds, max(idle, default=0))
        run.emit(metrics.oldest_transaction_seconds, max((row["oldest_transaction"] for row in sessions), default=0))
        used = 1 + sum(row["connections"] for row in sessions)
    run.emit(metrics.connections_used, used)
    run.emit(metrics.connections_ratio, used / server["connections_maximum"])


def _lag(receiver: Sequence[Row], replicas: Sequence[Row], caught_up_at: float | None) -> float | None:
    """Mend the lags that grow, or vanish, while a primary has nothing to do; says when this replica was last level.

    The age of the newest transaction replayed overstates: after a quiet night the first write makes it hours for a
    moment. What is not replayed now came after the replica was last seen level, so the lag is no more than that.
    """
    for row in receiver:
        if row["replication_receiving"] and row["caught_up"]:
            caught_up_at, row["replication_lag_seconds"] = row["now"], 0
        elif caught_up_at is not None:
            since = row["now"] - caught_up_at
            row["replication_lag_seconds"] = min(since, row["replication_lag_seconds"] or since)
    for row in replicas:
        if row["replica_lag_bytes"] is not None and row["replica_lag_bytes"] <= 0:
            row["replica_lag_seconds"] = 0
    return caught_up_at


def _statements(
    run: Run, metrics: Metrics, server: Row, statements: Sequence[Row], so_far: Counted | None
) -> Counted | None:
    for row in statements:
        now = Sums(row["calls"], row["seconds"], row["reset"], server["start_timestamp_seconds"])
        so_far = counted(so_far, now)
        run.emit(metrics.statements_total, so_far.calls)
        run.emit(metrics.statements_seconds_total, so_far.seconds)
    return so_far


def _rows(run: Run, metrics: Metrics, name: str, rows: Sequence[Row]) -> None:
    """Every column that is called like a metric, with the labels of its question.

    WAL positions and clocks are read one after another, so that a difference may come out just below 0.
    """
    labels = FOR_EVERYBODY[name].labels if name in FOR_EVERYBODY else ()
    for row in rows:
        own = {label: row[label] for label in labels}
        for column in row.keys() - FACTS - own.keys():
            if row[column] is not None:
                run.emit(getattr(metrics, column), max(0, row[column]), **own)
