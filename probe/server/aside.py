"""Work that would hold up the loop, in one thread of the server's own: it can starve nobody but the server."""

import gzip
from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import hdrs, web

GZIP_LEVEL = 1
"""Takes a fifth of the default level's time; an exposition still shrinks to a twentieth."""

GZIP_FROM = 1024
"""Bytes below which packing is not worth it."""


class Aside:
    """Makes the bodies of answers in its thread, packed where the client can unpack them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="probe-server")

    async def close(self, _: web.Application) -> None:
        """For an application's `on_cleanup`."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def answer(self, request: web.Request, content_type: str, make: Callable[[], bytes]) -> web.Response:
        """What `make` makes (not on the loop) as an answer to this request; HEAD gets its headers alone."""
        packs = takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        body, packed = await get_running_loop().run_in_executor(self._thread, _made, make, packs)
        headers = {hdrs.CONTENT_TYPE: content_type, hdrs.VARY: f"{hdrs.ACCEPT}, {hdrs.ACCEPT_ENCODING}"}
        if packed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, headers=headers)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether this Accept-Encoding allows gzip: named, or by `*`, and not with q=0."""
    weights = {}
    for offer in accept_encoding.lower().split(","):
        coding, _, parameters = offer.partition(";")
        weights[coding.strip()] = weight(parameters)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def weight(parameters: str) -> float:
    """The `q` among the parameters of an offer; 1 without one, 0 when it is no number."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _made(make: Callable[[], bytes], packs: bool) -> tuple[bytes, bool]:
    body = make()
    if packs and len(body) >= GZIP_FROM:
        return gzip.compress(body, GZIP_LEVEL, mtime=0), True
    return body, False
