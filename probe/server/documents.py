"""`/api/v1/…`: the board as JSON, for `probe status` and for scripts. Names and meanings stay within v1.

GET /api/v1/checks
    {"version": 1,
     "agent": {"version": "0.1.0", "started_at": 1790000000.0},
     "at": 1790000123.4,                     now, by the agent's clock
     "ready": true,                          the first run of every active check has ended
     "health": "unhealthy",                  the worst; an absent optional check counts for nothing
     "messages_hidden": false,               true: everybody may ask, so "message" and "notes" are empty
     "checks": [check, …]}                   as state/document.py shows one; in the order of the config

GET /api/v1/checks/<name>
    {"version", "agent", "at", "messages_hidden", and
     "check": check, and in it
              "runs": [{"at": …, "duration": …, "reason": "ok"}, …],    the last 50, oldest first
              "failures": [as last_run, …]}                             the last three, newest first
"""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from probe.server.aside import Aside
from probe.server.view import Snapshot, View
from probe.state.document import VERSION, described, of_run

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
            # Not raised: a traceback would keep the board until Python looks for garbage, which is hardly ever.
            return web.Response(
                status=404, text='{"error": "no check has this name"}\n', content_type="application/json"
            )
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
            "failures": [of_run(result, reveals=self._reveals) for result in state.failed],
        }
        return _json({**head, "check": described(snapshot.board, name, reveals=self._reveals) | history})

    def _head(self, snapshot: Snapshot) -> dict[str, Any]:
        return {
            "version": VERSION,
            "agent": {"version": self._view.version, "started_at": self._view.started_at},
            "at": snapshot.at,
            "messages_hidden": not self._reveals,
        }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, allow_nan=False, ensure_ascii=True).encode()
