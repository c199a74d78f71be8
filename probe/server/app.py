"""The application: every route, and what holds for every answer."""

import logging
from collections.abc import Mapping

from aiohttp import hdrs, web

from probe.config.settings import Web
from probe.server import access, static
from probe.server.aside import Aside
from probe.server.documents import Documents
from probe.server.metrics import Metrics
from probe.server.pages import Pages
from probe.server.view import View

LARGEST_BODY = 64 * 1024
"""Bytes of a request's body; none is read here, heartbeats will read small ones."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    hdrs.SERVER: "probe",
}

_log = logging.getLogger(__name__)


def make_app(view: View, web_settings: Web) -> web.Application:
    """The server of an agent, not listening yet (see `serve`).

    Warns in the log when everybody on the network may look: the pages then hide messages and notes.
    """
    reveals = access.reveals(web_settings)
    if not reveals:
        _log.warning(
            "whoever reaches %s may look, so messages are hidden; set web.basic or web.bearer_token to show them",
            web_settings.listen,
        )
    aside = Aside()
    guard = access.guard(web_settings)
    app = web.Application(middlewares=[guard] if guard else [], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(_add_headers)
    app.on_cleanup.append(aside.close)
    app.add_routes(Metrics(view, aside).routes())
    app.add_routes(Pages(view, aside, reveals=reveals).routes())
    app.add_routes(Documents(view, aside, reveals=reveals).routes())
    app.add_routes(static.routes())
    app.add_routes(_own_health(view))
    return app


def _own_health(view: View) -> list[web.RouteDef]:
    async def healthy(_: web.Request) -> web.Response:
        ailment = view.ailment()
        return web.Response(text=f"{ailment or 'healthy'}\n", status=503 if ailment else 200)

    async def ready(_: web.Request) -> web.Response:
        if view.is_ready():
            return web.Response(text="ready\n")
        return web.Response(text="not ready: first runs have not ended yet\n", status=503)

    return [web.get("/-/healthy", healthy), web.get("/-/ready", ready)]


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
