"""What one HTTP request asks, and what is asked next when the answer is a redirect."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie

from aiohttp import CookieJar
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from probe.check import Garbled
from probe.exchange.names import Family
from probe.exchange.tls import Tls

MOST_REDIRECTS = 10
"""As many as blackbox_exporter and Go follow."""

_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_FOR_ANYONE = frozenset(["accept", "accept-encoding", "accept-language", "connection", "content-type", "user-agent"])
"""Headers that a redirect takes to another host; any other may be a key to the first one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `proxy` is an http:// URL that may carry a login."""

    url: URL
    method: str
    headers: CIMultiDict[str]
    body: bytes | None
    tls: Tls
    family: Family
    proxy: URL | None
    cookies: CookieJar | None = None

    @property
    def through_proxy(self) -> bool:
        """Whether a proxy reads the request itself, instead of passing an encrypted connection on."""
        return self.proxy is not None and self.url.scheme == "http"

    @property
    def host(self) -> str:
        return self.url.host or ""

    @property
    def port(self) -> int:
        return self.url.port or 80


def request(
    url: str,
    *,
    method: str,
    headers: Mapping[str, str] | None,
    body: bytes | None,
    tls: Tls | None,
    family: Family,
    proxy: str | None,
) -> Request:
    """A request with the headers that go without saying; a login in the URL becomes one."""
    where = URL(url)
    complete = CIMultiDict({"User-Agent": "stackprobe", "Connection": "close"})
    if where.user is not None or where.password is not None:
        complete["Authorization"] = basic(where.user or "", where.password or "")
    complete.update(headers or {})
    trust = tls or _SYSTEM
    if trust.server_name is None and (host := complete.get("Host")):
        trust = trust.model_copy(update={"server_name": host.partition(":")[0]})
    through = URL(proxy) if proxy else None
    return Request(where.with_user(None), method.upper(), complete, body, trust, family, through)


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def is_redirect(status: int, headers: CIMultiDictProxy[str]) -> bool:
    """Whether an answer sends us elsewhere."""
    return status in _REDIRECTS and "Location" in headers


def redirected(asked: Request, status: int, headers: CIMultiDictProxy[str]) -> Request:
    """The request that follows an answer that sends us elsewhere. Raises Garbled when nobody could go there."""
    location = headers["Location"]
    try:
        url = asked.url.join(URL(location))
    except ValueError:
        raise Garbled(f"redirected to {location!r}, which is no URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise Garbled(f"redirected to {location!r}, which is neither http nor https")
    following = replace(asked, url=url.with_user(None), cookies=_cookies(asked, headers))
    if status in (301, 302, 303) and asked.method not in ("GET", "HEAD"):
        following = replace(following, method="GET", body=None)
    return following if url.origin() == asked.url.origin() else _to_stranger(following)


def _to_stranger(asked: Request) -> Request:
    kept = CIMultiDict((name, value) for name, value in asked.headers.items() if name.lower() in _FOR_ANYONE)
    return replace(asked, headers=kept, tls=asked.tls.model_copy(update={"server_name": None}))


def _cookies(asked: Request, headers: CIMultiDictProxy[str]) -> CookieJar | None:
    if "Set-Cookie" not in headers:
        return asked.cookies
    jar = asked.cookies or CookieJar(unsafe=True)  # unsafe: also of hosts that are IP addresses
    for cookie in headers.getall("Set-Cookie"):
        jar.update_cookies(SimpleCookie(cookie), asked.url)
    return jar


_SYSTEM = Tls()
