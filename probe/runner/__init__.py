"""One run of one check, whatever it does: deadline, timing, cancellation, classification, sessions."""

from probe.runner.run import ABANDON_AFTER, Runner

__all__ = ["ABANDON_AFTER", "Runner"]
