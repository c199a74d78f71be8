"""The files that pages load: read once, named one by one, so that no path can lead elsewhere."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from aiohttp import hdrs, web

_FOLDER = Path(__file__).with_name("static")
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_FILES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}

STYLE_PATH = f"/static/style.css?{hashlib.sha256(_FILES['style.css']).hexdigest()[:8]}"
"""Changes with the file: a browser may keep it."""


def routes() -> Iterable[web.RouteDef]:
    """One route for all of them."""
    return [web.get("/static/{file}", _answer)]


async def _answer(request: web.Request) -> web.Response:
    name = request.match_info["file"]
    if name not in _FILES:
        raise web.HTTPNotFound
    headers = {hdrs.CONTENT_TYPE: _TYPES[Path(name).suffix], hdrs.CACHE_CONTROL: "private, max-age=86400"}
    return web.Response(body=_FILES[name], headers=headers)
