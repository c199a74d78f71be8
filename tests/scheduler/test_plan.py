from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from probe.scheduler.plan import FIRST_RUN_WITHIN, GRID, first_due, made_up_for, slot_of

names = st.text(min_size=1, max_size=40)
intervals = st.integers(min_value=1000, max_value=7 * 86_400_000).map(lambda milliseconds: milliseconds / 1000)
moments = st.integers(min_value=0, max_value=4_000_000_000_000_000)
seconds = st.floats(min_value=1e9, max_value=4e9)


@given(names, intervals, moments)
def test_a_slot_comes_once_an_interval_and_never_drifts(name: str, interval: float, moment: int) -> None:
    slot = slot_of(name, interval)
    due = slot.microsecond_after(moment)
    assert 0 < due - moment <= slot.interval
    assert slot.microsecond_after(due) == due + slot.interval
    assert slot.microsecond_after(due - 1) == due
    assert due % slot.interval == slot.offset


@given(names, intervals)
def test_phases_lie_on_the_grid_and_within_the_interval(name: str, interval: float) -> None:
    slot = slot_of(name, interval)
    assert slot.interval == round(interval * 1_000_000)
    assert slot.offset % GRID == 0
    assert 0 <= slot.offset < slot.interval


@given(names, intervals, seconds)
def test_the_first_run_comes_within_the_interval_and_fifteen_seconds(name: str, interval: float, now: float) -> None:
    slot = slot_of(name, interval)
    due = first_due(slot, now)
    assert now - 1e-6 <= due <= now + min(interval, FIRST_RUN_WITHIN / 1e6) + 1e-6
    assert due <= slot.after(now)


@given(names, intervals, seconds)
def test_a_missed_run_is_made_up_for_within_half_an_interval_and_fifteen_seconds(
    name: str, interval: float, now: float
) -> None:
    due = made_up_for(slot_of(name, interval), now)
    assert now - 1e-6 <= due <= now + min(interval / 2, FIRST_RUN_WITHIN / 1e6) + 1e-6


def test_the_phase_of_a_name_is_the_same_on_every_machine_and_forever() -> None:
    assert slot_of("db", 15.0) == (15_000_000, 4_350_000)
    assert slot_of("db/sizes", 300.0).offset != slot_of("db", 300.0).offset


def test_many_checks_are_spread_over_their_interval() -> None:
    phases = Counter(slot_of(f"check-{number}", 15.0).offset // 1_000_000 for number in range(1500))
    assert len(phases) == 15
    assert max(phases.values()) < 150


def test_many_new_checks_are_spread_over_fifteen_seconds() -> None:
    now = 1.7e9
    first = Counter(int(first_due(slot_of(f"check-{number}", 3600.0), now) - now - 1e-6) for number in range(1500))
    assert len(first) == 15
    assert max(first.values()) < 150
