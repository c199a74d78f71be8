"""A small shop's stack on a bad day, as values: something of everything that a page can show."""

from dataclasses import dataclass, field, replace

from prometheus_client import CollectorRegistry

from probe.check import Check, Duration, Run, survey
from probe.model import Change, Health, Reason, Result, Step, Verdict, gauge
from probe.server import Snapshot
from probe.state import Board, State, SurveyState
from probe.state.values import Cause
from tests.exporter.boards import NOON, board_of, rendered


class Http(Check, kind="http"):
    """Stands for any kind that asks a server something."""


class Postgres(Check, kind="postgres"):
    """Has limits and a survey."""

    sizes_interval: Duration = 300.0
    """Time between two surveys."""
    sizes_timeout: Duration = 60.0
    """Deadline of a survey."""

    class metrics:  # as in a kind
        connections_ratio = gauge("Connections in use.", warn="> 0.8", fail="> 0.95")
        database_size_bytes = gauge("Size of a database.", "datname", survey="sizes")
        backup_timestamp_seconds = gauge("When the last backup ended.")

    @survey(interval="sizes_interval", timeout="sizes_timeout")
    async def sizes(self, run: Run) -> None:
        """Never run: the scene is built from values."""


class S3(Check, kind="s3"):
    """Has a slow survey."""


STEPS = ("resolve", "connect", "tls", "processing", "transfer")


def checks() -> list[Check]:
    return [
        Http(name="website", labels={"team": "web"}, needs=("api",)),
        Http(name="api", labels={"team": "core"}, needs=("db", "cache")),
        Postgres(
            name="db",
            labels={"team": "core"},
            warn={"database_size_bytes{datname=app}": "> 40GiB", "backup_timestamp_seconds": "> 26h"},
        ),
        Postgres(name="reports-db", warn={"backup_timestamp_seconds": "> 26h"}),
        Http(name="cache"),
        Http(name="shop-frontend"),
        Http(name="payments"),
        S3(name="backups"),
        Http(name="search", optional=True),
        Http(name="mailer"),
        Http(name="langfuse"),
    ]


def board() -> Board:
    known = board_of(checks())
    states = [
        unhealthy(known["db"], Reason.CONNECT, "connection refused by 127.0.0.1:5432", step="connect"),
        replace(
            unhealthy(known["api"], Reason.UNHEALTHY, 'status 503, expected 200: {"detail":"no database"}'),
            causes=(Cause("db"),),
        ),
        replace(
            unhealthy(
                known["website"], Reason.TIMEOUT, "no answer within 5.0 s (in processing)", 5.0, step="processing"
            ),
            causes=(Cause("db"),),
        ),
        degraded(known["reports-db"]),
        ran(known["cache"], 0.002),
        ran(known["shop-frontend"], 0.08),
        ran(known["payments"], 0.2),
        ran(known["backups"], 0.03),
        ran(known["langfuse"], 0.4),
        replace(
            run(
                known["search"], failure("search", Reason.DNS, "no address for search.internal", 0.004, step="resolve")
            ),
            verdict=Verdict(Health.UNKNOWN, "absent", "no address for search.internal"),
        ),
    ]
    for state in states:
        known = known.put(state)
    db, limits = known["db"], known["db"].limits
    values: dict[str, float] = {
        "connections_ratio": 0.42,
        "database_size_bytes": 31 * 2**30,
        "backup_timestamp_seconds": 4e4,
    }
    measured = tuple(
        replace(each, value=values[each.limit.metric.removeprefix("probe_postgres_")], missing=False) for each in limits
    )
    sizes = replace(
        good("db", 1.8), survey="sizes", steps=(), notes=("two databases hidden: GRANT pg_monitor TO probe;",)
    )
    return known.put(replace(db, limits=measured, surveys={"sizes": SurveyState(sizes, last_success_at=NOON - 100)}))


def good(name: str, seconds: float, at: float = NOON) -> Result:
    shares = zip(STEPS, (0.05, 0.1, 0.25, 0.5, 0.1), strict=True)
    steps = tuple(Step(step, seconds * share) for step, share in shares)
    return Result(name, Reason.OK, at=at, began=at, ended=at + seconds, steps=steps)


def failure(name: str, reason: Reason, message: str, seconds: float, *, step: str = "", at: float = NOON) -> Result:
    steps = (Step("resolve", seconds * 0.1), Step(step, seconds * 0.9)) if step else ()
    return Result(name, reason, message=message, at=at, began=at, ended=at + seconds, steps=steps, step=step)


def run(state: State, *results: Result) -> State:
    """A state with these runs in its history, the last one standing; its verdict is the caller's."""
    for result in results:
        state = replace(
            state,
            result=result,
            tally=state.tally.plus(result.reason, result.duration),
            strip=state.strip.plus(result),
            failed=state.failed if result.ok else (result, *state.failed)[:3],
            last_success_at=result.at if result.ok else state.last_success_at,
        )
    return state


def ran(state: State, seconds: float, runs: int = 50) -> State:
    """A healthy state after many good runs of about this length."""
    history = [
        good(state.check, seconds * (1 + (index * 37 % 11) / 9), NOON - 15 * (runs - index) - 5)
        for index in range(runs)
    ]
    return replace(run(state, *history), verdict=Verdict(Health.HEALTHY, "", ""), since_at=NOON - 86400 * 3)


def unhealthy(state: State, reason: Reason, message: str, seconds: float = 0.004, *, step: str = "") -> State:
    """Forty good runs, then eight failed ones, the first two of which were timeouts."""
    slow = [
        failure(state.check, Reason.TIMEOUT, "no answer within 5.0 s", 5.0, step="connect", at=NOON - 15 * n)
        for n in (9, 8)
    ]
    failures = [
        failure(state.check, reason, message, seconds, step=step, at=NOON - 15 * n - 3) for n in range(7, -1, -1)
    ]
    verdict = Verdict(Health.UNHEALTHY, reason.value, message)
    return replace(run(ran(state, 0.05, 40), *slow, *failures), verdict=verdict, since_at=NOON - 130)


def degraded(state: State) -> State:
    """Good runs with a number that is too high for one of its limits, and a limit that finds no number."""
    limits = [
        replace(each, value=0.87, crossed=each.limit.level == "warn")
        if "ratio" in each.limit.metric
        else replace(each, missing=True)
        for each in state.limits
    ]
    message = "postgres_connections_ratio is 87%, limit > 80%"
    return replace(
        ran(state, 0.02), verdict=Verdict(Health.DEGRADED, "limit", message), limits=tuple(limits), since_at=NOON - 4000
    )


def changes() -> list[Change]:
    well = Verdict(Health.HEALTHY, "", "")
    refused = Verdict(Health.UNHEALTHY, "connect", "connection refused by 127.0.0.1:5432")
    answered = Verdict(Health.UNHEALTHY, "unhealthy", 'status 503, expected 200: {"detail":"no database"}')
    late = Verdict(Health.UNHEALTHY, "timeout", "no answer within 5.0 s (in processing)")
    high = Verdict(Health.DEGRADED, "limit", "postgres_connections_ratio is 87%, limit > 80%")
    return [
        Change("website", well, late, ("db",), NOON - 118),
        Change("api", well, answered, ("db",), NOON - 130),
        Change("db", well, refused, (), NOON - 130),
        Change("reports-db", well, high, (), NOON - 4000),
        Change("payments", refused, well, (), NOON - 86400 * 3),
    ]


@dataclass
class Agent:
    """A View whose parts a test sets as it needs them."""

    board: Board = field(default_factory=board)
    changes: list[Change] = field(default_factory=changes)
    version: str = "1.2.3"
    started_at: float = NOON - 86400 * 4
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    ready: bool = True
    sick: str = ""

    def snapshot(self) -> Snapshot:
        return Snapshot(self.board, rendered(self.board), tuple(self.changes), NOON)

    def is_ready(self) -> bool:
        return self.ready

    def ailment(self) -> str:
        return self.sick
