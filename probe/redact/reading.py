"""A text as whoever decodes it would read it: percent-encoding, HTML, escapes of JSON and Python, in any mixture."""

import html
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice

_NOT_PLAIN = re.compile(
    r"""(?=[%\\&+\s])(?:  # which all begin with: looking for one takes a tenth of the time
    (?P<bytes>(?:(?:%|\\+x)[0-9a-fA-F]{2})+)
    |(?P<units>(?:\\+u[0-9a-fA-F]{4})+)
    |\\+U(?P<point>00[01][0-9a-fA-F]{5})
    |\\+(?P<letter>[bfnrt])
    |(?P<entity>&(?:\#[0-9]{1,6}|\#x[0-9a-fA-F]{1,5}|amp|lt|gt|quot|apos);)
    |(?P<spaces>[\s+]{2,}|[^\S ]|\+)
    |\\+)""",
    re.VERBOSE,
)
"""What is to be read as something else: escapes, spaces but for a single one, and backslashes, which vanish."""

_BYTE = re.compile(r"(?:%|\\+x)([0-9a-fA-F]{2})")
_UNIT = re.compile(r"\\+u([0-9a-fA-F]{4})")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
BROKEN_ESCAPE = re.compile(
    r"(?:\ufffd|(?:%|\\+x)[89a-fA-F][0-9a-fA-F])*"
    r"(?:\\+u[dD][89aAbB][0-9a-fA-F]{2})?"
    r"(?:%[0-9a-fA-F]?|\\+(?:x[0-9a-fA-F]?|[uU][0-9a-fA-F]{0,7})?|&\#?\w{0,5})?\Z"
)
"""The beginning of an escape, or of a character of several bytes, at the end of a text that is cut off."""

DEEPEST = 4
"""Layers of escapes: HTML in JSON in a text of Python, say."""

_SAYS_ELSE = re.compile(r"[%\\&+]|[^\S ]|  ")
"""What a text must have to say anything else than what stands there."""


Reading = tuple[str, Sequence[int]]
"""What a text says and, for each of its characters and for its end, where that begins in the text."""


def readings(text: str) -> Iterator[Reading]:
    """What a text says, layer by layer, from the text itself to where nothing is left to be decoded.

    In each layer escapes are decoded, backslashes vanish, and each run of spaces and pluses is one space.
    """
    read: str = text
    starts: Sequence[int] = range(len(text) + 1)
    yield read, starts
    for _ in range(DEEPEST):
        if not _SAYS_ELSE.search(read):
            return
        further, places = _one_layer(read)
        if further == read:
            return
        read, starts = further, [starts[place] for place in places]
        yield read, starts


def reading(text: str) -> Reading:
    """What a text says in the end."""
    *_, last = readings(text)
    return last


def _one_layer(text: str) -> Reading:
    read: list[str] = []
    starts: list[int] = []
    for piece, places in _pieces(text):
        doubled = piece.startswith(" ") and bool(read) and read[-1].endswith(" ")
        if len(piece) > doubled:
            read.append(piece[doubled:])
            starts += places[doubled:]
    return "".join(read), [*starts, len(text)]


def _pieces(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """What a text says, piece by piece, with where each character of them begins."""
    at = 0
    for found in _NOT_PLAIN.finditer(text):
        yield text[at : found.start()], range(at, found.start())
        at = found.end()
        if found["spaces"]:
            yield " ", (found.start(),)
        elif found.lastgroup:
            yield from _of_escape(found)
    yield text[at:], range(at, len(text))


def _of_escape(found: re.Match[str]) -> Iterator[tuple[str, Sequence[int]]]:
    start = found.start()
    for character, width in _units(found):
        yield " " if character == "+" or character.isspace() else character, (start,)
        start += width


def _units(found: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The characters that an escape, or a run of them, stands for, with how wide each is written."""
    if written := found["bytes"]:
        raw, widths = _raw(_BYTE, written)
        for character in raw.decode(errors="surrogateescape"):
            if "\udc80" <= character <= "\udcff":  # no UTF-8, so Latin-1
                yield chr(ord(character) & 0xFF), next(widths)
            else:
                yield character, sum(islice(widths, len(character.encode())))
    elif written := found["units"]:
        raw, widths = _raw(_UNIT, written)
        for character in raw.decode("utf-16-be", errors="surrogatepass"):
            yield character, sum(islice(widths, 2 if character > "\uffff" else 1))
    elif written := found["point"]:
        yield chr(min(int(written, 16), sys.maxunicode)), 0
    else:
        yield _LETTERS[found["letter"]] if found["letter"] else html.unescape(found["entity"]), 0


def _raw(pattern: re.Pattern[str], written: str) -> tuple[bytes, Iterator[int]]:
    """What a run of escapes stands for, and how wide each of them is written."""
    escapes = list(pattern.finditer(written))
    return bytes.fromhex("".join(each[1] for each in escapes)), iter([len(each[0]) for each in escapes])
