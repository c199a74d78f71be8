"""A thread that looks whether the loop turns, and says who blocks it."""

import asyncio
import logging
import sys
import threading
import time

from probe.scheduler.figures import Figures

BLOCKED_AFTER = 0.5
"""Seconds; a loop that does not turn for so long falsifies the durations of everyone."""

_BEAT = 0.25
"""Seconds between two beats of the loop, and two looks of the thread."""

_log = logging.getLogger(__name__)


class Watchdog:
    """Measures how late the loop's timers come, and logs by name the check that blocks it for over 0.5 s."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._stopped = threading.Event()
        self._beat_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch the running loop, which must be this thread's."""
        self._beat_at = time.monotonic()
        loop = asyncio.get_running_loop()
        self._beat(loop)
        threading.Thread(
            target=self._watch, args=(loop, threading.get_ident()), name="probe-watchdog", daemon=True
        ).start()

    def stop(self) -> None:
        """Look no more; the thread ends within a quarter of a second."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        self._figures.lag.add(max(0.0, now - self._beat_at))
        self._beat_at = now + _BEAT
        self._timer = loop.call_later(_BEAT, self._beat, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        told_of = looked = 0.0
        while not self._stopped.wait(_BEAT):
            overslept = time.monotonic() - looked > 2 * _BEAT  # then all were stopped, not only the loop
            looked = time.monotonic()
            beat_at = self._beat_at
            if looked - beat_at > BLOCKED_AFTER and beat_at != told_of and not overslept:
                told_of = beat_at
                self._figures.blocked += 1
                _log.warning("%s; nothing else runs meanwhile", _what_blocks(loop, thread))


def _what_blocks(loop: asyncio.AbstractEventLoop, thread: int) -> str:
    """Who (`check db blocks the loop`) and where (`at kinds/db.py:12`), as far as it can be told."""
    blocker = asyncio.current_task(loop)
    kind, _, name = blocker.get_name().partition(":") if blocker is not None else ("", "", "")
    who = {"probe": f"check {name}", "schedule": f"folding a result of {name}"}.get(kind, name or kind or "a callback")
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # documented, and the only way to see another thread
    where = f" at {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
    return f"{who} blocks the loop{where}"
