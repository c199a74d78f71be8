"""Reading the files that a config consists of, and knowing later whether one of them has changed."""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LARGEST_SECRET = 1024 * 1024
"""Bytes of a secret or an env file."""

_MISSING = "-"
_STREAM = "~"
"""Of a pipe, `<(…)`: it can be read once, so it never changes."""


class Unreadable(Exception):
    """A file can't be read; the message says why, not which."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a folder of configs, that was looked at, and a digest of what was there (or that it was not)."""

    path: Path
    digest: str
    largest: int

    @property
    def changed(self) -> bool:
        """Whether its content is another now; reads it again."""
        return _digest(self.path, self.largest) != self.digest


class Sources:
    """Reads files, each once, and keeps what `Source` needs."""

    def __init__(self) -> None:
        self._seen: dict[Path, Source] = {}

    def read(self, path: Path, largest: int, *, regular: bool = False) -> bytes:
        """What a file holds, one byte more than `largest` at most. Raises Unreadable.

        `regular` refuses devices and pipes, for paths that a config names.
        """
        try:
            content = _content(path, largest, regular)
        except (OSError, ValueError) as error:
            self.note_missing(path)
            raise Unreadable(_why(error)) from None
        digest = hashlib.sha256(content).hexdigest() if path.is_file() else _STREAM
        self._seen[path] = Source(path, digest, largest)
        return content

    def note_missing(self, path: Path) -> None:
        """Remember a file that could not be read, or was looked for: its coming is a change."""
        self._seen[path] = Source(path, _MISSING, LARGEST_SECRET)

    def list(self, folder: Path) -> list[Path]:
        """The files in a folder, sorted by name; hidden ones are left out. Raises Unreadable."""
        try:
            names = _names(folder)
        except OSError as error:
            raise Unreadable(_why(error)) from None
        finally:
            self._seen[folder] = Source(folder, _digest(folder, 0), 0)
        return [folder / name for name in names]

    def seen(self) -> tuple[Source, ...]:
        return tuple(self._seen.values())


def changed(sources: Iterable[Source]) -> list[Path]:
    """Which of the files hold something else than they did."""
    return [source.path for source in sources if source.changed]


def _digest(path: Path, largest: int) -> str:
    try:
        if path.exists() and not (path.is_dir() or path.is_file()):
            return _STREAM
        content = "\0".join(_names(path)).encode(errors="surrogateescape") if path.is_dir() else None
        return hashlib.sha256(_content(path, largest, regular=False) if content is None else content).hexdigest()
    except (OSError, ValueError):
        return _MISSING


def _names(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def _content(path: Path, largest: int, regular: bool) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if regular else 0))
    with os.fdopen(descriptor, "rb") as file:
        if regular and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        return file.read(largest + 1)


def _why(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__).lower() if isinstance(error, OSError) else str(error)
