"""One outage is one incident: random stacks, random outages, the real fold."""

import random

import pytest

from tests.state.simulator import Outage, World
from tests.state.stories import Scripted, check

HISTORIES = 300


def stack(chance: random.Random) -> dict[str, Scripted]:
    """Six checks: db, redis; two APIs on db, one also on redis; a page on an API; a worker on both."""
    needs = {
        "db": (),
        "redis": (),
        "api": ("db",),
        "orders": ("db", "redis"),
        "web": ("api",),
        "worker": ("db", "redis"),
    }
    return {
        name: check(name, *own, interval=f"{chance.choice([10, 15, 30, 60])}s", failure_threshold=chance.randint(1, 5))
        for name, own in needs.items()
    }


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_an_outage_pages_once_and_names_its_root(seed: int) -> None:
    chance = random.Random(seed)
    checks = stack(chance)
    broken = chance.choice(list(checks))
    begins = chance.uniform(120, 240)
    lasts = chance.uniform(5, 1200)
    outage = Outage(broken, begins, begins + lasts, hangs=chance.random() < 0.5)
    lags = {name: (chance.uniform(0, 5), chance.uniform(0, 8)) for name in checks}
    world = World(checks, [outage], lags)
    world.play(begins + lasts + 900)
    if not world.board[broken].failed:
        return  # too short to be seen at its root; who felt it can only speak for itself
    assert {name for name, _ in world.pages} <= {broken}, "nobody is called for what was not broken itself"
    assert len(world.pages) <= 1
    own = checks[broken]
    if lasts > own.failure_threshold * own.interval + 60:
        assert len(world.pages) == 1, "an outage that lasts is told"
    for name, roots in world.roots.items():
        assert roots == ({()} if name == broken else {(broken,)})
    assert all(state.health == 0 for state in world.board)
