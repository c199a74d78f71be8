"""The pages for people: all checks, and one check. Whole without JavaScript; templates escape every text."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from probe.model import Result
from probe.server import cards, strip
from probe.server.aside import Aside
from probe.server.static import STYLE_PATH
from probe.server.view import Snapshot, View
from probe.server.words import limited, moment
from probe.state.values import STRIP_LENGTH
from probe.units import show_seconds

REFRESH = 15
"""Seconds after which a page loads itself again."""

CHANGES_SHOWN = 20

_HTML = "text/html; charset=utf-8"


class Pages:
    """Answers people."""

    def __init__(self, view: View, aside: Aside, *, reveals: bool) -> None:
        self._view = view
        self._aside = aside
        self._reveals = reveals
        folder = Path(__file__).with_name("templates")
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(style=STYLE_PATH, version=view.version, reveals=reveals, refresh=REFRESH)

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/", self.board), web.get("/checks/{name:[^/]+}", self.check)]

    async def board(self, request: web.Request) -> web.Response:
        """All checks."""
        return await self._aside.answer(request, _HTML, partial(self._board, self._view.snapshot(), _is_still(request)))

    async def check(self, request: web.Request) -> web.Response:
        """One check."""
        snapshot, name = self._view.snapshot(), request.match_info["name"]
        if name not in snapshot.board.checks:
            return web.Response(status=404, text="404: no check has this name\n")  # not raised: see documents.py
        return await self._aside.answer(request, _HTML, partial(self._check, snapshot, name, _is_still(request)))

    def _board(self, snapshot: Snapshot, still: bool) -> bytes:
        board = snapshot.board
        return self._page(
            "board.html",
            snapshot,
            still,
            headline=cards.headline(board),
            health="unknown" if not len(board) else str(board.health),
            counts=cards.counted(board),
            sections=cards.sections(snapshot, reveals=self._reveals),
            events=cards.events(snapshot, snapshot.changes[:CHANGES_SHOWN], reveals=self._reveals),
        )

    def _check(self, snapshot: Snapshot, name: str, still: bool) -> bytes:
        board, state = snapshot.board, snapshot.board[name]
        check = board.checks[name]
        own = [change for change in snapshot.changes if change.check == name]
        return self._page(
            "check.html",
            snapshot,
            still,
            card=cards.card(snapshot, name, reveals=self._reveals),
            health=cards.shown_health(state),
            interval=show_seconds(check.interval),
            timeout=show_seconds(check.timeout),
            bars=[_told(bar, snapshot.at) for bar in strip.bars(state.strip)],
            reasons=list(dict.fromkeys(past.reason.value for past in state.strip)),
            run=self._run(state.result, snapshot.at),
            failures=[self._run(result, snapshot.at) for result in state.failed],
            surveys=[self._survey(snapshot, name, survey) for survey in check.active_surveys],
            limits=list(limited(check, state.limits)),
            last_success=moment(state.last_success_at, snapshot.at),
            needs=cards.links(board, board.needs(name)),
            dependants=cards.links(board, board.dependants.get(name, ())),
            events=cards.events(snapshot, own[:CHANGES_SHOWN], reveals=self._reveals),
        )

    def _page(self, template: str, snapshot: Snapshot, still: bool, **values: Any) -> bytes:
        shown = {
            "still": still,
            "now": moment(snapshot.at, snapshot.at),
            "up": moment(self._view.started_at, snapshot.at),
        }
        width = STRIP_LENGTH * strip.WIDTH
        text = self._templates.get_template(template).render(**values, **shown, strip_size=(width, strip.HEIGHT))
        return text.encode(errors="replace")

    def _run(self, result: Result | None, now: float) -> dict[str, Any] | None:
        if result is None:
            return None
        whole = max(result.duration, sum(step.seconds for step in result.steps)) or 1.0
        return {
            "reason": result.reason.value,
            "step": result.step,
            "message": result.message if self._reveals else "",
            "notes": result.notes if self._reveals else (),
            "at": moment(result.at, now),
            "took": show_seconds(result.duration),
            "steps": _laid_out(result, whole),
        }

    def _survey(self, snapshot: Snapshot, name: str, survey: str) -> dict[str, Any]:
        standing = snapshot.board[name].surveys.get(survey)
        return {
            "name": survey,
            "interval": show_seconds(snapshot.board.checks[name].interval_of(survey)),
            "run": self._run(standing.result, snapshot.at) if standing else None,
            "unfinished": standing.result.unfinished if standing else False,
            "last_success": moment(standing.last_success_at, snapshot.at) if standing else None,
        }


def _laid_out(result: Result, whole: float) -> list[dict[str, Any]]:
    """The steps one after the other, in percent of the run."""
    laid, start = [], 0.0
    for step in result.steps:
        width = 100 * step.seconds / whole
        laid.append(
            {"name": step.name, "took": show_seconds(step.seconds), "x": round(start, 2), "width": round(width, 2)}
        )
        start += width
    return laid


def _told(bar: strip.Bar, now: float) -> dict[str, Any]:
    at = moment(bar.past.at, now)
    when = f", {at.ago} ago ({at.exactly})" if at else ""
    title = f"{bar.past.reason.value}, {show_seconds(bar.past.duration)}{when}"
    return {"x": bar.x, "y": bar.y, "height": bar.height, "reason": bar.past.reason.value, "title": title}


def _is_still(request: web.Request) -> bool:
    """Whether the reader asked that the page stays as it is."""
    return "still" in request.query
