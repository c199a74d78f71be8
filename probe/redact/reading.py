"""A text as whoever decodes it would read it: percent-encoding, HTML, escapes of JSON and Python, in any mixture."""

import html
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice

_ESCAPE = re.compile(
    r"""(?P<bytes>(?:(?:%|\\+x)[0-9a-fA-F]{2})+)
    |(?P<units>(?:\\+u[0-9a-fA-F]{4})+)
    |\\+U(?P<point>00[01][0-9a-fA-F]{5})
    |\\+(?P<letter>[bfnrt])
    |(?P<entity>&(?:\#[0-9]{1,6}|\#x[0-9a-fA-F]{1,5}|amp|lt|gt|quot|apos);)""",
    re.VERBOSE,
)
_BYTE = re.compile(r"(?:%|\\+x)([0-9a-fA-F]{2})")
_UNIT = re.compile(r"\\+u([0-9a-fA-F]{4})")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
BROKEN_ESCAPE = re.compile(
    r"(?:\ufffd|(?:%|\\x)[89a-fA-F][0-9a-fA-F])*"
    r"(?:%[0-9a-fA-F]?|\\(?:x[0-9a-fA-F]?|[uU][0-9a-fA-F]{0,7})?|&\#?\w{0,5})?\Z"
)
"""The beginning of an escape, or of a character of several bytes, at the end of a text that is cut off."""

SPELT_OTHERWISE = re.compile(r"[%\\&+\s]|[^\x00-\x7f]")
"""What a secret must have for some reading of it to be another text."""


def reading(text: str) -> tuple[str, Sequence[int]]:
    """What a text says: escapes decoded, backslashes gone, each run of spaces and pluses one space.

    With it, for each of its characters and for its end, where that begins in the text.
    """
    if "  " not in text and not SPELT_OTHERWISE.search(text.replace(" ", "")):
        return text, range(len(text) + 1)
    read: list[str] = []
    starts: list[int] = []
    for character, start in _decoded(text):
        is_space = character == "+" or character.isspace()
        if character != "\\" and not (is_space and read and read[-1] == " "):
            read.append(" " if is_space else character)
            starts.append(start)
    return "".join(read), [*starts, len(text)]


def _decoded(text: str) -> Iterator[tuple[str, int]]:
    """The characters of a text, escapes decoded, with where each begins."""
    at = 0
    for found in _ESCAPE.finditer(text):
        yield from zip(text[at : found.start()], range(at, found.start()), strict=True)
        yield from _of_escape(found)
        at = found.end()
    yield from zip(text[at:], range(at, len(text)), strict=True)


def _of_escape(found: re.Match[str]) -> Iterator[tuple[str, int]]:
    start = found.start()
    for character, width in _units(found):
        yield character, start
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
