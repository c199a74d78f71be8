"""The schedule of starts: what runs when, across reloads and steps of the clock.

its slot came, or a first run, a retry or a confirmation is wanted   here
  -> it waits for its turn: groups of four, 2 ms apart               pacer
  -> it runs, however long, and nothing waits for it                 flights
  -> its result is folded, unless the check changed meanwhile
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from probe.check import Check
from probe.model import SYSTEM_CLOCK, Clock, Result
from probe.scheduler.clockwatch import TICK, ClockWatch
from probe.scheduler.entry import Entry, Key, keys_of
from probe.scheduler.figures import Figures
from probe.scheduler.flights import Flights, Runs
from probe.scheduler.grid import Grid
from probe.scheduler.passive import Listening
from probe.scheduler.plan import Slot, first_due, made_up_for

GRACE = 5.0
"""Seconds that runs in flight have to end when the agent stops."""

PORTION = 50
"""Checks that a reload handles before it lets the loop turn: a few milliseconds."""

Item = TypeVar("Item")


class Scheduler:
    """Runs every check and survey at its slot and gives each result to `fold(check, result, counted)`, in the loop.

    `counted` is false for a run that only confirms: see `confirm`.
    """

    def __init__(self, runs: Runs, fold: Callable[[Check, Result, bool], None], *, clock: Clock = SYSTEM_CLOCK) -> None:
        """`clock`'s monotonic time is the loop's."""
        self.figures = Figures()
        self._clock = clock
        self._clock_watch = ClockWatch(clock)
        self._flights = Flights(runs, fold, self.figures, clock)
        self._listening = Listening(lambda check, result: fold(check, result, True), clock)
        self._grid = Grid(self._slot_is_due)
        self._checks: Mapping[str, Check] = {}
        self._entries: dict[Key, Entry] = {}
        self._slots: dict[Slot, dict[Key, Entry]] = {}
        self._due: dict[Slot, float] = {}
        self._replacing = asyncio.Lock()
        self._ticking: asyncio.TimerHandle | None = None

    async def start(self, checks: Mapping[str, Check]) -> None:
        """Begin. The first run of each check comes within 15 s, or within its interval if that is shorter."""
        self._grid.start()
        self._clock_watch = ClockWatch(self._clock)
        self._tick()
        await self.replace(checks)

    async def replace(self, checks: Mapping[str, Check]) -> None:
        """Run these checks from now on. One that is equal to a former one goes on as it was.

        A check that changed keeps its phase, as that comes from its name and interval, and is also run within 15 s;
        of its former self, as of a check that went, nothing is folded any more. The loop turns meanwhile.
        """
        async with self._replacing:
            if self._ticking is None:  # stopped meanwhile
                return
            wanted: dict[str, Check] = {}
            for portion in _portions(list(checks.items())):
                wanted |= {name: self._former_if_equal(name, check) for name, check in portion}
                await asyncio.sleep(0)
            self._checks = wanted
            self._flights.drop_unless(self._is_current)
            self._listening.listen(wanted.values())
            for leaving in _portions([entry for entry in self._entries.values() if not self._is_current(entry.check)]):
                self._change(self._leave, leaving)
                await asyncio.sleep(0)
            keys = (key for check in wanted.values() for key in keys_of(check))
            for arriving in _portions([key for key in keys if key not in self._entries]):
                self._change(self._enter, arriving)
                await asyncio.sleep(0)

    async def stop(self, grace: float = GRACE) -> None:
        """Start nothing any more, wait for the runs in flight, then cancel them. Results in the grace are folded."""
        async with self._replacing:
            if self._ticking is None:
                return
            self._ticking.cancel()
            self._ticking = None
            self._grid.stop()
            self._listening.stop()
            for entry in self._entries.values():
                entry.forget_extra()
            self._entries.clear()
            await self._flights.stop(grace)

    @property
    def late(self) -> float:
        """Seconds by which the most overdue slot is late. More than a few: the loop, or this schedule, stands still."""
        return max(0.0, self._clock_watch.steady_wall - min(self._due.values(), default=math.inf))

    def confirm(self, name: str) -> bool:
        """Run a check at once, without counting it; False if one is in flight, stray, or can't be asked for.

        A slot that comes while it is in flight adopts it: then it is counted.
        """
        entry = self._entries.get((name, ""))
        if entry is None or self._flights.get(entry.key) or self._flights.is_stray(entry.key):
            return False
        self._flights.start(entry.check, "", self._clock.monotonic(), counted=False, first=True)
        return True

    def retry(self, name: str, failed_at: float) -> None:
        """After a failed run that began at `failed_at` (monotonic): run again after `retry_interval`.

        Does nothing if its slot comes sooner, if a run beside it is due already, or if it has no `retry_interval`.
        """
        entry = self._entries.get((name, ""))
        if entry is None or entry.extra is not None or entry.check.retry_interval is None:
            return
        delay = max(0.0, failed_at + entry.check.retry_interval - self._clock.monotonic())
        if delay < self._due[entry.slot] - self._clock.wall():
            self._start_extra_in(delay, entry)

    def heard(self, name: str, at: float) -> None:
        """A result of a passive check came, at `at` monotonic seconds."""
        self._listening.heard(name, at)

    def _slot_is_due(self, slot: Slot) -> None:
        if self._has_rearmed():
            return
        wall = self._clock.wall()
        due = self._clock.monotonic() - (wall - self._due[slot])
        self._due[slot] = slot.after(wall)
        for entry in self._slots[slot].values():
            if self._is_current(entry.check):
                self._start_by_slot(entry, due)

    def _start_by_slot(self, entry: Entry, due: float) -> None:
        flight = self._flights.get(entry.key)
        if (flight is not None and flight.by_slot) or self._flights.is_stray(entry.key):
            self.figures.skipped += 1
            return
        entry.forget_extra()
        if flight is not None:
            flight.adopt()
        else:
            self._flights.start(entry.check, entry.survey, due, by_slot=True)

    def _start_extra_in(self, delay: float, entry: Entry) -> None:
        entry.forget_extra()
        due = self._clock.monotonic() + delay
        entry.extra = asyncio.get_running_loop().call_later(delay, self._extra_is_due, entry, due)

    def _extra_is_due(self, entry: Entry, due: float) -> None:
        entry.extra = None
        if not self._is_current(entry.check):
            return
        flight = self._flights.get(entry.key)
        if flight is not None:
            flight.counted = True
        elif self._flights.is_stray(entry.key):
            self._start_extra_in(TICK, entry)
        else:
            self._flights.start(entry.check, entry.survey, due)

    def _start_extra_at(self, wall: float, entry: Entry) -> None:
        if wall < self._due[entry.slot]:
            self._start_extra_in(wall - self._clock.wall(), entry)

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)
        self._has_rearmed()

    def _has_rearmed(self) -> bool:
        """Look at the clocks, and rearm if they jumped."""
        steady_wall = self._clock_watch.steady_wall
        has_jumped = self._clock_watch.jumped()
        if has_jumped:
            self._rearm(steady_wall)
        return has_jumped

    def _rearm(self, steady_wall: float) -> None:
        """Every slot's time was worked out by a clock that stepped. What was jumped over runs soon, not all at once.

        So does what would be due by now, had the clock not stepped back since the last look.
        """
        self.figures.clock_steps += 1
        wall = self._clock.wall()
        with self._grid.at_once():
            for slot, entries in self._slots.items():
                jumped_over = self._due[slot] <= max(wall, steady_wall)
                self._due[slot] = slot.after(wall)
                self._grid.move(slot, self._due[slot])
                if jumped_over:
                    for entry in entries.values():
                        self._start_extra_at(made_up_for(slot, wall), entry)

    def _is_current(self, check: Check) -> bool:
        return self._checks.get(check.name) is check

    def _former_if_equal(self, name: str, check: Check) -> Check:
        former = self._checks.get(name)
        return former if former is not None and type(former) is type(check) and former == check else check

    def _change(self, change: Callable[[Item], None], portion: Sequence[Item]) -> None:
        with self._grid.at_once():
            for item in portion:
                change(item)

    def _enter(self, key: Key) -> None:
        entry = Entry(self._checks[key[0]], key[1])
        self._entries[key] = entry
        if entry.slot not in self._slots:
            self._slots[entry.slot] = {}
            self._due[entry.slot] = entry.slot.after(self._clock.wall())
            self._grid.add(entry.slot, self._due[entry.slot])
        self._slots[entry.slot][key] = entry
        self._start_extra_at(first_due(entry.slot, self._clock.wall()), entry)

    def _leave(self, entry: Entry) -> None:
        entry.forget_extra()
        del self._entries[entry.key]
        del self._slots[entry.slot][entry.key]
        if not self._slots[entry.slot]:
            del self._slots[entry.slot], self._due[entry.slot]
            self._grid.remove(entry.slot)


def _portions(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + PORTION] for start in range(0, len(items), PORTION))
