"""Bytes to a tree with positions, from PyYAML's event stream: whatever the bytes, a tree or complaints."""

import codecs
import re
from typing import Any

import yaml
from yaml.reader import Reader

from probe.config.composer import Composer, Refused
from probe.config.nodes import Map, Node
from probe.config.places import Complaint, Place

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes: 20,000 checks of 800 bytes each."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML was built with it: 50 times as fast."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # which begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""What some editors begin a file with, by its encoding."""

_WORDS = (
    (r"character '?\\?t'? ?that cannot start|tab character", "a tab can't indent YAML; use spaces"),
    (r"cannot start any token", "a value can't start with this character; put the value in quotes"),
    (
        r"mapping values are not allowed",
        'a ": " can\'t stand here; put the value in quotes, or see whether the line above lacks its own',
    ),
    (r"unexpected end of stream", "the quote that opens here is never closed"),
    (r"expected ',' or '\]'", "the list that opens here lacks a comma or its closing ]"),
    (r"expected ',' or '\}'", "the mapping that opens here lacks a comma or its closing }"),
    (r"unknown escape character", r"no such escape in double quotes; write \\ for a backslash, or use single quotes"),
    (
        r"expected '-' indicator|expected <block end>, but found '\?'",
        "this line is indented like a list, but is no item of it",
    ),
    (
        r"did not find expected key|expected <block end>",
        "this does not continue the mapping above; check indentation and quotes",
    ),
    (r"could not find expected ':'", 'the line above or this one lacks its ": "'),
    (r"expected node content|expected the node content", "a value is missing before this"),
    (
        r"chomping or indentation indicators|expected comment or",
        "after | or > only a digit, + or - may stand on the line",
    ),
    (
        r"alphabetic or numeric character",
        "an anchor or alias has a name of letters, digits, - and _, as in &db and *db",
    ),
    (r"incompatible (YAML )?document", "only YAML 1 is read; remove the line that begins with %YAML"),
    (r"expected '?<document start>", "the config has ended before this; check brackets and indentation"),
)
"""PyYAML's words, libyaml's and the Python parser's, and ours."""

_AT_OPENING = ("unexpected end of stream", "expected ',' or")
"""Complaints that are about where something opened, not about where the parser gave up."""


def read(file: str, content: bytes) -> tuple[Map | None, list[Complaint]]:
    """The top-level mapping of a config file, None when there is no reading it, and what is wrong in it."""
    text = _decoded(file, content)
    if isinstance(text, Complaint):
        return None, [text]
    loader = LOADER(text)
    composer = Composer(file)
    try:
        top = composer.document(loader.get_event)
    except Refused as refused:
        return None, [*composer.complaints, refused.complaint]
    except yaml.YAMLError as error:
        return None, [*composer.complaints, _of_parser(file, text, error)]
    finally:
        loader.dispose()
    return _mapping(file, top, composer.complaints)


def _mapping(file: str, top: Node | None, complaints: list[Complaint]) -> tuple[Map | None, list[Complaint]]:
    if isinstance(top, Map):
        return top, complaints
    if top is None:
        return None, [*complaints, Complaint(Place(file, 1, 1), "the file is empty; give it checks:")]
    return None, [*complaints, Complaint(top.place, "a config is a mapping; start it with checks:")]


def _decoded(file: str, content: bytes) -> str | Complaint:
    if len(content) > LARGEST_FILE:
        return Complaint(Place(file), "larger than 16 MB; split it into a folder of files")
    if other := next((name for mark, name in _MARKS if content.startswith(mark)), _without_mark(content)):
        return Complaint(Place(file, 1, 1), f"not UTF-8 but {other}; save the file as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        place = _place_of(file, before, len(before))
        return Complaint(place, f"not UTF-8 (byte 0x{error.object[error.start]:02x}); save the file as UTF-8")
    if found := Reader.NON_PRINTABLE.search(text):
        return Complaint(_place_of(file, text, found.start()), _unprintable(found[0]))
    return text


def _without_mark(content: bytes) -> str:
    """An encoding whose first letters have empty bytes beside them."""
    return "UTF-16" if 0 in content[:2] and any(content[:2]) else ""


def _of_parser(file: str, text: str, error: yaml.YAMLError) -> Complaint:
    if not isinstance(error, yaml.MarkedYAMLError):
        position = getattr(error, "position", 0)
        return Complaint(_place_of(file, text, position), _unprintable(text[position : position + 1]))
    problem = error.problem or "not YAML"
    mark = error.problem_mark or error.context_mark
    if error.context_mark and any(words in problem for words in _AT_OPENING):
        mark = error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if _character_at(text, line, column) == "\t" and "cannot start" in problem:
        problem = "tab character"
    said = next((ours for theirs, ours in _WORDS if re.search(theirs, problem)), problem)
    return Complaint(Place(file, line + 1, column + 1), f"not YAML: {said}")


def _character_at(text: str, line: int, column: int) -> str:
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text, maxsplit=line + 1)
    return lines[line][column : column + 1] if line < len(lines) else ""


def _unprintable(character: str) -> str:
    return f"not YAML: the character U+{ord(character or chr(0)):04X} can't stand here; remove it"


def _place_of(file: str, text: str, index: int) -> Place:
    line_start = text.rfind("\n", 0, index) + 1
    return Place(file, text.count("\n", 0, index) + 1, index - line_start + 1)
