"""When Python looks for garbage."""

import gc
from collections.abc import Iterator

import pytest

from probe.agent.garbage import RARELY, Garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()


def looks() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


def test_it_is_not_sought_while_much_is_made_that_stays() -> None:
    garbage = Garbage()
    assert gc.get_threshold() == RARELY
    before = looks()
    with garbage.unsought():
        made = [[number] for number in range(2 * RARELY[0])]
        assert looks() == before
    assert gc.isenabled()
    assert any(made is old for old in gc.get_objects(generation=2)), "it counts as old"


def test_it_is_sought_again_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), Garbage().unsought():
        _ = 1 / 0
    assert gc.isenabled()


def test_once_an_hour_all_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = Garbage()
    monkeypatch.setattr("probe.agent.garbage.WHOLLY_EVERY", -1.0)
    before = gc.get_stats()[2]["collections"]
    with garbage.unsought():
        pass
    assert gc.get_stats()[2]["collections"] == before + 1
