"""When Python looks for garbage: hardly ever, and not while a config of ten thousand checks is read.

A fold drops as many objects as it makes, none of them in a cycle, so there is next to nothing to find. But a look
holds up the loop, in whatever thread it happens, and even one at the youngest generation is at all that was made since
the last one: a quarter of a second at ten thousand checks, and more than that in the middle of a reload.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = (50_000, 20, 20)
"""Thresholds. Python's own make it look all the time, which costs a tenth of the CPU."""

WHOLLY_EVERY = 3600.0
"""Seconds from one look at everything to the next, where configs are read in between."""


class Garbage:
    """From when it is made on Python looks rarely; what is there by then (modules, the config) counts as old."""

    def __init__(self) -> None:
        gc.set_threshold(*RARELY)
        self._look_at_everything()

    @contextmanager
    def unsought(self) -> Iterator[None]:
        """Don't look while many objects are made that will stay; afterwards they count as old, without a look at them.

        So does what garbage there is, mostly of runs that a reload cancelled; once an hour all is looked at for that.
        """
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()  # takes all generations away, whatever their size, in no time
            gc.unfreeze()  # and gives them back as the oldest
            if time.monotonic() - self._looked_at > WHOLLY_EVERY:
                self._look_at_everything()
            gc.enable()

    def _look_at_everything(self) -> None:
        gc.collect()
        self._looked_at = time.monotonic()
