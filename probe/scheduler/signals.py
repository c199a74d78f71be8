"""SIGTERM, Ctrl-C and SIGHUP, heard whatever the loop is doing, and a last resort for what never ends.

Python runs a signal's handler in the main thread and only between two bytecodes: a loop that is blocked in a C call (a
look-up, a file on a dead NFS server) hears nothing. The interpreter writes the signal's number to a socket at once,
though. A thread reads it, passes the news to the loop, and ends the process if the loop does not.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

STOPPING = (signal.SIGTERM, signal.SIGINT)

PATIENCE = 6.5
"""Seconds: the grace of 5, one for runs that ignore their cancellation, and some to close sockets and files."""

ENDED = 0
"""Exit code by force, too: whoever asked for the end got it."""

INTERRUPTED = 130
"""Exit code after a second Ctrl-C, as shells count it (128 + SIGINT)."""

_log = logging.getLogger(__name__)


class Signals:
    """Tells the loop to stop or to reload, and ends the process `patience` seconds after it was told to stop.

    A Ctrl-C after that request ends it at once.
    """

    def __init__(
        self, *, on_stop: Callable[[], None], on_reload: Callable[[], None], patience: float = PATIENCE
    ) -> None:
        """`on_stop` and `on_reload` are called in the loop."""
        self._on_stop = on_stop
        self._on_reload = on_reload
        self._patience = patience
        self._stop_seen = False
        self._former: dict[signal.Signals, Any] = {}
        self._former_wakeup = -1
        self._mouth: socket.socket | None = None

    def install(self) -> None:
        """Listen from now on; to be called in the running loop, in the main thread.

        What ends the process outlives the loop, for what may hang after it: don't `remove` in a process that ends.
        """
        ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        for number in (*STOPPING, signal.SIGHUP):
            self._former[number] = signal.signal(number, self._in_main_thread)
        self._former_wakeup = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(ear, loop), name="probe-signals", daemon=True).start()

    def remove(self) -> None:
        """Put back what was before, and don't end the process any more; in the same loop and thread."""
        if self._mouth is None:
            return
        signal.set_wakeup_fd(self._former_wakeup)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._mouth.close()
        self._mouth = None

    def _in_main_thread(self, number: int, _frame: FrameType | None) -> None:
        """Matters only once the loop is gone and its wake-up socket with it."""
        if self._stop_seen and number == signal.SIGINT:
            os._exit(INTERRUPTED)
        self._stop_seen = self._stop_seen or number in STOPPING

    def _listen(self, ear: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        end_at: float | None = None
        with ear:
            while numbers := _heard(ear, end_at):
                for number in numbers:
                    if number == signal.SIGHUP:
                        _call(loop, self._on_reload)
                    elif number in STOPPING and end_at is None:
                        end_at = time.monotonic() + self._patience
                        _call(loop, self._on_stop)
                    elif number == signal.SIGINT:
                        os._exit(INTERRUPTED)


def _heard(ear: socket.socket, end_at: float | None) -> bytes:
    """The numbers of the signals that came; empty after `remove`. Does not return when `end_at` passes."""
    try:
        ear.settimeout(None if end_at is None else max(0.001, end_at - time.monotonic()))
        return ear.recv(64)
    except TimeoutError:
        _end_by_force()


def _end_by_force() -> NoReturn:
    """End the process without asking anyone, not even whoever may hold the lock of the log."""
    try:
        telling = threading.Thread(target=_log.warning, args=("ended by force: something still hangs",), daemon=True)
        telling.start()
        telling.join(0.2)
    finally:
        os._exit(ENDED)


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: the end is near anyway
        loop.call_soon_threadsafe(callback)
