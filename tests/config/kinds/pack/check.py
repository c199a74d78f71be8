"""Where the class of the package stands, beside another Check."""

from probe.check import Check, Run
from tests.config.kinds.sql import Sql

__all__ = ["Pack", "Sql"]


class Pack(Check, kind="pack"):
    """A kind from a package."""

    async def run(self, run: Run) -> None:
        run.note("nothing")
