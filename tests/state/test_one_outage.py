"""One outage is one incident: random stacks, random outages, and an operator who goes on working meanwhile.

By hand: `python -m tests.state.simulate 10000`, and `python -m tests.state.simulate tell 736` for one that is printed.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probe.state import Board, State, causes
from probe.state.values import Cause, Outcome
from tests.state.findings import Findings, simulated
from tests.state.histories import SHAPES, numbers
from tests.state.onlooker import ALERT_FOR

HISTORIES = 1950
"""Of all shapes together."""

SINGLE = [name for name, shape in SHAPES.items() if shape.outages == 1]
OVERLAPPING = [name for name, shape in SHAPES.items() if shape.outages > 1]


@pytest.mark.parametrize("shape", SINGLE)
def test_one_outage_calls_somebody_once_and_for_its_root(shape: str) -> None:
    trackless = misled = 0
    for number in numbers(shape, HISTORIES):
        found = simulated(number)
        assert found == Findings(trackless=found.trackless, misled=found.misled), f"history {number}"
        trackless += bool(found.trackless)
        misled += bool(found.misled)
    histories = len(numbers(shape, HISTORIES))
    assert trackless <= histories * (0.1 if SHAPES[shape].passive else 0.01), "more than anybody can help"
    assert misled <= histories * (0.01 if SHAPES[shape].restarts else 0), "what a kill has lost may mislead"


@pytest.mark.parametrize("shape", OVERLAPPING)
def test_of_two_that_overlap_each_calls_once_if_one_perhaps_late(shape: str) -> None:
    found = {number: simulated(number) for number in numbers(shape, HISTORIES)}
    told = {number: one for number, one in found.items() if one.doubles or one.missed or one.unwell}
    assert told == {}, "by number"
    assert sum(bool(one.wrong) for one in found.values()) <= len(found) * 0.01
    assert sum(bool(one.misled) for one in found.values()) <= len(found) * 0.02
    assert sum(bool(one.late) for one in found.values()) <= len(found) * 0.2


def test_the_onlooker_calls_as_the_rule_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    rule = readme[readme.index("- alert: CheckUnhealthy") :].split("annotations:")[0]
    assert "expr: probe_health == 3 unless on (job, instance, check) probe_caused_by\n" in rule
    assert f"for: {ALERT_FOR:.0f}s\n" in rule


def stays(_board: Board, state: State, _failed: Outcome) -> tuple[Cause, ...]:
    return state.causes


def alone_for_a_moment(board: Board, state: State, named: Any = causes.named) -> Any:
    return named(board, replace(state, rootless=False))


RULES = {
    "a verdict waits for a fresh run of each need": (causes, "is_ripe", lambda *_: True, "chains", "wrong"),
    "it waits while they may still answer": (causes, "patience", lambda *_: 0.0, "chains", "wrong"),
    "a cause stays": (causes, "_stays", lambda *_: False, "six services", "wrong"),
    "its dependants may recover late": (causes, "RECOVERY_GRACE", 0.0, "chains", "wrong"),
    "a need that just recovered explains": (causes, "_has_just_recovered", lambda *_: False, "diamonds", "wrong"),
    "a need is explained by its own": (causes, "_roots", lambda _, need, __: {need.check}, "chains", "misled"),
    "who is blamed is unhealthy at once": (causes, "is_blamed", lambda *_: False, "six services", "missed"),
    "what is absent explains nothing": (State, "is_absent", False, "optional", "missed"),
    "who fails on its own goes on so": (causes, "named", alone_for_a_moment, "two in six services", "doubles"),
    "who recovered long ago is no cause": (causes, "counted_against", stays, "two in six services", "missed"),
    "who was not felt explains nothing": (causes, "_is_exonerated", lambda *_: False, "two not always felt", "missed"),
}
"""Each with what it is without the rule, and where that shows, and how."""


@pytest.mark.parametrize("rule", RULES)
def test_without_this_rule_the_simulator_finds_mistakes(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, without, shape, mistake = RULES[rule]
    monkeypatch.setattr(place, name, without)
    found = (simulated(number) for number in numbers(shape, 2 * HISTORIES))
    assert any(getattr(one, mistake) for one in found)
