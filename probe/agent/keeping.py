"""Keeping the board in `state_dir`, beside the loop."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from probe.model import Clock
from probe.state import Board
from probe.state.store import StoreError, encode, write

KEEP_EVERY = 5.0
"""Seconds between two writes: what a kill -9 can lose."""

_log = logging.getLogger(__name__)


class Keeping:
    """Writes the board to a folder while it changes."""

    def __init__(self, folder: Path, board: Callable[[], Board], clock: Clock) -> None:
        self._folder = folder
        self._board = board
        self._clock = clock
        self._kept: Board | None = None
        self._is_failing = False
        self._writing = threading.Lock()

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(KEEP_EVERY)
            await asyncio.to_thread(self.keep_now)

    def keep_now(self) -> None:
        """Write the board if it is another than the one that was written. A failure is logged once, until mended.

        In any thread: the last write, at the end, waits for one that `keep` may have left under way.
        """
        with self._writing:
            self._keep(self._board())

    def _keep(self, board: Board) -> None:
        if board is self._kept:
            return
        try:
            write(self._folder, encode(board, self._clock.monotonic(), self._clock.wall()))
        except StoreError as error:
            if not self._is_failing:
                _log.error("%s", error)  # the message is all there is to say
            self._is_failing = True
            return
        self._kept, self._is_failing = board, False
