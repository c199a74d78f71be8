"""What is measured of a PostgreSQL, and from where."""

from probe.kinds.postgres.sql import MOST
from probe.model import counter, gauge


class PostgresMetrics:
    """Names, helps and default limits. A column of `sql` that is called like one of them becomes it."""

    version_info = gauge("PostgreSQL's version (server_version); always 1.", "version")
    start_timestamp_seconds = gauge("When the server started (pg_postmaster_start_time).")
    privilege_info = gauge(
        "What the login may see: superuser, pg_monitor, pg_read_all_stats or login (nothing special); always 1.",
        "privilege",
    )
    connections = gauge("Clients' sessions by state, less probe's own (pg_stat_activity).", "state")
    connections_used = gauge(
        "Clients' sessions, with probe's own (pg_stat_activity; without pg_read_all_stats: all sessions of "
        "pg_stat_database, so with background workers)."
    )
    connections_maximum = gauge("Sessions that ordinary roles may have (max_connections less the reserved ones).")
    connections_ratio = gauge("connections_used as a part of connections_maximum.", warn="> 0.8")
    database_connections = gauge("Sessions in the database (pg_stat_database numbackends).", "datname")
    commits_total = counter("Transactions committed (pg_stat_database xact_commit).", "datname")
    rollbacks_total = counter("Transactions rolled back (pg_stat_database xact_rollback).", "datname")
    deadlocks_total = counter("Deadlocks that were broken (pg_stat_database).", "datname")
    temporary_bytes_total = counter("Bytes written to temporary files by queries (pg_stat_database).", "datname")
    blocks_hit_total = counter("Blocks found in PostgreSQL's own cache (pg_stat_database blks_hit).", "datname")
    blocks_read_total = counter("Blocks read from disk or the system's cache (pg_stat_database).", "datname")
    checksum_failures_total = counter("Data pages that were damaged; only with checksums enabled.", "datname")
    statements_total = counter(
        "Statements executed, at least (pg_stat_statements calls, where that extension is in the database). "
        "Starts at the server's own sum and never runs backwards."
    )
    statements_seconds_total = counter("Seconds spent in them, at least (pg_stat_statements total_exec_time).")
    oldest_transaction_seconds = gauge("Age of the oldest open transaction of a client.", warn="> 12h")
    oldest_idle_in_transaction_seconds = gauge(
        "How long a client has left its transaction open and done nothing, the longest.", warn="> 15m"
    )
    oldest_prepared_transaction_seconds = gauge(
        "Age of the oldest transaction prepared for two-phase commit (pg_prepared_xacts).", warn="> 1h"
    )
    locks_waited_for = gauge("Locks that somebody waits for now (pg_locks, not granted).")
    transaction_id_age = gauge(
        "Transactions since the oldest unfrozen one, of all databases; writes end at 2.1 billion (datfrozenxid).",
        warn="> 1000000000",
        fail="> 2000000000",
    )
    multixact_id_age = gauge("The same for multixact ids (datminmxid).", warn="> 1000000000", fail="> 2000000000")
    wal_bytes_total = counter("Write-ahead log written, on a replica replayed (from the WAL position).")
    wal_files = gauge("Files in the WAL folder (pg_ls_waldir).")
    wal_size_bytes = gauge("Size of the WAL folder (pg_ls_waldir).")
    wal_archived_total = counter("WAL files archived; only with archive_mode (pg_stat_archiver).")
    wal_archive_failures_total = counter("Failed attempts to archive a WAL file (pg_stat_archiver).")
    wal_archive_failing = gauge("1 if the last attempt to archive failed (pg_stat_archiver).", warn="> 0")
    replication_role_info = gauge("Whether it is a primary or a replica; always 1.", "role")
    replication_receiving = gauge("1 if this replica is connected to its primary (pg_stat_wal_receiver).")
    replication_lag_seconds = gauge(
        "On a replica: 0 if connected and all that came is replayed, else the age of the newest transaction replayed.",
        warn="> 5m",
    )
    replication_lag_bytes = gauge("On a replica: WAL that came and is not replayed yet.")
    replicas = gauge("Replicas and subscribers that stream from here now (pg_stat_replication).")
    replica_lag_bytes = gauge("WAL that a replica has not replayed yet.", "application", "address")
    replica_lag_seconds = gauge(
        "Time until a replica replays what is written here (replay_lag; 0 when it has replayed everything).",
        "application",
        "address",
    )
    slot_active = gauge("1 if somebody streams from the replication slot.", "slot")
    slot_lost = gauge("1 if WAL that the slot needs is gone: its replica must be rebuilt.", "slot", warn="> 0")
    slot_retained_bytes = gauge("WAL that is kept for the replication slot.", "slot", warn="> 10GiB")
    extension_info = gauge("Extensions of the database; always 1 (pg_extension).", "extension", "version")
    extension_missing = gauge("1 if an expected extension is not in the database.", "extension")
    omitted = gauge(f"Entries of a list beyond the {MOST} that are reported.", "list")
    database_size_bytes = gauge("Size on disk (pg_database_size).", "datname", survey="sizes")
    database_capacity_bytes = gauge("The size that is meant to be enough (config).", "datname", survey="sizes")
    database_capacity_ratio = gauge(
        "database_size_bytes as a part of the capacity.", "datname", survey="sizes", warn="> 0.8"
    )
