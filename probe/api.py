"""Running checks from a program, once: what `probe check` does. Public and typed.

config = load([Path("config.yaml")], allow=frozenset(), environ=os.environ)
board = await run_checks(config.checks)
assert board.health is Health.HEALTHY
"""

import asyncio
from collections.abc import Mapping, Sequence

from probe.check import Check
from probe.config import Config, ConfigError, load
from probe.model import Health, Result
from probe.runner import Runner
from probe.state import Board, State, one_shot

__all__ = ["Board", "Config", "ConfigError", "Health", "State", "load", "passes", "run_checks"]

GROUP, PAUSE = 4, 0.002
"""So many runs are started at a time, and so many seconds later the next: what they report stays honest."""


async def run_checks(checks: Mapping[str, Check], *, surveys: bool = True) -> Board:
    """Run each check once, all at the same time, its surveys too unless told otherwise; passive ones are not asked.

    Health is told from this one run: thresholds, start period and retries do not apply. A need that is not among
    the checks explains nothing.
    """
    runner = Runner()
    due = [
        (check, survey)
        for check in checks.values()
        if not check.passive
        for survey in ("", *(check.active_surveys if surveys else ()))
    ]
    try:
        results = await _all_results(runner, due)
    finally:
        await runner.close()
    return one_shot(checks, results)


def passes(board: Board, *, strict: bool = False) -> bool:
    """Whether a board is good enough for CI: nothing unhealthy or unknown, and nothing degraded if `strict`.

    An absent optional check and a passive one count for nothing.
    """
    worst_allowed = {Health.HEALTHY} if strict else {Health.HEALTHY, Health.DEGRADED}
    return all(state.health in worst_allowed or not board.counts(state) for state in board)


async def _all_results(runner: Runner, due: Sequence[tuple[Check, str]]) -> list[Result]:
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number, (check, survey) in enumerate(due, start=1):
            tasks.append(group.create_task(runner.run(check, survey)))
            if number % GROUP == 0:
                await asyncio.sleep(PAUSE)
    return [task.result() for task in tasks]
