"""`/api/v1/…`: the board as JSON, for `probe status` and for scripts. Names and meanings stay within v1.

    GET /api/v1/checks
        {"version": 1,
         "agent": {"version": "0.1.0", "started_at": 1790000000.0},
         "at": 1790000123.4,                     now, by the agent's clock
         "ready": true,                          the first run of every active check has ended
         "health": "unhealthy",                  the worst; an absent optional check counts for nothing
         "messages_hidden": false,               true: everybody may ask, so "message" and "notes" are empty
         "checks": [check, …]}                   in the order of the config

    check
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

    GET /api/v1/checks/<name>
        {"version", "agent", "at", "messages_hidden", and
         "check": check, and in it
                  "runs": [{"at": …, "duration": …, "reason": "ok"}, …],    the last 50, oldest first
                  "failures": [as last_run, …]}                             the last three, newest first

Times are unix seconds, durations seconds. A number that JSON can't carry (infinite, not a number) is null.
"""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from math import isfinite
from typing import Any

from aiohttp import web

from probe.check import Check
from probe.model import Result
from probe.server.aside import Aside
from probe.server.view import Snapshot, View
from probe.state import Board, LimitState, State

VERSION = 1
_JSON = "application/json; charset=utf-8"


class Documents:
    """Answers who asks for JSON."""

    def __init__(self, view: View, aside: Aside, *, reveals: bool) -> None:
        self._view = view
        self._aside = aside
        self._reveals = reveals

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/api/v1/checks", self.all), web.get("/api/v1/checks/{name:[^/]+}", self.one)]

    async def all(self, request: web.Request) -> web.Response:
        snapshot = self._view.snapshot()
        head = self._head(snapshot) | {"ready": self._view.is_ready()}
        return await self._aside.answer(request, _JSON, partial(self._all, head, snapshot))

    async def one(self, request: web.Request) -> web.Response:
        snapshot = self._view.snapshot()
        name = request.match_info["name"]
        if name not in snapshot.board.checks:
            raise web.HTTPNotFound(text='{"error": "no check has this name"}\n', content_type="application/json")
        return await self._aside.answer(request, _JSON, partial(self._one, self._head(snapshot), snapshot, name))

    def _all(self, head: Mapping[str, Any], snapshot: Snapshot) -> bytes:
        board = snapshot.board
        whole = _json({**head, "health": str(board.health), "checks": []})
        # Encoded check by check: one encoding of ten thousand would keep the loop's thread out for as long.
        checks = b", ".join([_json(described(board, name, reveals=self._reveals)) for name in board.checks])
        return whole.removesuffix(b"]}") + checks + b"]}"

    def _one(self, head: Mapping[str, Any], snapshot: Snapshot, name: str) -> bytes:
        state = snapshot.board[name]
        history = {
            "runs": [{"at": past.at, "duration": past.duration, "reason": past.reason} for past in state.strip],
            "failures": [_run(result, reveals=self._reveals) for result in state.failed],
        }
        return _json({**head, "check": described(snapshot.board, name, reveals=self._reveals) | history})

    def _head(self, snapshot: Snapshot) -> dict[str, Any]:
        return {
            "version": VERSION,
            "agent": {"version": self._view.version, "started_at": self._view.started_at},
            "at": snapshot.at,
            "messages_hidden": not self._reveals,
        }


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
        "last_run": _run(state.result, reveals=reveals),
        "limits": [_limit(standing) for standing in state.limits],
        "surveys": _surveys(check, state, reveals=reveals),
    }


def _run(result: Result | None, *, reveals: bool) -> dict[str, Any] | None:
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
                "last_run": _run(standing.result, reveals=reveals) if standing else None,
            }
        )
    return surveys


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, allow_nan=False, ensure_ascii=True).encode()
