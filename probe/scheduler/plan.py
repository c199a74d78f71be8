"""When a check is due: pure functions of its name, its interval and the wall clock.

A check's phase comes from its name alone, so it is the same after a restart, a reload and on another machine, and
many checks never start at once. Counted from the epoch in whole microseconds, it never drifts.
"""

from hashlib import blake2b
from typing import NamedTuple

GRID = 50_000
"""Microseconds between two phases: a wake-up costs more than the start of a run, so checks due within it share one."""

FIRST_RUN_WITHIN = 15_000_000
"""Microseconds after which every check has had its first start, however long its interval is."""

_SECOND = 1_000_000


class Slot(NamedTuple):
    """Checks that start together: every `interval`, `offset` after a multiple of it since the epoch (microseconds)."""

    interval: int
    offset: int

    def after(self, moment: float) -> float:
        """The first time later than `moment` at which it is due; both are unix seconds."""
        return self.microsecond_after(round(moment * _SECOND)) / _SECOND

    def microsecond_after(self, moment: int) -> int:
        """The same in whole microseconds, where nothing is rounded."""
        return ((moment - self.offset) // self.interval + 1) * self.interval + self.offset


def slot_of(name: str, interval: float) -> Slot:
    """The slot of a check (or of `check/survey`) that is due every `interval` seconds."""
    whole = round(interval * _SECOND)
    number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
    return Slot(whole, number % max(1, whole // GRID) * GRID)


def first_due(slot: Slot, now: float) -> float:
    """When what appears `now` is due first: within min(interval, 15 s), spread by phase; unix seconds."""
    return _soonest(slot, now, min(slot.interval, FIRST_RUN_WITHIN))


def made_up_for(slot: Slot, now: float) -> float:
    """When what missed its slot is due instead: within half an interval and 15 s, spread by phase; unix seconds."""
    return _soonest(slot, now, min(slot.interval // 2, FIRST_RUN_WITHIN))


def _soonest(slot: Slot, now: float, within: int) -> float:
    return min(slot.after(now), Slot(within, slot.offset % within).after(now))
