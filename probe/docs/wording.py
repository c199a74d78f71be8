"""Texts of declarations, made ready to be shown: unwrapped, as sentences, in lists."""

import inspect
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any

from probe.config.docstrings import docstrings_of

Row = dict[str, Any]
"""A line of a table: what its columns are called, and what stands in them."""


def paragraphs(text: str | None) -> list[str]:
    """The paragraphs of a docstring, each in one line; none of an absent one."""
    cleaned = inspect.cleandoc(text or "")
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", cleaned) if paragraph.strip()]


def first_sentence(text: str) -> str:
    """Up to the first full stop that a space or the end follows; a stop within brackets ends nothing."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "." and depth == 0 and text[position + 1 : position + 2] in ("", " "):
            return text[: position + 1]
    return text


def sentence(text: str) -> str:
    """With a capital at the beginning and a full stop at the end, whoever wrote it."""
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":", "!", "?")) or not text else ".")


def joined(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`; of no words `anything`."""
    if len(words) < 2:
        return words[0] if words else "anything"
    return f"{', '.join(words[:-1])} or {words[-1]}"


def blocks(text: str) -> list[tuple[bool, str]]:
    """The parts of a text for people, each with whether it is code.

    Lines indented by four are code and the others prose; a text without such lines is code as a whole.
    """
    found: list[tuple[bool, list[str]]] = []
    lines = text.strip("\n").splitlines()
    mixed = any(line.startswith("    ") for line in lines)
    for line in lines:
        is_code = not mixed or line.startswith("    ") or (not line.strip() and bool(found) and found[-1][0])
        if not found or found[-1][0] != is_code:
            found.append((is_code, []))
        found[-1][1].append(line)
    return [
        (is_code, inspect.cleandoc("\n" + "\n".join(part)).rstrip())
        for is_code, part in found
        if any(line.strip() for line in part)
    ]


def member_docstrings(enumeration: type[Enum]) -> dict[str, str]:
    """The docstrings below the members of an enumeration, by the member's value."""
    return {enumeration[name].value: " ".join(text.split()) for name, text in docstrings_of(enumeration).items()}
