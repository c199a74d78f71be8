"""Where something stands in a file, what is wrong there, and the error that carries all of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from probe.config.sources import Source

MOST_PRINTED = 100
"""Complaints that the text of an error lists; the rest is counted."""

LONGEST_QUOTE = 80
"""Characters of a name or value that a complaint repeats."""

LONGEST_COMPLAINT = 600


class Place(NamedTuple):
    """A position in a file, both numbers from 1. Line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Complaint(NamedTuple):
    """One thing that is wrong: where, and what and how to mend it. Complaints sort by place."""

    place: Place
    message: str

    def __str__(self) -> str:
        line = printable(f"{self.place}: {self.message}")
        return line if len(line) <= LONGEST_COMPLAINT else line[: LONGEST_COMPLAINT - 1] + "…"


class ConfigError(Exception):
    """Everything that is wrong with a config, at once.

    `complaints` are sorted by place, each once; `sources` are the files that were read nevertheless, so that an
    agent can wait for one of them to change. The text is one line a complaint.
    """

    def __init__(self, complaints: Iterable[Complaint], sources: "tuple[Source, ...]" = ()) -> None:
        self.complaints = tuple(sorted(set(complaints)))
        self.sources = sources
        super().__init__(self.complaints)

    def __str__(self) -> str:
        lines = [str(complaint) for complaint in self.complaints[:MOST_PRINTED]]
        if len(self.complaints) > MOST_PRINTED:
            lines.append(f"and {len(self.complaints) - MOST_PRINTED:,} more")
        return "\n".join(lines)


def quoted(text: str) -> str:
    """A user's word in double quotes, cut to a readable length."""
    return f'"{text}"' if len(text) <= LONGEST_QUOTE else f'"{text[: LONGEST_QUOTE - 1]}…"'


def printable(text: str) -> str:
    """The text on one line, with escapes in place of what a terminal would not show."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
