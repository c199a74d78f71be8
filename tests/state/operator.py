"""What an operator changes in a config while it is in force, without telling it anything that is not so."""

from collections.abc import Callable, Mapping
from random import Random

from tests.state.stories import Scripted

Needs = dict[str, tuple[str, ...]]
Checks = Mapping[str, Scripted]


def changed(checks: Checks, spared: set[str], chance: Random) -> Checks:
    """Another config. What is `spared` is not removed."""
    return chance.choice(CHANGES)(dict(checks), spared, chance)


def reachable(needs: Mapping[str, tuple[str, ...]], name: str) -> set[str]:
    """All that a check needs, directly or not."""
    found: set[str] = set()
    ahead = list(needs.get(name, ()))
    while ahead:
        need = ahead.pop()
        if need not in found:
            found.add(need)
            ahead.extend(needs.get(need, ()))
    return found


def _other_thresholds(checks: dict[str, Scripted], _spared: set[str], chance: Random) -> Checks:
    name = chance.choice([name for name, check in checks.items() if not check.passive])
    fresh = {"failure_threshold": chance.randint(1, 5), "success_threshold": chance.choice([1, 2])}
    checks[name] = checks[name].model_copy(update=fresh)
    return checks


def _another_interval(checks: dict[str, Scripted], _spared: set[str], chance: Random) -> Checks:
    """Of a check that is asked: who sends its results would have to change too."""
    name = chance.choice([name for name, check in checks.items() if not check.passive])
    checks[name] = checks[name].model_copy(update={"interval": chance.choice([20.0, 30.0, 60.0])})
    return checks


def _one_more(checks: dict[str, Scripted], _spared: set[str], chance: Random) -> Checks:
    active = [name for name, check in checks.items() if not check.passive]
    needs = chance.sample(active, min(2, len(active)))
    name = f"late{len(checks)}{chance.randint(0, 10**6)}"
    checks[name] = Scripted(name=name, needs=tuple(needs), interval="15s", failure_threshold=chance.randint(1, 3))
    return checks


def _one_less(checks: dict[str, Scripted], spared: set[str], chance: Random) -> Checks:
    """Who needed it needs now what it needed."""
    removable = sorted(checks.keys() - spared)
    if not removable:
        return checks
    gone = checks.pop(chance.choice(removable))
    for name, check in checks.items():
        if gone.name in check.needs:
            needs = dict.fromkeys([*check.needs, *gone.needs])
            checks[name] = check.model_copy(update={"needs": tuple(need for need in needs if need != gone.name)})
    return checks


def _a_shortcut(checks: dict[str, Scripted], _spared: set[str], chance: Random) -> Checks:
    """Name a need that was one already, by way of others."""
    graph = {name: check.needs for name, check in checks.items()}
    indirect = [(name, need) for name in graph for need in sorted(reachable(graph, name) - set(graph[name]))]
    if indirect:
        name, need = chance.choice(indirect)
        checks[name] = checks[name].model_copy(update={"needs": (*graph[name], need)})
    return checks


def _a_way_around(checks: dict[str, Scripted], _spared: set[str], chance: Random) -> Checks:
    """Name a need no more that is one by way of others too, none of them absent."""
    graph = {name: check.needs if not check.optional else () for name, check in checks.items()}
    doubled = [
        (name, need)
        for name, needs in graph.items()
        for need in needs
        if any(need in reachable(graph, other) for other in needs if other != need)
    ]
    if doubled:
        name, need = chance.choice(doubled)
        needs = tuple(other for other in checks[name].needs if other != need)
        checks[name] = checks[name].model_copy(update={"needs": needs})
    return checks


CHANGES: list[Callable[[dict[str, Scripted], set[str], Random], Checks]] = [
    _other_thresholds,
    _another_interval,
    _one_more,
    _one_less,
    _a_shortcut,
    _a_way_around,
]
