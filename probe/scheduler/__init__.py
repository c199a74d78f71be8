"""When to run: the schedule of starts, the watchdog over the loop, and how the agent is told to stop."""

from probe.scheduler.figures import Buckets, Figures
from probe.scheduler.flights import Runs
from probe.scheduler.scheduler import GRACE, Scheduler
from probe.scheduler.signals import PATIENCE, Signals
from probe.scheduler.watchdog import Watchdog

__all__ = ["GRACE", "PATIENCE", "Buckets", "Figures", "Runs", "Scheduler", "Signals", "Watchdog"]
