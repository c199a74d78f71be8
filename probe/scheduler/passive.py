"""Checks whose results arrive: say so when one does not."""

import asyncio
from collections.abc import Callable, Iterable
from math import inf

from probe.check import Check
from probe.model import Clock, Reason, Result
from probe.scheduler.clockwatch import STEP
from probe.units import show_seconds


class Listening:
    """Waits for the results of passive checks, and gives an unhealthy one for each interval that stays silent.

    A check is overdue when nothing was heard for its interval and, as grace, its timeout.
    """

    def __init__(self, overdue: Callable[[Check, Result], None], clock: Clock) -> None:
        self._overdue = overdue
        self._clock = clock
        self._heard: dict[str, float] = {}
        self._told: dict[str, float] = {}
        """When the silence of a check was told last."""
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def listen(self, checks: Iterable[Check]) -> None:
        """Wait for these checks and for no others. A new one was heard now; a former one when it was.

        A silence that was told is not told again before its time.
        """
        passive = {check.name: check for check in checks if check.passive}
        self.stop()
        now = self._clock.monotonic()
        self._heard = {name: self._heard.get(name, now) for name in passive}
        self._told = {name: self._told.get(name, -inf) for name in passive}
        for check in passive.values():
            self._wait(check, self._due(check))

    def heard(self, name: str, at: float) -> None:
        """A result of this check came, at `at` monotonic seconds; which a restored state knows too."""
        if name in self._heard:
            self._heard[name] = at

    def stop(self) -> None:
        """Wait for nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _wait(self, check: Check, until: float) -> None:
        now = self._clock.monotonic()
        expected = max(until, now)
        timer = asyncio.get_running_loop().call_later(expected - now, self._look, check, expected)
        self._timers[check.name] = timer

    def _look(self, check: Check, expected: float) -> None:
        now = self._clock.monotonic()
        if now - expected > STEP:  # nothing ran meanwhile, so what arrived is not read yet
            self._wait(check, now + check.timeout)
            return
        due = self._due(check)
        if now < due:  # heard since; one timer for each interval, not for each result
            self._wait(check, due)
            return
        self._told[check.name] = now
        self._wait(check, now + check.interval)
        silence = show_seconds(now - self._heard[check.name])
        message = f"nothing heard for {silence}"
        self._overdue(
            check, Result(check.name, Reason.UNHEALTHY, message=message, at=self._clock.wall(), began=now, ended=now)
        )

    def _due(self, check: Check) -> float:
        """When its silence is told: after its patience, and then once an interval."""
        return max(self._heard[check.name] + check.interval + check.timeout, self._told[check.name] + check.interval)
