"""What a kind may do with a run, and what it may not."""

import itertools
import math
import re

import pytest

from probe.check import ContractBroken, Run
from probe.check.run import LONGEST_LABEL, MOST_NOTES, MOST_SAMPLES
from probe.model import Clock, Metric, Step, counter
from tests.check.kinds import Engine

HEAT, READY = Engine.metrics.heat_ratio, Engine.metrics.ready


def ticking(*, deadline: float = 100.0, memory: object = None) -> Run:
    """A run by a clock that goes on by one second each time it is read."""
    seconds = itertools.count(1.0)
    return Run(Engine.declared, Clock(lambda: 1_700_000_000.0, lambda: next(seconds)), deadline, memory)


def test_numbers_come_back_as_samples_in_their_order() -> None:
    run = ticking()
    run.emit(READY, True)
    run.emit(HEAT, 0.5, part="head")
    run.emit(HEAT, 1, part=2)
    assert [(each.metric.name, each.value, each.labels) for each in run.samples] == [
        ("probe_engine_ready", 1.0, ()),
        ("probe_engine_heat_ratio", 0.5, ("head",)),
        ("probe_engine_heat_ratio", 1.0, ("2",)),
    ]


def test_only_what_is_declared_may_be_emitted() -> None:
    run = ticking()
    for metric, labels, told in (
        (counter("Unknown.", name="probe_other_total"), {}, "probe_other_total is not declared for this run"),
        (Metric("gauge", "Nameless."), {}, "a metric without a name is not declared for this run"),
        (HEAT, {}, "probe_engine_heat_ratio has the labels ('part',), not ()"),
        (HEAT, {"port": 1}, "probe_engine_heat_ratio has the labels ('part',), not ('port',)"),
        (READY, {"part": 1}, "probe_engine_ready has the labels (), not ('part',)"),
    ):
        with pytest.raises(ContractBroken) as raised:
            run.emit(metric, 1, **labels)
        assert str(raised.value) == told
    assert run.samples == ()


def test_a_series_is_emitted_once() -> None:
    run = ticking()
    run.emit(HEAT, 1, part="head")
    with pytest.raises(ContractBroken, match=r"probe_engine_heat_ratio was emitted twice with \{'part': 'head'\}"):
        run.emit(HEAT, 2, part="head")
    assert [each.value for each in run.samples] == [1.0]


def test_samples_and_labels_and_notes_are_bounded() -> None:
    run = ticking()
    for part in range(MOST_SAMPLES):
        run.emit(HEAT, 1, part=part)
    with pytest.raises(ContractBroken, match=f"more than {MOST_SAMPLES} samples"):
        run.emit(HEAT, 1, part="one more")
    assert len(run.samples) == MOST_SAMPLES

    wide = ticking()
    wide.emit(HEAT, 1, part="x" * LONGEST_LABEL)
    for end in "12":
        wide.emit(HEAT, 1, part="y" * LONGEST_LABEL + end)
    assert [len(each.labels[0]) for each in wide.samples] == [LONGEST_LABEL] * 3
    assert [re.sub("[0-9a-f]{8}$", "#", each.labels[0])[-3:] for each in wide.samples] == ["xxx", "y…#", "y…#"]
    for number in range(MOST_NOTES + 5):
        wide.note(f"note {number}")
        wide.note(f"note {number}")
    assert wide.notes == tuple(f"note {number}" for number in range(MOST_NOTES))


def test_halves_of_surrogate_pairs_are_spelled_out_and_stay_apart() -> None:
    run = ticking()
    for part in ("caf\udce9", "caf\udcea", "café"):
        run.emit(HEAT, 1, part=part)
    assert [each.labels for each in run.samples] == [(r"caf\udce9",), (r"caf\udcea",), ("café",)]


def test_steps_are_timed_nested_and_added_up() -> None:
    run = ticking()
    assert run.at_step == ""
    with run.step("outer"):
        assert run.at_step == "outer"
        with run.step("inner"):
            assert run.at_step == "inner"
        assert run.at_step == "outer"
    with run.step("inner"):
        pass
    run.spent("elsewhere", 0.25)
    assert run.steps == (Step("inner", 2.0), Step("outer", 3.0), Step("elsewhere", 0.25))
    assert run.at_step == ""


def test_the_innermost_step_that_failed_is_remembered_until_the_next() -> None:
    run = ticking()
    with pytest.raises(KeyError), run.step("outer"), run.step("inner"):
        raise KeyError
    assert run.at_step == "inner"
    with run.step("later"):
        pass
    assert run.at_step == ""


def test_time_and_memory() -> None:
    run = ticking(deadline=3.0, memory=("page", 2))
    assert run.memory == ("page", 2)
    assert run.now == 1_700_000_000.0
    assert [run.remaining, run.remaining, run.remaining, run.remaining] == [2.0, 1.0, 0.0, 0.0]


def test_not_a_number_is_a_value() -> None:
    run = ticking()
    run.emit(READY, math.nan)
    assert math.isnan(run.samples[0].value)
