"""Who may look: basic auth or a bearer token, and on loopback without them only who knows where it is."""

import hashlib
import hmac
from base64 import b64decode
from ipaddress import ip_address

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from probe.config.settings import Web

OPEN = ("/-/healthy", "/-/ready")
"""Asked by who starts and restarts the agent, and saying nothing else; they need no login."""

HEARTBEATS = "/heartbeat/"
"""Paths below it have tokens of their own."""


def is_guarded(web_settings: Web) -> bool:
    """Whether a login is asked for."""
    return web_settings.basic is not None or web_settings.bearer_token is not None


def is_loopback(host: str) -> bool:
    """Whether who listens on this host is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reveals(web_settings: Web) -> bool:
    """Whether messages and notes, which may tell more than a health, may be shown to who gets here."""
    return is_guarded(web_settings) or is_loopback(web_settings.address[0])


def guard(web_settings: Web) -> Middleware | None:
    """The middleware that keeps strangers out; None where everybody on the network may look."""
    if is_guarded(web_settings):
        return _login(web_settings)
    if is_loopback(web_settings.address[0]):
        return _no_rebinding
    return None


def _login(web_settings: Web) -> Middleware:
    """Every path but the open ones takes one of the configured logins, compared in constant time."""
    logins: list[bytes] = []
    schemes: list[str] = []
    if (basic := web_settings.basic) is not None:
        logins.append(_digest("basic", f"{basic.username}:{basic.password.get_secret_value()}".encode()))
        schemes.append('Basic realm="probe", charset="UTF-8"')
    if (token := web_settings.bearer_token) is not None:
        logins.append(_digest("bearer", token.get_secret_value().encode()))
        schemes.append('Bearer realm="probe"')

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_open(request):
            offered = _offered(request.headers.get(hdrs.AUTHORIZATION, ""))
            if sum(hmac.compare_digest(offered, login) for login in logins) == 0:
                refusal = web.HTTPUnauthorized(text="401: log in\n")
                refusal.headers.extend((hdrs.WWW_AUTHENTICATE, scheme) for scheme in schemes)
                raise refusal
        return await handler(request)

    return middleware


@web.middleware
async def _no_rebinding(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a Host that a stranger's DNS could have pointed here, so that no web page reads this one."""
    if not _is_open(request) and not is_ours(request.headers.get(hdrs.HOST, "")):
        raise web.HTTPMisdirectedRequest(
            text="421: probe listens on this machine alone and answers to its address or to localhost; "
            "to ask it by another name, set web.basic or web.bearer_token\n"
        )
    return await handler(request)


def is_ours(host: str) -> bool:
    """Whether no public DNS can name this Host: an address, a name without dots, *.localhost or *.internal."""
    try:
        name = (URL(f"http://{host}").host or "").rstrip(".").lower()
    except (ValueError, IndexError):  # yarl stumbles over []@
        return False
    if "." not in name and ":" not in name:
        return True
    if name.endswith((".localhost", ".internal")):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_open(request: web.Request) -> bool:
    """Told by the route that was found, not by the path's spelling."""
    resource = request.match_info.route.resource
    return resource is not None and (resource.canonical in OPEN or resource.canonical.startswith(HEARTBEATS))


def _offered(authorization: str) -> bytes:
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return _digest(scheme.lower(), credentials.strip().encode(errors="surrogateescape"))
    try:
        return _digest("basic", b64decode(credentials.strip(), validate=True))
    except ValueError:
        return b""


def _digest(scheme: str, credentials: bytes) -> bytes:
    """As long for any credentials, so that comparing does not tell their length."""
    return hashlib.sha256(scheme.encode(errors="surrogateescape") + b"\0" + credentials).digest()
