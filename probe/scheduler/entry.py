"""One line of the schedule: a check's run, or a survey of it, and its slot."""

import asyncio
from dataclasses import dataclass, field

from probe.check import Check
from probe.scheduler.plan import Slot, slot_of

Key = tuple[str, str]
"""A check's name and a survey's; the survey's is empty for the run itself."""


@dataclass(slots=True, eq=False)
class Entry:
    """A check, or a survey of it, in the schedule.

    `extra` is the timer of a start before that: the first run
    of all, a retry, or one in place of a slot that a step of the clock jumped over.
    """

    check: Check
    survey: str
    slot: Slot = field(init=False)
    extra: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        name = f"{self.check.name}/{self.survey}" if self.survey else self.check.name
        self.slot = slot_of(name, self.check.interval_of(self.survey))

    @property
    def key(self) -> Key:
        return self.check.name, self.survey

    def forget_extra(self) -> None:
        """Stop the timer, if there is one."""
        if self.extra is not None:
            self.extra.cancel()
            self.extra = None


def keys_of(check: Check) -> list[Key]:
    """What of a check is scheduled: its run, unless its results arrive by themselves, and its surveys."""
    own = [] if check.passive else [(check.name, "")]
    return own + [(check.name, survey) for survey in check.active_surveys]
