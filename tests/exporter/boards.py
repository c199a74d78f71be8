"""Boards built from plain values, to be rendered: no config, no run, no fold."""

from collections.abc import Iterable
from dataclasses import replace

from immutables import Map

from probe.check import Check, Duration, Run, survey
from probe.exporter import Rendered, render
from probe.model import Health, Reason, Result, Sample, Verdict, counter, gauge
from probe.state import Board, State, opened

NOON = 1_790_000_000.0
"""Unix time of what happens in these boards."""


class Shop(Check, kind="shop"):
    """A kind with a bit of everything that is exposed."""

    usage_interval: Duration = 300.0
    """Time between two surveys."""
    usage_timeout: Duration = 60.0
    """Deadline of a survey."""

    class metrics:  # as in a kind
        open_carts = gauge("Carts not paid yet, by currency (GET /carts).", "currency", warn="> 100")
        orders_total = counter("Orders taken (GET /stats).")
        stock_bytes = gauge("Size of the stock table (a survey of GET /stock).", survey="usage", fail="> 1GiB")

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        """Never run: these boards are built from values."""


def sample(key: str, value: float, *labels: str) -> Sample:
    """A sample of a metric of Shop."""
    return Sample(Shop.declared[key], value, labels)


def ok(name: str, *samples: Sample, seconds: float = 0.25, at: float = NOON) -> Result:
    return Result(name, Reason.OK, at=at, began=100.0, ended=100.0 + seconds, samples=samples)


def failed(name: str, reason: Reason, message: str, seconds: float = 0.25, at: float = NOON) -> Result:
    return Result(name, reason, message=message, at=at, began=100.0, ended=100.0 + seconds)


def after(state: State, *results: Result) -> State:
    """A state that these runs went through, its verdict by the last of them alone."""
    for result in results:
        health = Health.HEALTHY if result.ok else Health.UNHEALTHY
        kept = () if result.ok else (replace(result, samples=()),)
        state = replace(
            state,
            result=result,
            verdict=Verdict(health, "" if result.ok else result.reason.value, result.message),
            tally=state.tally.plus(result.reason, result.duration),
            strip=state.strip.plus(result),
            failed=(*kept, *state.failed)[:3],
            last_success_at=result.at if result.ok else state.last_success_at,
        )
    return state


def board_of(checks: Iterable[Check], states: Iterable[State] = ()) -> Board:
    """A board of these checks; those without a state have not run yet."""
    board = opened({check.name: check for check in checks}, 0.0, NOON)
    for state in states:
        board = board.put(state)
    return board


def rendered(board: Board) -> Map[str, Rendered]:
    """All states of a board, as the agent keeps them."""
    return Map({state.check: render(board.checks[state.check], state) for state in board})
