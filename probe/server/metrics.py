"""`/metrics`: the format by Accept, the joined lines kept while the board stays the same."""

from collections.abc import Iterable
from functools import partial

from aiohttp import hdrs, web

from probe.exporter import Format, ended, joined
from probe.server.aside import Aside, weight
from probe.server.view import Snapshot, View
from probe.state import Board


class Metrics:
    """Answers scrapes."""

    def __init__(self, view: View, aside: Aside) -> None:
        self._view = view
        self._aside = aside
        self._kept: dict[Format, tuple[Board, bytes]] = {}
        """Written by the one thread of `aside` alone."""

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/metrics", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """The exposition, in the format that the scraper likes best."""
        form = negotiated(",".join(request.headers.getall(hdrs.ACCEPT, [])))
        return await self._aside.answer(request, form.value, partial(self._text, self._view.snapshot(), form))

    def _text(self, snapshot: Snapshot, form: Format) -> bytes:
        kept = self._kept.get(form)
        if kept is None or kept[0] is not snapshot.board:
            kept = self._kept[form] = (snapshot.board, joined(snapshot.board, snapshot.rendered, form))
        return ended(kept[1], form, self._view.registry)


def negotiated(accept: str) -> Format:
    """OpenMetrics 1.0 for who asks for it at least as much as for plain text, else text 0.0.4."""
    modern, plain = 0.0, 0.0
    for offer in accept.lower().split(","):
        media, _, parameters = offer.partition(";")
        if media.strip() == "application/openmetrics-text" and _version(parameters) in ("", "1.0.0"):
            modern = max(modern, weight(parameters))
        elif media.strip() in ("text/plain", "text/*", "*/*") and _version(parameters) in ("", "0.0.4"):
            plain = max(plain, weight(parameters))
    return Format.OPENMETRICS if modern > 0 and modern >= plain else Format.TEXT


def _version(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "version":
            return value.strip().strip('"')
    return ""
