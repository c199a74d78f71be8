"""`/metrics`: the exposition, in the format that Accept asks for."""

from collections.abc import Iterable
from functools import partial

from aiohttp import hdrs, web

from probe.exporter import Format, exposition
from probe.server.aside import Aside, weight
from probe.server.view import View


class Metrics:
    """Answers scrapes."""

    def __init__(self, view: View, aside: Aside) -> None:
        self._view = view
        self._aside = aside

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/metrics", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """The exposition, in the format that the scraper likes best."""
        form = negotiated(",".join(request.headers.getall(hdrs.ACCEPT, [])))
        snapshot = self._view.snapshot()
        make = partial(exposition, snapshot.board, snapshot.rendered, form, self._view.registry)
        return await self._aside.answer(request, form.value, make)


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
