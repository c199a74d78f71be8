"""A counter of statements that never runs backwards, from sums that do.

pg_stat_statements forgets the rarest statements when its table is full, and everything when somebody resets it.
"""

from typing import NamedTuple


class Sums(NamedTuple):
    """What the server's pg_stat_statements adds up to now. `reset`, `started`: unix seconds, to tell servers apart."""

    calls: float
    seconds: float
    reset: float
    started: float


class Counted(NamedTuple):
    """The counters so far, and the sums that they were last raised by."""

    calls: float
    seconds: float
    last: Sums


def counted(before: Counted | None, now: Sums) -> Counted:
    """The counters, raised by what happened since: never more than that, and less where statements were forgotten."""
    if before is None:
        return Counted(now.calls, now.seconds, now)
    last = before.last
    if now.reset == last.reset:
        calls, seconds = max(0.0, now.calls - last.calls), max(0.0, now.seconds - last.seconds)
    elif now.started == last.started:
        calls, seconds = now.calls, now.seconds
    else:  # another server took over: its history is not what happened since
        calls, seconds = 0.0, 0.0
    return Counted(before.calls + calls, before.seconds + seconds, now)
