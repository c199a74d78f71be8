"""Random histories for the simulator: stacks of many shapes, what breaks, and what an operator does meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from tests.state.operator import Checks, Needs, changed, reachable
from tests.state.simulator import MOST_LOST, TAKES, Trouble, World
from tests.state.stories import Arriving, Scripted

FELT_LATE, HEALED_LATE = 5.0, 8.0
"""Seconds by which a check may feel the trouble of its needs late, and be well again late."""

SHORTEST, LONGEST = 5.0, 1200.0
"""Seconds of an outage; as many last 5 to 20 s as 5 to 20 min."""

BACK_FOR = 60.0
"""Seconds that it runs at least before the next kill: what was lost has been seen anew by then."""

FOREVER = 1e9


def six_services(_chance: Random) -> Needs:
    """A database and a cache; two APIs, a page and a worker on them."""
    return {
        "db": (),
        "redis": (),
        "api": ("db",),
        "orders": ("db", "redis"),
        "web": ("api",),
        "worker": ("db", "redis"),
    }


def chain(chance: Random) -> Needs:
    """Each needs the one before."""
    names = [f"link{number}" for number in range(chance.randint(3, 6))]
    return {name: tuple(names[max(0, number - 1) : number]) for number, name in enumerate(names)}


def diamonds(chance: Random) -> Needs:
    """One at the foot, a few on it, one on all of these; and perhaps the same again on top."""
    top = "foot"
    needs: Needs = {top: ()}
    for storey in range(chance.randint(1, 2)):
        sides = [f"side{storey}{number}" for number in range(chance.randint(2, 3))]
        needs |= dict.fromkeys(sides, (top,))
        top = f"top{storey}"
        needs[top] = tuple(sides)
    return needs


def tangle(chance: Random) -> Needs:
    """Any graph without a cycle."""
    names = [f"n{number}" for number in range(chance.randint(4, 9))]
    return {
        name: tuple(sorted(chance.sample(names[:number], min(number, chance.randint(0, 3)))))
        for number, name in enumerate(names)
    }


class Outage(NamedTuple):
    """A check that is broken itself for a while."""

    check: str
    begins: float
    ends: float


@dataclass(frozen=True)
class Shape:
    """What histories of one sort have in common.

    `optional`: some checks are, and some of these are absent. `passive`: some are.
    `reloads`, `restarts`: up to three. `deaf`: how many checks do not feel the trouble of a need.
    """

    needs: Callable[[Random], Needs]
    outages: int = 1
    optional: bool = False
    passive: bool = False
    reloads: bool = False
    restarts: bool = False
    deaf: float = 0.0


SHAPES = {
    "six services": Shape(six_services),
    "chains": Shape(chain),
    "diamonds": Shape(diamonds),
    "tangles": Shape(tangle, deaf=0.1),
    "optional": Shape(tangle, optional=True),
    "passive": Shape(tangle, passive=True),
    "reloads": Shape(tangle, optional=True, reloads=True),
    "restarts": Shape(tangle, passive=True, restarts=True),
    "reloads and restarts": Shape(tangle, optional=True, passive=True, reloads=True, restarts=True),
    "two in six services": Shape(six_services, outages=2),
    "two in tangles": Shape(tangle, outages=2, optional=True),
    "two not always felt": Shape(chain, outages=2, deaf=0.5),
    "two, reloads and restarts": Shape(tangle, outages=2, optional=True, reloads=True, restarts=True),
}


def history(number: int) -> "History":
    """One of any shape, decided by its number alone."""
    return History(SHAPES[shape_of(number)], number)


def shape_of(number: int) -> str:
    return list(SHAPES)[number % len(SHAPES)]


def numbers(shape: str, histories: int) -> range:
    """The numbers of a shape's histories among the first so many of all."""
    return range(list(SHAPES).index(shape), histories, len(SHAPES))


class Restart(NamedTuple):
    """A kill -9 at a second of the story. The last seconds are `lost`; it is back after `away` seconds."""

    at: float
    away: float
    lost: float


class History:
    """A stack, what breaks in it, and what an operator does: all of it decided by the shape and a number."""

    def __init__(self, shape: Shape, number: int) -> None:
        self._chance = chance = Random(number)
        self.number = number
        needs = shape.needs(chance)
        self.absent = {name for name in needs if shape.optional and chance.random() < 0.1}
        takes = {name: chance.choice([TAKES, 5.0]) for name in needs}
        self.deaf = {(name, need) for name in needs for need in needs[name] if chance.random() < shape.deaf}
        """Who does not feel the trouble of which need."""
        checks = {name: self._check(name, needs, shape) for name in needs}
        self.outages = self._outages(checks, shape)
        self.restarts = self._restarts() if shape.restarts else []
        self.configs: list[tuple[float, Checks]] = [(0.0, checks)]
        """From when on each is in force."""
        if shape.reloads:
            needs = self._reload(needs)
        self.truth: dict[str, list[Trouble]] = {name: [Trouble(0.0, FOREVER, name, TAKES)] for name in self.absent}
        for outage in self.outages:
            self._spread(outage, needs, takes)

    @property
    def graphs(self) -> list[Needs]:
        """Who needs whom, by each config."""
        return [{name: check.needs for name, check in checks.items()} for _, checks in self.configs]

    def config_at(self, second: float) -> Checks:
        """The one that was in force then."""
        return [checks for at, checks in self.configs if at <= second][-1]

    @property
    def over(self) -> float:
        """When all is well, has run once more, and the operator does nothing any more."""
        troubles = [one.ends for name, some in self.truth.items() if name not in self.absent for one in some]
        done = [*(at for at, _ in self.configs), *(kill.at + kill.away for kill in self.restarts)]
        return max([*troubles, *done]) + max(map(_slowest, (checks for _, checks in self.configs)))

    def play(self, settling: float) -> World:
        """What the agent made of it, `settling` seconds after all was over at the latest."""
        world = World(self.configs[0][1], self.truth, self.number)
        for at, checks in self.configs[1:]:
            world.reload(checks, at)
        for restart in self.restarts:
            world.restart(*restart)
        world.play(self.over + settling, well_after=self.over)
        return world

    def _check(self, name: str, needs: Needs, shape: Shape) -> Scripted:
        chance = self._chance
        interval = chance.choice([10, 15, 30, 60])
        if shape.passive and name not in self.absent and chance.random() < 0.2:
            return Arriving(
                name=name, needs=needs[name], interval=f"{2 * interval}s", timeout="10s", failure_threshold=1
            )
        fields: dict[str, Any] = {"retry_interval": f"{chance.choice([2, 5, 10])}s"} if chance.random() < 0.3 else {}
        return Scripted(
            name=name,
            needs=needs[name],
            interval=f"{interval}s",
            failure_threshold=chance.randint(1, 5),
            success_threshold=chance.choice([1, 1, 2]),
            start_period=chance.choice(["0s", "0s", "40s"]),
            optional=name in self.absent or (shape.optional and chance.random() < 0.3),
            **fields,
        )

    def _outages(self, checks: Checks, shape: Shape) -> list[Outage]:
        """The later ones begin during the one before, and end whenever they do."""
        chance = self._chance
        candidates = sorted(checks.keys() - self.absent)
        outages: list[Outage] = []
        begins = chance.uniform(1, 2) * _slowest(checks)
        for name in chance.sample(candidates, min(shape.outages, len(candidates))):
            if not outages and not shape.optional and chance.random() < 0.1:
                begins = 0.0
            lasts = SHORTEST * (LONGEST / SHORTEST) ** chance.random()
            outages.append(Outage(name, begins, begins + lasts))
            begins = chance.uniform(begins, begins + lasts)
        return outages

    def _restarts(self) -> list[Restart]:
        chance = self._chance
        moments = sorted(self._moment() for _ in range(chance.randint(1, 3)))
        restarts: list[Restart] = []
        for at in moments:
            if not restarts or at > restarts[-1].at + restarts[-1].away + BACK_FOR:
                restarts.append(Restart(at, chance.uniform(1, 20), chance.uniform(0, MOST_LOST)))
        return restarts

    def _reload(self, needs: Needs) -> Needs:
        """Up to three other configs. Gives the needs with those of the checks that were added."""
        spared = {outage.check for outage in self.outages} | self.absent
        for at in sorted(self._moment() for _ in range(self._chance.randint(1, 3))):
            if not any(kill.at <= at <= kill.at + kill.away for kill in self.restarts):
                after = changed(self.configs[-1][1], spared, self._chance)
                self.configs.append((at, after))
                needs = {name: check.needs for name, check in after.items()} | needs
        return dict(sorted(needs.items(), key=lambda pair: len(reachable(needs, pair[0]))))

    def _moment(self) -> float:
        outage = self._chance.choice(self.outages)
        return max(20.0, self._chance.uniform(outage.begins - 30, outage.ends + 60))

    def _spread(self, outage: Outage, needs: Needs, takes: dict[str, float]) -> None:
        """Who needs what is in trouble is in trouble too, late on each storey."""
        late = {outage.check: (0.0, 0.0)}
        for name, own in needs.items():
            below = [late[need] for need in own if need in late and (name, need) not in self.deaf]
            if below and name != outage.check and name not in self.absent:
                begins, ends = min(begin for begin, _ in below), max(end for _, end in below)
                late[name] = begins + self._chance.uniform(0, FELT_LATE), ends + self._chance.uniform(0, HEALED_LATE)
        for name, (begins, ends) in late.items():
            trouble = Trouble(outage.begins + begins, outage.ends + ends, outage.check, takes.get(name, TAKES))
            self.truth.setdefault(name, []).append(trouble)


def _slowest(checks: Checks) -> float:
    """Seconds in which everything has run, and is heard of, once."""
    return max(check.interval + check.timeout for check in checks.values())
