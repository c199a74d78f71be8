"""The last runs of a check as a row of bars: how long each took, and how it ended."""

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

from probe.state import Strip
from probe.state.values import STRIP_LENGTH, Past

WIDTH, HEIGHT = 6, 36
"""Of one run's place, in the units of the drawing."""

_LOWEST = 4.0


class Bar(NamedTuple):
    """A bar: its left edge, its top, its height, and the run that it stands for."""

    x: int
    y: float
    height: float
    past: Past


def bars(strip: Strip) -> list[Bar]:
    """The newest run at the right edge. Heights grow with the root of the duration: a timeout dwarfs nothing."""
    runs = list(strip)
    longest = max((past.duration for past in runs), default=0.0) or 1.0
    first = STRIP_LENGTH - len(runs)
    return [_bar((first + index) * WIDTH, past, longest) for index, past in enumerate(runs)]


def paths(row: Iterable[Bar]) -> dict[str, str]:
    """The same row as two shapes, `ok` and `failed`: short enough for a page of many checks."""
    found: dict[str, list[str]] = {}
    for bar in row:
        key = "ok" if bar.past.reason == "ok" else "failed"
        found.setdefault(key, []).append(f"M{bar.x} {HEIGHT}v-{bar.height:g}h{WIDTH - 2}v{bar.height:g}z")
    return {key: "".join(shapes) for key, shapes in found.items()}


def _bar(x: int, past: Past, longest: float) -> Bar:
    height = round(_LOWEST + (HEIGHT - _LOWEST) * sqrt(max(0.0, past.duration) / longest), 1)
    return Bar(x, round(HEIGHT - height, 1), height, past)
