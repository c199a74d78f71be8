"""Limits: only a number changes where one stands, and one that the user wrote is missed when its number is."""

import pytest

from probe.model import Health, Reason, Sample
from probe.state.limits import told
from tests.state.stories import EPOCH, LOAD, Scripted, Story, check

SIZE, MADE = Scripted.declared["size_bytes"], Scripted.declared["made_timestamp_seconds"]
USED = Scripted.declared["used_bytes"]


def load(value: float) -> tuple[Sample, ...]:
    return (Sample(LOAD, value),)


def sizes(**by_name: float) -> tuple[Sample, ...]:
    return tuple(Sample(SIZE, value, (name,)) for name, value in by_name.items())


def test_the_first_number_decides_alone_and_then_as_many_in_a_row_as_the_threshold() -> None:
    story = Story(check("db", warn={"load_ratio": "> 0.8"}, fail={"load_ratio": "> 95%"}))
    story.run("db", 0, samples=load(0.9))
    assert story.health("db") is Health.DEGRADED
    assert story.board["db"].verdict.message == "load_ratio is 90%, limit > 80%"
    for at in (15, 30):
        story.run("db", at, samples=load(0.97))
        assert story.health("db") is Health.DEGRADED
    story.run("db", 45, samples=load(0.97))
    assert (story.health("db"), story.board["db"].verdict.reason) == (Health.UNHEALTHY, "limit")
    story.run("db", 60, samples=load(0.1))
    assert story.health("db") is Health.HEALTHY


def test_failed_runs_decide_before_limits_and_leave_them_as_they_stood() -> None:
    story = Story(check("db", fail={"load_ratio": "> 0.8"}, failure_threshold=2))
    story.run("db", 0, samples=load(0.9))
    for at in (15, 30):
        story.run("db", at, Reason.CONNECT)
    assert story.board["db"].verdict.reason == "connect"
    assert story.board["db"].limits[0].crossed
    story.run("db", 45, samples=load(0.5))
    assert story.health("db") is Health.HEALTHY


def test_a_number_emitted_before_a_failure_counts() -> None:
    story = Story(check("db", warn={"load_ratio": "> 0.8"}))
    story.run("db", 0)
    story.run("db", 15, Reason.TIMEOUT, samples=load(0.9))
    assert story.health("db") is Health.DEGRADED


def test_a_written_limit_without_a_number_is_degraded_not_evaluated() -> None:
    story = Story(check("db", warn={"load_ratio": "> 0.8"}))
    story.run("db", 0)
    verdict = story.board["db"].verdict
    assert (verdict.health, verdict.reason) == (Health.DEGRADED, "not evaluated")
    story.run("db", 15, samples=load(0.1))
    assert story.health("db") is Health.HEALTHY


@pytest.mark.parametrize(
    ("key", "health"),
    [("size_bytes", Health.UNHEALTHY), ("size_bytes{datname=app}", Health.HEALTHY)],
)
def test_without_a_selector_the_worst_series_wins(key: str, health: Health) -> None:
    story = Story(check("db", fail={key: "> 50GiB"}))
    story.run("db", 0, samples=sizes(app=1.0, logs=60 * 2**30))
    assert story.health("db") is health


@pytest.mark.parametrize(
    ("bound", "value", "health"),
    [
        ("> 26h", -25 * 3600, Health.HEALTHY),
        ("> 26h", -27 * 3600, Health.DEGRADED),
        ("< 21d", 22 * 86400, Health.HEALTHY),
        ("< 21d", 20 * 86400, Health.DEGRADED),
    ],
)
def test_on_a_point_in_time_a_limit_is_an_age_or_a_time_left(bound: str, value: float, health: Health) -> None:
    story = Story(check("db", warn={"made_timestamp_seconds": bound}))
    story.run("db", 0, samples=(Sample(MADE, EPOCH + value),))
    assert story.health("db") is health


def test_the_duration_is_a_number_like_any_other() -> None:
    story = Story(check("db", fail={"probe_duration_seconds": "> 500ms"}))
    story.run("db", 0, took=0.7)
    assert story.health("db") is Health.UNHEALTHY


def test_a_confirming_run_leaves_limits_alone() -> None:
    story = Story(check("db", warn={"load_ratio": "> 0.8"}, failure_threshold=2))
    story.run("db", 0, samples=load(0.1))
    story.run("db", 1, samples=load(0.9), counted=False)
    story.run("db", 15, samples=load(0.9))
    assert story.health("db") is Health.HEALTHY


@pytest.mark.parametrize("key", ["load_ratio", "probe_scripted_load_ratio"])
def test_a_limit_is_told_by_the_name_that_the_config_gives_it(key: str) -> None:
    story = Story(check("db", warn={"load_ratio": "> 0.8"}))
    story.run("db", 0, samples=load(0.9))
    story.reload(check("db", warn={key: "> 0.8"}, interval="20s"), at=5)
    story.run("db", 15, samples=load(0.97))
    assert told(story.board["db"].limits[0]) == f"{key} is 97%, limit > 80%"
    silent = Story(check("db", fail={key: "> 0.8"}))
    silent.run("db", 0)
    assert silent.board["db"].verdict.message == f"{key} has a limit, and no number came"


def test_new_limits_apply_to_the_last_result_at_once() -> None:
    story = Story(check("db"))
    story.run("db", 0, samples=load(0.9))
    story.reload(check("db", warn={"load_ratio": "> 0.8"}), at=5)
    assert story.health("db") is Health.DEGRADED
    story.reload(check("db"), at=6)
    assert story.health("db") is Health.HEALTHY


def test_a_new_limit_on_the_number_of_a_survey_applies_at_once_too() -> None:
    story = Story(check("db"))
    story.run("db", 0)
    story.run("db", 1, survey="usage", samples=(Sample(USED, 60.0 * 2**30),))
    story.reload(check("db", warn={"used_bytes": "> 50GiB"}), at=5)
    assert story.board["db"].verdict.reason == "limit"
    story.reload(check("db", warn={"used_bytes": "> 70GiB"}), at=6)
    assert story.health("db") is Health.HEALTHY


def test_a_quick_failure_does_not_make_a_slow_check_well() -> None:
    story = Story(check("db", warn={"probe_duration_seconds": "> 1s"}))
    story.run("db", 0, took=2)
    story.run("db", 15, Reason.CONNECT, took=0.001)
    assert story.health("db") is Health.DEGRADED


def test_nan_is_no_number() -> None:
    story = Story(check("db", warn={"load_ratio": "> 0.8"}))
    story.run("db", 0, samples=load(float("nan")))
    assert story.board["db"].verdict.reason == "not evaluated"
