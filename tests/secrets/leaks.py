"""Marked secrets, and finding what is left of them in any text, however it is spelt there."""

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from urllib.parse import unquote, unquote_plus

WINDOW = 6
"""Characters in a row of a secret that may stand nowhere: a mask that is cut or one that misses an end leaves fewer."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_ESCAPED_BYTE = re.compile(r"\\x([0-9a-fA-F]{2})")
_ESCAPED_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})")
_TOKEN = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}")
_BACKSLASH = re.compile(r"""\\(["'\\/])""")


def nasty(place: str) -> str:
    """A secret of its own for a place, with all that is spelt otherwise in URLs, JSON, HTML, Python and on one line."""
    one, two, three, four = _words(place)
    return f"{one}/+%é{two}\"'<&{three}!:=  \\{four}"


def plain(place: str) -> str:
    """The same for where only letters and digits may stand."""
    return "".join(_words(place)[:2]).lower()


def _words(place: str) -> list[str]:
    letters = base64.b32encode(blake2b(place.encode(), digest_size=20).digest()).decode()
    return [letters[at : at + 7] for at in range(0, 28, 7)]


class Detector:
    """Finds what is left of some secrets, which are known by the places that they stand in."""

    def __init__(self, marks: Mapping[str, Iterable[str]]) -> None:
        self._windows = {
            mark[at : at + WINDOW]: place
            for place, texts in marks.items()
            for mark in texts
            for at in range(len(mark) - WINDOW + 1)
        }

    def leaks(self, text: str) -> list[str]:
        """The places whose secrets show, each with the line that shows it; also tokens that were made from one."""
        found: dict[str, str] = {}
        if token := _TOKEN.search(text):
            found["token"] = token[0]
        for line in dict.fromkeys(text.splitlines()):
            for reading in set(_readings(line)):
                seen = {reading[at : at + WINDOW] for at in range(len(reading) - WINDOW + 1)}
                for window in self._windows.keys() & seen:
                    found.setdefault(self._windows[window], line[:500])
        return [f"{place}: {line}" for place, line in found.items()]


def _readings(line: str) -> Iterator[str]:
    """A line as it stands, and as those who know its spelling would read it."""
    yield line
    if "%" in line or "+" in line:
        yield unquote(line)
        yield unquote_plus(line)
    if "&" in line:
        yield html.unescape(line)
    if "\\" in line:
        yield _BACKSLASH.sub(r"\1", line)
        characters = _ESCAPED_CHARACTER.sub(lambda found: chr(int(found[1], 16)), line)
        yield _BACKSLASH.sub(r"\1", characters)
        as_bytes = _ESCAPED_BYTE.sub(lambda found: chr(int(found[1], 16)), line)
        yield as_bytes.encode("latin-1", errors="replace").decode(errors="replace")
    for word in _BASE64.findall(line):
        for start in range(4):
            part = word[start:].translate(str.maketrans("-_", "+/"))
            yield base64.b64decode(part[: len(part) // 4 * 4]).decode(errors="replace")
