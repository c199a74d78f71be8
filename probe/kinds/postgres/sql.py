# ruff: noqa: S608  # what is put into a statement here is this file's own text, or a name that the server quoted
"""What PostgreSQL is asked, for 13 to 18: several questions in one statement, each answer a JSON list of rows.

A column is called like the metric that it becomes, unless it is one of its question's labels or of `FACTS`: what is
not a metric, but decides about them. A NULL is not exported.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from probe.kinds.postgres.connection import Connection

MOST = 100
"""Rows of a list that are reported; the rest is counted."""


class Question(NamedTuple):
    """A SELECT and which of its columns are labels."""

    sql: str
    labels: tuple[str, ...] = ()


Row = dict[str, Any]
Answers = Mapping[str, Sequence[Row]]

FACTS = frozenset(
    [
        "version",
        "replica",
        "superuser",
        "monitors",
        "reads_stats",
        "lists_wal",
        "now",
        "caught_up",
        "backends",
        "matching",
    ]
)

_HERE = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
"""Up to where this server has the WAL; only a primary may be asked for the one, only a replica has the other."""

_SERVER = f"""
    SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
           pg_is_in_recovery() AS replica,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
           pg_has_role('pg_monitor', 'USAGE') AS monitors,
           pg_has_role('pg_read_all_stats', 'USAGE') AS reads_stats,
           has_function_privilege('pg_ls_waldir()', 'EXECUTE') AS lists_wal,
           (SELECT sum(numbackends) FROM pg_stat_database) AS backends,
           extract(epoch FROM pg_postmaster_start_time()) AS start_timestamp_seconds,
           current_setting('max_connections')::int
               - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections_maximum,
           (SELECT count(*) FROM pg_locks WHERE NOT granted) AS locks_waited_for,
           (SELECT max(age(datfrozenxid)) FROM pg_database) AS transaction_id_age,
           (SELECT max(mxid_age(datminmxid)) FROM pg_database) AS multixact_id_age,
           (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - prepared)), 0) FROM pg_prepared_xacts)
               AS oldest_prepared_transaction_seconds,
           pg_wal_lsn_diff({_HERE}, '0/0') AS wal_bytes_total"""

_SESSIONS = """
    SELECT coalesce(state, 'unknown') AS state,
           count(*) AS connections,
           coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) AS oldest_transaction,
           coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0) AS oldest_change
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1"""

_DATABASES = f"""
    SELECT s.datname, count(*) OVER () AS matching,
           numbackends AS database_connections,
           xact_commit AS commits_total,
           xact_rollback AS rollbacks_total,
           deadlocks AS deadlocks_total,
           temp_bytes AS temporary_bytes_total,
           blks_hit AS blocks_hit_total,
           blks_read AS blocks_read_total,
           checksum_failures AS checksum_failures_total
    FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid
    WHERE d.datallowconn AND NOT d.datistemplate
    ORDER BY s.datname = current_database() DESC, d.oid LIMIT {MOST}"""

_EXTENSIONS = f"""
    SELECT extname AS extension, extversion AS version, 1 AS extension_info, count(*) OVER () AS matching
    FROM pg_extension ORDER BY extname = ANY($1::text[]) DESC, extname LIMIT {MOST}"""
"""Those named in $1, which are missed, first."""

_RECEIVER = """
    SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)::int AS replication_receiving,
           pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AS caught_up,
           extract(epoch FROM clock_timestamp()) AS now,
           pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) AS replication_lag_bytes,
           extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) AS replication_lag_seconds
    WHERE pg_is_in_recovery()"""

_REPLICAS = f"""
    SELECT coalesce(application_name, '') AS application, coalesce(host(client_addr), 'local') AS address,
           count(*) AS replicas, count(*) OVER () AS matching,
           max(pg_wal_lsn_diff({_HERE}, replay_lsn)) AS replica_lag_bytes,
           max(extract(epoch FROM replay_lag)) AS replica_lag_seconds
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT {MOST}"""

_SLOTS = f"""
    SELECT slot_name AS slot, count(*) OVER () AS matching,
           active::int AS slot_active,
           (wal_status IS NOT DISTINCT FROM 'lost')::int AS slot_lost,
           pg_wal_lsn_diff({_HERE}, restart_lsn) AS slot_retained_bytes
    FROM pg_replication_slots WHERE NOT temporary ORDER BY slot_name LIMIT {MOST}"""

_ARCHIVER = """
    SELECT archived_count AS wal_archived_total,
           failed_count AS wal_archive_failures_total,
           (last_failed_time > coalesce(last_archived_time, '-infinity'))::int AS wal_archive_failing
    FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'"""

_STATEMENTS_AT = """
    SELECT quote_ident(n.nspname) AS schema, string_to_array(e.extversion, '.')::int[] >= '{1,9}' AS tells_resets
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements' AND string_to_array(e.extversion, '.')::int[] >= '{1,8}'
      AND current_setting('pg_stat_statements.max', true) IS NOT NULL
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_function_privilege(to_regprocedure(format('%I.pg_stat_statements(boolean)', n.nspname)), 'EXECUTE')"""
"""Where the extension stands, if it is loaded (its setting exists), new enough and allowed."""

FOR_EVERYBODY: Mapping[str, Question] = {
    "server": Question(_SERVER),
    "sessions": Question(_SESSIONS),
    "databases": Question(_DATABASES, ("datname",)),
    "extensions": Question(_EXTENSIONS, ("extension", "version")),
    "receiver": Question(_RECEIVER),
    "replicas": Question(_REPLICAS, ("application", "address")),
    "slots": Question(_SLOTS, ("slot",)),
    "archiver": Question(_ARCHIVER),
    "statements_at": Question(_STATEMENTS_AT),
}
"""What every login may ask. Without pg_read_all_stats `sessions` and `replicas` tell less than there is, silently."""

WAL_FOLDER = Question("""
    SELECT count(*) AS wal_files, coalesce(sum(size), 0) AS wal_size_bytes
    FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'""")
"""An error without the right to call that function, even where it would not be called: so it is asked apart."""

SIZES = f"""
    SELECT datname, count(*) OVER () AS matching,
           CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                THEN pg_database_size(oid) END AS size
    FROM pg_database WHERE datallowconn AND NOT datistemplate
    ORDER BY datname = ANY($1) DESC, datname = current_database() DESC, oid LIMIT {MOST}"""
"""Sizes of databases, those named in $1 first; NULL where this login may not know it."""


def statements(schema: str, tells_resets: bool) -> Question:
    """The sums over pg_stat_statements, whose extension stands in this (quoted) schema; without the queries' texts."""
    reset = f"(SELECT extract(epoch FROM stats_reset) FROM {schema}.pg_stat_statements_info)" if tells_resets else "0"
    return Question(f"""
        SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(total_exec_time), 0) / 1000 AS seconds, {reset} AS reset
        FROM {schema}.pg_stat_statements(false)""")


async def ask(connection: Connection, questions: Mapping[str, Question], *arguments: object) -> Answers:
    """The rows that answer each question, in one statement with these arguments."""
    columns = ", ".join(
        f"(SELECT json_agg(answer)::text FROM ({question.sql}) answer) AS {name}"
        for name, question in questions.items()
    )
    row = await connection.fetchrow(f"SELECT {columns}", *arguments)
    return {name: json.loads(row[name]) if row[name] else [] for name in questions} if row else {}
