"""Where a server is and as whom to log in: from a URL, from single fields, or from both."""

from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from probe.exchange.hosts import can_be_host

PORT = 6379
SCHEMES = {"redis": False, "rediss": True, "valkey": False, "valkeys": True}
"""What a URL may begin with, and whether that means TLS."""


class UrlError(ValueError):
    """A URL that can't be; the message says why and how to mend it, and repeats no part that may be secret."""


class Login(NamedTuple):
    """All that a login needs. An empty `username` is the server's `default` user."""

    host: str
    port: int = PORT
    username: str = ""
    password: str = ""
    db: int = 0
    encrypted: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_url(url: str) -> Login:
    """`rediss://user:password@host:port/db`. Raises UrlError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlError("the port is no number; in a password write % / ? # [ ] @ as %25 %2F %3F %23 ...") from None
    if parts.scheme not in SCHEMES:
        raise UrlError(f'a URL of Redis begins with redis:// or rediss://, not "{parts.scheme}:"')
    if not parts.hostname:
        raise UrlError("the URL names no host; write redis://host:6379/0")
    if not can_be_host(unquote(parts.hostname)):
        raise UrlError("the host is no name of one and no IP address; write redis://host:6379/0")
    return Login(
        unquote(parts.hostname),
        PORT if port is None else port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        _database(parts),
        SCHEMES[parts.scheme],
    )


def _database(parts: SplitResult) -> int:
    """The database's number, from the path or, as some libraries write it, `?db=`."""
    query = parse_qs(parts.query, keep_blank_values=True)
    unknown = sorted(query.keys() - {"db"})
    if unknown:
        raise UrlError(f'probe reads only "db" of a URL\'s options, not "{unknown[0]}"')
    text = parts.path.strip("/") or query.get("db", ["0"])[-1]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UrlError(f'"{text}" is no database; write its number, as in redis://host:6379/0')
    return int(text)
