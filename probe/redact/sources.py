"""What of a URL, or of a header's value, is secret."""

import base64
import re
from urllib.parse import unquote, unquote_plus

SHORTEST_PART = 6
"""A part of a secret of fewer characters means nothing by itself."""

_HOST = r"(?:\[[^\]]+\]|[^:,\[\]]+)(?::\d*)?"
_HOSTS = re.compile(f"(?:{_HOST}(?:,{_HOST})*)?")
_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][\w-]*) +(?P<credentials>\S.*)", re.DOTALL)


def secrets_of_text(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    """What of a secret is secret by itself, (texts, logins): of a header's value also what follows the scheme."""
    texts: set[str] = {text}
    logins: set[tuple[str, str]] = set()
    if found := _CREDENTIALS.fullmatch(text):
        texts.add(found["credentials"])
        if found["scheme"].lower() == "basic":
            user, _, password = _from_base64(found["credentials"]).partition(":")
            logins.add((user, password))
    if "=" in text:
        texts |= {value for pair in text.split(";") if len(value := pair.partition("=")[2].strip()) >= SHORTEST_PART}
    return texts, logins


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text + "==").decode(errors="replace")
    except ValueError:
        return ""


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
