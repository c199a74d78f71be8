"""A user's own SQL as gauges: what may be written, which metrics it declares, how a row becomes numbers."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from asyncpg import InterfaceError, PostgresError, Record

from probe.check import Part, Problem, Unhealthy
from probe.exchange import excerpt
from probe.kinds.postgres.connection import Connection
from probe.kinds.postgres.failures import of_query
from probe.model import Metric, gauge

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Query(Part):
    """SQL that answers one row of numbers."""

    sql: str
    """One SELECT. It runs with every run of the check, read-only, so keep it quick."""
    help: str = ""
    """What the number says, for the metric's help."""
    values: tuple[str, ...] = ()
    """Columns to export, each as `probe_postgres_query_<query>_<column>`; without it the row has one column."""

    def columns(self, name: str) -> dict[str, str]:
        """The metric's key of each column; the column is empty when there is but one."""
        return {column: f"query_{name}_{column}" for column in self.values} or {"": f"query_{name}"}


def metrics_of(queries: Mapping[str, Query]) -> dict[str, Metric]:
    """The gauges by key, as named by the config alone."""
    return {
        key: gauge(query.help or f"What the config's query {name} answers" + (f" as {column}." if column else "."))
        for name, query in queries.items()
        for column, key in query.columns(name).items()
    }


def problems_of(queries: Mapping[str, Query]) -> Iterator[Problem]:
    """Names that are no metric's, or two of which are the same metric's."""
    taken: dict[str, str] = {}
    for name, query in queries.items():
        for column, key in query.columns(name).items():
            place = ("queries", name, "values") if column else ("queries", name)
            if not _NAME.fullmatch(column or name):
                yield place, f"\"{column or name}\" can't be part of a metric's name; use small letters, digits and _"
            elif key.endswith("_total"):
                yield place, f'"{column or name}" ends in _total, as a counter does; this becomes a gauge, rename it'
            elif key in taken:
                yield place, f"{key} is the name of two numbers, of query {taken[key]} too; rename one"
            taken[key] = name


async def answers(connection: Connection, name: str, query: Query) -> dict[str, float]:
    """The numbers of one query by metric key, without those that are NULL. Raises Unhealthy, Denied, Overdue."""
    try:
        rows = await connection.fetch(query.sql)
    except PostgresError as error:
        raise of_query(name, error) from error
    except InterfaceError as error:
        raise Unhealthy(f"query {name}: {excerpt(str(error).partition('HINT')[0])}") from error
    except (ValueError, OverflowError) as error:
        raise Unhealthy(f"query {name} answers a time that Python has none for: {excerpt(str(error))}") from error
    if len(rows) != 1:
        raise Unhealthy(f"query {name} answers {len(rows)} rows, not one")
    numbers = {key: _number(name, _cell(name, rows[0], column)) for column, key in query.columns(name).items()}
    return {key: number for key, number in numbers.items() if number is not None}


def _cell(name: str, row: Record, column: str) -> object:
    has = ", ".join(row.keys()) or "none"
    if column and column not in row.keys():  # noqa: SIM118  # `in` a Record looks among its values
        raise Unhealthy(f"query {name} answers no column {column}; it answers {has}")
    if not column and len(row) != 1:
        raise Unhealthy(f"query {name} answers {len(row)} columns ({has}); name those to export under values")
    return row[column or 0]


def _number(name: str, value: object) -> float | None:
    """A cell as a number in base units: an interval in seconds, a point in time as unix seconds."""
    match value:
        case None:
            return None
        case bool() | int() | float() | Decimal():
            return float(value)
        case timedelta():
            return value.total_seconds()
        case datetime() if value.tzinfo is not None:
            return value.timestamp()
        case _:
            raise Unhealthy(f"query {name} answers {excerpt(str(value), 80)!r}, which is no number")
