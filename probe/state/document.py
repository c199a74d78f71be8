"""A check of a board as one JSON document: the API, `probe status` and `probe check` show the same.

    {"name": "db", "kind": "postgres", "labels": {"team": "core"}, "interval": 15.0,
     "optional": false, "passive": false, "needs": ["net"], "dependants": ["api"],
     "health": "unhealthy",                  healthy, unknown, degraded, unhealthy
     "counts": true,                         false: an absent optional check, or a passive one never heard
     "reason": "connect",                    "" when healthy; else a run's reason, limit, not evaluated, absent,
                                             starting, not run
     "message": "connection refused by …",
     "since": 1790000100.0,                  since when the health is what it is
     "causes": ["net"],                      the failed needs that explain it
     "last_success": 1790000090.0,           when the last good run began; null: none yet
     "last_run": {"at": …, "duration": 0.004, "reason": "connect", "step": "connect", "message": "…",
                  "steps": [{"name": "resolve", "seconds": 0.001}, …], "notes": ["…"]},    null: none yet
     "limits": [{"metric": "probe_postgres_connections_ratio", "selector": {"datname": "app"}, "op": ">",
                 "bound": 0.8, "level": "warn", "value": 0.5, "crossed": false, "not_evaluated": false,
                 "on_time": false}],         value null: no number yet; on_time: an age or a time left
     "surveys": [{"name": "usage", "interval": 300.0, "last_success": …, "unfinished": false,
                  "last_run": {…}}]}         as a run's

Times are unix seconds, durations seconds. A number that JSON can't carry (infinite, not a number) is null.
"""

from math import isfinite
from typing import Any

from probe.check import Check
from probe.model import Result
from probe.state.values import Board, LimitState, State

VERSION = 1
"""Of these names and meanings; `/api/v1` promises to keep them."""


def described(board: Board, name: str, *, reveals: bool) -> dict[str, Any]:
    """One check as the module's docstring shows it."""
    check, state = board.checks[name], board[name]
    return {
        "name": name,
        "kind": check.kind,
        "labels": dict(check.labels),
        "interval": check.interval,
        "optional": check.optional,
        "passive": check.passive,
        "needs": list(board.needs(name)),
        "dependants": list(board.dependants.get(name, ())),
        "health": str(state.health),
        "counts": board.counts(state),
        "reason": state.verdict.reason,
        "message": state.verdict.message if reveals else "",
        "since": state.since_at,
        "causes": list(state.roots),
        "last_success": state.last_success_at or None,
        "last_run": of_run(state.result, reveals=reveals),
        "limits": [_limit(standing) for standing in state.limits],
        "surveys": _surveys(check, state, reveals=reveals),
    }


def of_run(result: Result | None, *, reveals: bool) -> dict[str, Any] | None:
    """One run, as `last_run` above; None for none."""
    if result is None:
        return None
    return {
        "at": result.at,
        "duration": result.duration,
        "reason": result.reason,
        "step": result.step,
        "message": result.message if reveals else "",
        "steps": [{"name": step.name, "seconds": step.seconds} for step in result.steps],
        "notes": list(result.notes) if reveals else [],
    }


def _limit(standing: LimitState) -> dict[str, Any]:
    limit = standing.limit
    return {
        "metric": limit.metric,
        "selector": dict(limit.selector),
        "op": limit.op,
        "bound": limit.bound,
        "level": limit.level,
        "value": standing.value if standing.value is not None and isfinite(standing.value) else None,
        "crossed": standing.crossed,
        "not_evaluated": standing.not_evaluated,
        "on_time": limit.on_time,
    }


def _surveys(check: Check, state: State, *, reveals: bool) -> list[dict[str, Any]]:
    surveys = []
    for name in check.active_surveys:
        standing = state.surveys.get(name)
        surveys.append(
            {
                "name": name,
                "interval": check.interval_of(name),
                "last_success": standing.last_success_at or None if standing else None,
                "unfinished": standing.result.unfinished if standing else False,
                "last_run": of_run(standing.result, reveals=reveals) if standing else None,
            }
        )
    return surveys
