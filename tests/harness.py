"""What many tests need: one run of a check, as the agent would make it."""

from probe.check import Check
from probe.model import Result
from probe.runner import Runner


async def run(check: Check, survey: str = "") -> Result:
    """One run (or one survey) of a check, with nothing left behind."""
    runner = Runner()
    try:
        return await runner.run(check, survey)
    finally:
        await runner.close()
