"""Keeping the board across a restart: one file in `state_dir`, replaced whole, so that a kill never tears it.

What is kept is history: verdicts, causes, tallies, strips, limits. Numbers are not: they are stale by then.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from probe.check import Check
from probe.state import causes, limits
from probe.state.values import Board, State, Well

FILE_NAME = "state.json"
VERSION = 1

PORTION = 200
"""States that are encoded at a time: a millisecond or two."""

JUST_NOW = 0.001
"""Seconds by which all that is restored lies in the past, at least."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """A state with the kind of its check, its times as unix time."""

    kind: str
    state: State


_FORMAT = TypeAdapter(
    dict[str, Saved], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")
)


class StoreError(Exception):
    """The state can't be kept there; the message says where and why."""


def encode(board: Board, now: float, at: float) -> bytes:
    """The file's content. `now` and `at` are the same moment, in monotonic seconds and as unix time."""
    # Portion by portion: ten thousand at once would keep the loop's thread out for 80 ms.
    names = list(board.checks)
    portions = (names[start : start + PORTION] for start in range(0, len(names), PORTION))
    body = b"{" + b",".join([_portion(board, some, at - now)[1:-1] for some in portions]) + b"}"
    return _header(body) + body


def _portion(board: Board, names: Sequence[str], shift: float) -> bytes:
    return _FORMAT.dump_json(
        {
            name: Saved(board.checks[name].kind, _timed(_without_numbers(board[name]), lambda moment: moment + shift))
            for name in names
        }
    )


def write(folder: Path, content: bytes) -> None:
    """Replace the file, whole or not at all. Raises StoreError."""
    path, fresh = folder / FILE_NAME, folder / f"{FILE_NAME}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: the state can't be kept: {error.strerror}") from None


def restored(folder: Path, board: Board, now: float, at: float) -> Board:
    """The board with the history that was kept of its checks. A file that is not whole is set aside, and said."""
    path = folder / FILE_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return board
    except OSError as error:
        raise StoreError(f"{path}: the state can't be read: {error.strerror}") from None
    header, _, body = content.partition(b"\n")
    try:
        if header + b"\n" != _header(body):
            raise ValueError("it is torn, or of another version")
        saved = _FORMAT.validate_json(body)
    except (ValueError, ValidationError) as error:
        aside = _set_aside(path)
        _log.warning("%s is not whole (%s); history starts anew, the file is kept as %s", path, _first(error), aside)
        return board
    return _merged(board, saved, now, now - at)


def _set_aside(path: Path) -> Path:
    aside = path.with_suffix(".broken")
    try:
        return path.replace(aside)
    except OSError as error:
        raise StoreError(f"{path} is not whole, and can't be set aside as {aside}: {error.strerror}") from None


def _merged(board: Board, saved: Mapping[str, Saved], now: float, shift: float) -> Board:
    states = {
        name: _revived(saved[name].state, check, now, shift) if _is_same(saved.get(name), check) else board[name]
        for name, check in board.checks.items()
    }
    return causes.without_lost(Board.of(board.checks, states))


def _is_same(saved: Saved | None, check: Check) -> bool:
    return saved is not None and (saved.state.check, saved.kind) == (check.name, check.kind)


def _revived(state: State, check: Check, now: float, shift: float) -> State:
    def past(moment: float) -> float:
        # Where the wall clock was set back meanwhile, it lies ahead, and all runs until then would seem to be older.
        return moment if moment == inf else min(moment + shift, now - JUST_NOW)

    # What is held waits anew: of the needs that it waited for nobody asked meanwhile.
    held = tuple([outcome._replace(began=now, ended=now) for outcome in state.held])
    return replace(_timed(state, past), held=held, limits=limits.carried(state, check))


def _without_numbers(state: State) -> State:
    return replace(state, result=None, surveys={})


def _timed(state: State, move: Callable[[float], float]) -> State:
    """The state with its monotonic times moved, but those of what is held."""
    standing = state.standing
    return replace(
        state,
        appeared=move(state.appeared),
        standing=standing._replace(began=move(standing.began), ended=move(standing.ended)) if standing else None,
        failing_since=move(state.failing_since),
        good_since=move(state.good_since),
        well={
            need: Well(move(well.failing_since), move(well.since), move(well.until), well.runs)
            for need, well in state.well.items()
        },
    )


def _header(body: bytes) -> bytes:
    return f"probe state {VERSION} {hashlib.blake2b(body, digest_size=16).hexdigest()}\n".encode()


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]
