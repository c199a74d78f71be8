"""PostgreSQL: does it take logins, how full is it, what holds it up, how far behind are its replicas?"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from probe.check import Check, Duration, Problem, Run, Secret, Size, Unhealthy, Url, survey
from probe.exchange import Link, Tls, TlsMetrics, emit_tls
from probe.kinds.postgres import custom, report, sql
from probe.kinds.postgres import login as logins
from probe.kinds.postgres.connection import Connection, connected
from probe.kinds.postgres.failures import FAILURES
from probe.kinds.postgres.metrics import PostgresMetrics
from probe.kinds.postgres.report import quoted
from probe.model import Metric, Reason, named


class Postgres(Check):
    """Logs in to PostgreSQL (13 to 18) and reads its own statistics, in a read-only session of its own each time.

    Point it at PostgreSQL itself. PgBouncer refuses the settings of the session unless its ignore_startup_parameters
    lists default_transaction_read_only, statement_timeout and jit, and the numbers are those of the server behind it.
    """

    dsn: Url = ""
    """Where and as whom, as libpq reads it: `postgresql://user:password@host:5432/database?sslmode=verify-full`.
    Instead of it: `host`, `port`, `user`, `database`. The password may stand apart in either case."""
    host: str = ""
    """Name or address of the server, or the folder of its Unix socket (`/run/postgresql`)."""
    port: int = Field(default=logins.PORT, ge=1, le=65535)
    """TCP port of the server."""
    user: str = ""
    """The role to log in as."""
    password: Secret = Secret("")
    """The role's password."""
    database: str = ""
    """The database to log in to. Default: the one that is called like the user."""
    tls: Tls | None = None
    """Encrypt, and check the server's certificate. Without it, and without sslmode in the dsn: encrypted when the
    server offers it, with any certificate (libpq's `prefer`)."""
    extensions: tuple[str, ...] = ()
    """Extensions that the database must have (`vector`); a missing one is a failure."""
    capacity: Mapping[str, Annotated[Size, Field(gt=0)]] = Field(default_factory=dict)
    """The size that is meant to be enough for a database (`app: 50GiB`), by its name."""
    queries: Mapping[str, custom.Query] = Field(default_factory=dict)
    """SQL of your own whose answer, one row, becomes gauges, by name."""
    size_interval: Duration = Field(default=300.0, ge=1)
    """Time from one look at the databases' sizes to the next; the server walks through all their files for it."""
    size_timeout: Duration = Field(default=30.0, gt=0)
    """The deadline of one such look."""

    class metrics(PostgresMetrics, TlsMetrics):
        """Read from the server's statistics views and from the config; of its certificate when that is checked."""

    failures: ClassVar = FAILURES
    example: ClassVar[str] = """\
checks:
  db:
    kind: postgres
    dsn: postgresql://probe:${DB_PASSWORD}@db:5432/app
    extensions: [vector]
    capacity: {app: 50GiB}
    queries:
      orders_unpaid:
        sql: SELECT count(*) FROM orders WHERE paid IS NULL
        help: Orders that nobody has paid for yet.
    warn: {query_orders_unpaid: "> 100"}
    fail: {connections_ratio: "> 0.95", "database_size_bytes{datname=app}": "> 45GiB"}
"""
    reasons: ClassVar[Mapping[Reason, str]] = {
        Reason.CONNECT: "Nobody listens there, or the connection was closed before the first byte: a wrong port, "
        "a balancer with no server behind it, listen_addresses.",
        Reason.TLS: "No handshake, or TLS is asked for (tls, sslmode) and the server has none.",
        Reason.AUTH: "SQLSTATE 28xxx: a wrong password, no line in pg_hba.conf, a role that may not log in. 42501: a "
        "query of yours reads what was not granted.",
        Reason.TIMEOUT: "No answer in time, also SQLSTATE 57014: statement_timeout, which is the run's deadline.",
        Reason.PROTOCOL: "Something else listens there, or the answer was cut off. 08P01: PgBouncer minds a setting "
        "of the session (see ignore_startup_parameters).",
        Reason.UNHEALTHY: "The server says no: 53300 too many connections, 57P03 starting up, 3D000 no such "
        "database; an expected extension is missing; a query of yours fails or answers no number.",
    }
    permissions: ClassVar[str] = """\
CREATE ROLE probe LOGIN PASSWORD '...';
GRANT pg_monitor TO probe;
-- With pg_read_all_stats instead of pg_monitor: all but the WAL folder's size; for that also
--   GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO probe;
-- With neither: no sessions by state, no oldest transactions, no names and lags of replicas.
-- For your own queries: GRANT SELECT ON the tables that they read TO probe;
"""

    @cached_property
    def metrics_declared(self) -> Mapping[str, Metric]:
        """The class's metrics and a gauge for each number of `queries`."""
        return {**self.declared, **named(custom.metrics_of(self.queries), "probe_postgres_")}

    @cached_property
    def login(self) -> logins.Login:
        """Where to log in. Raises LoginError, which `problems` tells beforehand."""
        password = self.password.get_secret_value()
        if self.dsn:
            return logins.of_dsn(self.dsn, password, self.tls)
        tls, if_offered = logins.without_mode(self.tls)
        database = self.database or self.user
        return logins.Login(self.host, self.port, self.user, password, database, tls, if_offered)

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from custom.problems_of(self.queries)
        apart = self.model_fields_set & {"host", "port", "user", "database"}
        if self.dsn and apart:
            yield (min(apart),), f"{min(apart)} and dsn say the same; keep one of them"
        elif self.dsn:
            try:
                logins.of_dsn(self.dsn, self.password.get_secret_value(), self.tls)
            except logins.LoginError as error:
                yield ("dsn",), str(error)
        elif not (self.host and self.user):
            yield (), "does not say where to log in; write dsn, or host and user"
        elif not logins.is_place(self.host):
            yield ("host",), "no name of a host, no IP address, and no folder of a socket; the port stands in port"
        for field in ("user", "database"):
            if "\0" in getattr(self, field):
                yield (field,), "a name of PostgreSQL can't hold a NUL"

    async def run(self, run: Run) -> None:
        link = Link()
        try:
            await self._look(run, link)
        finally:
            if self.login.tls is not None and not self.login.tls.insecure:
                emit_tls(run, link)

    async def _look(self, run: Run, link: Link) -> None:
        async with connected(run, self.login, link) as connection:
            with run.step("query"):
                answers = await self._ask(connection)
                report.everything(run, self.metrics, answers, self.login.user)
                self._expect_extensions(run, answers)
                for name, query in self.queries.items():
                    for key, number in (await custom.answers(connection, name, query)).items():
                        run.emit(self.metrics_declared[key], number)

    @survey(interval="size_interval", timeout="size_timeout")
    async def sizes(self, run: Run) -> None:
        """Size of each database."""
        async with connected(run, self.login) as connection:
            with run.step("query"):
                rows = await connection.fetch(sql.SIZES, list(self.capacity))
        for row in rows:
            if row["size"] is None:
                run.note(
                    f"the size of database {row['datname']} is hidden from {self.login.user}: "
                    f"GRANT CONNECT ON DATABASE {quoted(row['datname'])} TO {quoted(self.login.user)};"
                )
            else:
                run.emit(self.metrics.database_size_bytes, row["size"], datname=row["datname"])
        sizes = {row["datname"]: row["size"] for row in rows}
        for name, enough in self.capacity.items():
            run.emit(self.metrics.database_capacity_bytes, enough, datname=name)
            if name not in sizes:
                run.note(f"there is no database {name}, which capacity names")
            elif sizes[name] is not None:
                run.emit(self.metrics.database_capacity_ratio, sizes[name] / enough, datname=name)

    async def _ask(self, connection: Connection) -> sql.Answers:
        answers = dict(await sql.ask(connection, sql.FOR_EVERYBODY, list(self.extensions)))
        more = {"wal_folder": sql.WAL_FOLDER} if answers["server"][0]["lists_wal"] else {}
        for at in answers["statements_at"]:
            more["statements"] = sql.statements(at["schema"], at["tells_resets"])
        return {**answers, **(await sql.ask(connection, more) if more else {})}

    def _expect_extensions(self, run: Run, answers: sql.Answers) -> None:
        present = {row["extension"] for row in answers["extensions"]}
        missing = [name for name in dict.fromkeys(self.extensions) if name not in present]
        for name in dict.fromkeys(self.extensions):
            run.emit(self.metrics.extension_missing, name in missing, extension=name)
        if missing:
            commands = " ".join(f"CREATE EXTENSION {quoted(name)};" for name in missing)
            raise Unhealthy(f"missing in database {self.login.database}: {', '.join(missing)}; run there: {commands}")
