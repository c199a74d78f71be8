"""A run outside of the runner, to look at what the exchange notes on it."""

import time
from collections.abc import Mapping

from probe.check import Run
from probe.model import SYSTEM_CLOCK, Metric


def new_run(timeout: float = 5.0, declared: Mapping[str, Metric] | None = None) -> Run:
    return Run(declared or {}, SYSTEM_CLOCK, time.monotonic() + timeout)


def steps(run: Run) -> list[str]:
    return [step.name for step in run.steps]
