"""What one HTTP request asks, and what is asked next when the answer is a redirect."""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from aiohttp import CookieJar
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from probe.check import Garbled
from probe.exchange.hosts import can_be_host
from probe.exchange.names import Family
from probe.exchange.tls import Tls

MOST_REDIRECTS = 10
"""As many as blackbox_exporter and Go follow."""

_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BODILESS = frozenset(["GET", "HEAD", "OPTIONS", "TRACE"])
"""Methods of which a server does not expect to be told that no body comes."""
_FOR_ANYONE = frozenset(["accept", "accept-encoding", "accept-language", "connection", "content-type", "user-agent"])
"""Headers that a redirect takes to another host; any other may be a key to the first one."""


@dataclass(frozen=True)
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
    def place(self) -> str:
        """What is asked for: path and query; of a proxy the whole URL."""
        return str(self.url.with_fragment(None)) if self.through_proxy else self.url.raw_path_qs

    @property
    def headers_sent(self) -> CIMultiDict[str]:
        """The headers with the length of the body, the cookies and the proxy's login."""
        sent = self.headers.copy()
        if self.body is not None or self.method not in _BODILESS:
            sent.setdefault("Content-Length", str(len(self.body or b"")))
        if self.cookies is not None:
            sent["Cookie"] = self.cookies.filter_cookies(self.url).output(header="", sep=";").strip()
        if self.proxy is not None and self.through_proxy and (authorization := login(self.proxy)):
            sent["Proxy-Authorization"] = authorization
        return sent

    @cached_property
    def written(self) -> bytes:
        """The whole request as it goes over the wire, the same for each run of a check."""
        lines = [f"{self.method} {self.place} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers_sent.items()]
        if not all(map(can_be_header, lines)):
            raise ValueError("a request can't have a control character in its headers")
        return "\r\n".join([*lines, "", ""]).encode() + (self.body or b"")

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
    where, given = URL(url), CIMultiDict(headers or {})
    complete = _headers_of_any(where)
    if where.user is not None or where.password is not None:
        complete["Authorization"] = basic(where.user or "", where.password or "")
    complete.update(given)
    trust = tls or _SYSTEM
    if trust.server_name is None and (host := given.get("Host")):
        trust = trust.model_copy(update={"server_name": re.sub(r":\d*$", "", host).strip("[]")})
    through = URL(proxy) if proxy else None
    return Request(where.with_user(None), method.upper(), complete, body, trust, family, through)


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def login(proxy: URL) -> str | None:
    """The Proxy-Authorization that a proxy's URL carries."""
    return basic(proxy.user or "", proxy.password or "") if proxy.user is not None else None


def is_address(text: str, schemes: Collection[str] = ("http", "https")) -> bool:
    """Whether a text is a URL to ask: of one of these schemes, with a host and perhaps a port."""
    try:
        url = _read(text)
        return url.scheme in schemes and can_be_host(url.host or "") and url.explicit_port != 0
    except ValueError:  # also of a host that begins as Punycode and is none
        return False


def _read(text: str) -> URL:
    """A URL. Raises ValueError, also where yarl stumbles (`//[]@`)."""
    try:
        return URL(text)
    except IndexError:
        raise ValueError("no URL") from None


def can_be_header(text: str) -> bool:
    """Whether a text can stand in a header: on one line, without control characters."""
    return not _CONTROL.search(text)


def is_redirect(status: int, headers: CIMultiDictProxy[str]) -> bool:
    """Whether an answer sends us elsewhere."""
    return status in _REDIRECTS and "Location" in headers


def redirected(asked: Request, status: int, headers: CIMultiDictProxy[str]) -> Request:
    """The request that follows an answer that sends us elsewhere. Raises Garbled when nobody could go there."""
    location = headers["Location"]
    try:
        url = asked.url.join(_read(location))
        host = url.host or ""
    except ValueError:
        raise Garbled(f"redirected to {location!r}, which is no URL") from None
    if url.scheme not in ("http", "https") or not can_be_host(host):
        raise Garbled(f"redirected to {location!r}, which is neither http nor https")
    following = replace(asked, url=url.with_user(None), cookies=_cookies(asked, headers))
    if status in (301, 302, 303) and asked.method not in ("GET", "HEAD"):
        following = replace(following, method="GET", body=None)
    return following if url.origin() == asked.url.origin() else _to_stranger(following)


def _headers_of_any(url: URL) -> CIMultiDict[str]:
    """What goes without saying."""
    host = url.host_port_subcomponent or ""
    return CIMultiDict({"Host": host, "User-Agent": "stackprobe", "Accept": "*/*", "Connection": "close"})


def _to_stranger(asked: Request) -> Request:
    kept = _headers_of_any(asked.url)
    kept.update((name, value) for name, value in asked.headers.items() if name.lower() in _FOR_ANYONE)
    return replace(asked, headers=kept, tls=asked.tls.model_copy(update={"server_name": None}))


def _cookies(asked: Request, headers: CIMultiDictProxy[str]) -> CookieJar | None:
    if "Set-Cookie" not in headers:
        return asked.cookies
    jar = asked.cookies
    if jar is None:
        jar = CookieJar(unsafe=True)  # also of hosts that are IP addresses
        jar.update_cookies_from_headers(asked.headers.get("Cookie", "").split("; "), asked.url)
    jar.update_cookies_from_headers(headers.getall("Set-Cookie"), asked.url)  # as browsers do, whatever is in them
    return jar


_SYSTEM = Tls()
