"""A kind with a default limit that is none."""

from probe.check import Check, Run
from probe.model import gauge


class Misdeclared(Check):
    """Its limit does not hold."""

    class metrics:
        size_bytes = gauge("Size.", warn="> many")

    async def run(self, run: Run) -> None:
        run.note("nothing")
