"""Secrets leave no run, log, page or error: every spelling of them becomes `***`. Standard library only."""

import base64
import json
import re
from collections.abc import Iterable
from functools import cached_property
from urllib.parse import quote, quote_plus, unquote, unquote_plus

MASK = "***"
SHORTEST = 3
"""Secrets of fewer characters are not looked for in free text: they would mask half of every word."""

_ESCAPE = re.compile("%[0-9A-F]{2}")
_HOST = r"(?:\[[^\]]+\]|[^:,\[\]]+)(?::\d*)?"
_HOSTS = re.compile(f"(?:{_HOST}(?:,{_HOST})*)?")

SHORTEST_CORE = 6
"""The same for a piece of base64, which means nothing by itself."""


class Redactor:
    """Replaces every spelling of some secrets in a text: clear, percent-encoded, base64, Basic credentials."""

    def __init__(self, secrets: Iterable[str] = (), logins: Iterable[tuple[str, str]] = ()) -> None:
        """`secrets` are texts to hide, `logins` pairs (user, password) that may travel as Basic credentials."""
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        for user, password in logins:
            spellings |= _spellings(password) | {base64.b64encode(_bytes(f"{user}:{password}")).decode()}
        self.spellings = frozenset([text for text in spellings if len(text) >= SHORTEST])

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self.spellings else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when the first text comes: to most checks none ever does, and it costs more than all the rest."""
        longest_first = sorted(self.spellings, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))


class JoinedRedactor:
    """Replaces all that any of several redactors replaces; ten thousand of them take a line no longer than one.

    As a pattern their spellings would take seconds to compile, and then as many tries at each character.
    """

    def __init__(self, redactors: Iterable[Redactor] = ()) -> None:
        spellings = {text for redactor in redactors for text in redactor.spellings}
        self._by_start: dict[str, list[str]] = {}
        for text in sorted(spellings, key=len, reverse=True):
            self._by_start.setdefault(text[:SHORTEST], []).append(text)

    def __call__(self, text: str) -> str:
        pieces: list[str] = []
        kept = at = 0
        while self._by_start and at <= len(text) - SHORTEST:
            found = self._longest(text, at)
            if found:
                pieces += text[kept:at], MASK
                kept = at = at + len(found)
            else:
                at += 1
        return "".join([*pieces, text[kept:]])

    def _longest(self, text: str, at: int) -> str:
        starting = self._by_start.get(text[at : at + SHORTEST], ())
        return next((spelling for spelling in starting if text.startswith(spelling, at)), "")


def _spellings(secret: str) -> set[str]:
    raw = _bytes(secret)
    encoded = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    encoded |= {_ESCAPE.sub(lambda escape: escape[0].lower(), spelling) for spelling in encoded}
    escaped = {repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, base64.b64encode(raw).decode(), *escaped, *encoded, *_base64_cores(raw)} - {""}


def _bytes(text: str) -> bytes:
    """UTF-8; and what an environment variable that is none was read from."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _base64_cores(raw: bytes) -> set[str]:
    """What base64 makes of `raw` wherever it starts in a longer text, less what its neighbours touch."""
    if len(raw) < SHORTEST:
        return set()
    cores = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        for text in (encoded[first:last], encoded[first:last].translate(str.maketrans("+/", "-_"))):
            if len(text) >= SHORTEST_CORE:
                cores.add(text)
    return cores


def secrets_of_url(url: str) -> tuple[set[str], set[tuple[str, str]]]:
    """What of a URL or DSN is secret, (texts, logins): the password and the values of the query; the login."""
    texts: set[str] = set()
    logins: set[tuple[str, str]] = set()
    userinfo, at, _ = _authority(url).rpartition("@")
    if at:
        user, _, password = userinfo.partition(":")
        texts |= {userinfo, unquote(userinfo), password, unquote(password)}
        logins.add((unquote(user), unquote(password)))
    query = url.partition("?")[2].partition("#")[0]
    for pair in query.split("&"):
        value = pair.partition("=")[2]
        texts |= {value, unquote(value), unquote_plus(value)}
    return (texts | {query}) - {""}, logins


def _authority(url: str) -> str:
    """`user:password@host:port`, also where the password has `/?#` that ought to be percent-encoded."""
    rest = url.partition("//")[2]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    return authority if "@" in authority or _HOSTS.fullmatch(authority) else rest
