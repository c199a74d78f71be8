"""Health from runs, waiting for needs, and causes: the rules of one outage, each as a short history."""

import pytest

from probe.model import Health, Reason
from probe.state.causes import concerned, patience
from tests.state.stories import EPOCH, Arriving, Story, check

OK, CONNECT, TIMEOUT, AUTH, NO = Reason.OK, Reason.CONNECT, Reason.TIMEOUT, Reason.AUTH, Reason.UNHEALTHY


def test_the_first_run_of_all_decides_alone() -> None:
    good, bad = Story(check("db")), Story(check("db"))
    good.run("db", 0)
    bad.run("db", 0, CONNECT)
    assert good.health("db") is Health.HEALTHY
    assert bad.health("db") is Health.UNHEALTHY
    assert bad.board["db"].verdict.reason == "connect"
    assert [(c.before.health, c.after.health, c.at) for c in bad.changes] == [
        (Health.UNKNOWN, Health.UNHEALTHY, EPOCH + 0.1)
    ]


@pytest.mark.parametrize("threshold", [1, 2, 3, 5])
def test_as_many_failed_runs_in_a_row_as_the_threshold_make_it_unhealthy(threshold: int) -> None:
    story = Story(check("db", failure_threshold=threshold))
    story.run("db", 0)
    for number in range(1, threshold + 1):
        assert story.health("db") is Health.HEALTHY
        story.run("db", 15.0 * number, TIMEOUT)
    assert story.health("db") is Health.UNHEALTHY


def test_a_good_run_between_failed_ones_starts_the_count_anew() -> None:
    story = Story(check("db"))
    for at, reason in enumerate([OK, NO, NO, OK, NO, NO]):
        story.run("db", 15.0 * at, reason)
    assert story.health("db") is Health.HEALTHY


def test_it_is_healthy_again_after_the_success_threshold() -> None:
    story = Story(check("db", success_threshold=2))
    story.run("db", 0, CONNECT)
    story.run("db", 15)
    assert story.health("db") is Health.UNHEALTHY
    story.run("db", 30)
    assert story.health("db") is Health.HEALTHY


def test_a_start_period_leaves_failed_runs_unknown_until_it_ends_or_the_first_success() -> None:
    story = Story(check("db", start_period="60s"), check("api", "db"))
    story.run("db", 1, CONNECT)
    story.run("api", 2, NO)
    story.run("db", 2.01, CONNECT, counted=False)
    assert (story.health("db"), story.board["db"].verdict.reason) == (Health.UNKNOWN, "starting")
    assert (story.health("api"), story.board["api"].verdict.reason) == (Health.UNKNOWN, "starting")
    story.run("db", 61, CONNECT)
    assert story.health("db") is Health.UNHEALTHY


def test_who_fails_together_with_a_need_that_may_still_be_coming_up_is_unknown_too() -> None:
    story = Story(check("db"), check("api", "db", start_period="60s"), check("web", "api", failure_threshold=1))
    story.run("web", 0)
    for at in (5, 20):
        story.run("db", at, Reason.CONNECT)
        story.run("api", at + 1, Reason.CONNECT)
        story.run("db", at + 2, Reason.CONNECT, counted=False)
    story.run("web", 23, Reason.UNHEALTHY)
    story.run("db", 24, Reason.CONNECT, counted=False)
    story.run("api", 25, Reason.CONNECT, counted=False)
    story.run("db", 26, Reason.CONNECT, counted=False)
    assert [(story.health(name), story.roots(name)) for name in ("db", "api", "web")] == [
        (Health.UNHEALTHY, ()),
        (Health.UNKNOWN, ("db",)),
        (Health.UNKNOWN, ("db",)),
    ]


def test_after_its_first_success_the_start_period_is_over() -> None:
    story = Story(check("db", start_period="60s", failure_threshold=1))
    story.run("db", 1)
    story.run("db", 2, CONNECT)
    assert story.health("db") is Health.UNHEALTHY


@pytest.mark.parametrize("reason", [Reason.DNS, CONNECT])
def test_an_optional_check_that_never_answered_is_absent(reason: Reason) -> None:
    story = Story(check("pgadmin", optional=True), check("web", "pgadmin"))
    story.run("pgadmin", 0, reason)
    assert (story.health("pgadmin"), story.board["pgadmin"].verdict.reason) == (Health.UNKNOWN, "absent")
    story.run("web", 1, NO)
    story.run("pgadmin", 1.01, reason, counted=False)
    assert story.health("web") is Health.UNHEALTHY
    assert story.roots("web") == ()


def test_a_cause_that_turns_out_to_be_absent_is_none_any_more() -> None:
    story = Story(check("db", optional=True), check("api", "db", failure_threshold=1))
    story.run("api", 0)
    story.run("db", 1, TIMEOUT)
    story.run("api", 15, NO)
    story.run("db", 16, TIMEOUT, counted=False)
    assert (story.health("api"), story.roots("api")) == (Health.UNHEALTHY, ("db",))
    story.run("db", 17, CONNECT)
    assert story.board["db"].verdict.reason == "absent"
    assert (story.health("api"), story.roots("api")) == (Health.UNHEALTHY, ())
    told = [(change.check, change.roots) for change in story.changes[-2:]]
    assert told == [("api", ()), ("db", ())], "somebody is called for api at last"


def test_an_optional_check_that_was_seen_healthy_is_not_absent_any_more() -> None:
    story = Story(check("pgadmin", optional=True, failure_threshold=1))
    story.run("pgadmin", 0)
    story.run("pgadmin", 15, CONNECT)
    assert story.health("pgadmin") is Health.UNHEALTHY


def test_a_verdict_waits_for_a_run_of_the_need_that_began_after_the_failure() -> None:
    story = Story(check("db", failure_threshold=1), check("api", "db", failure_threshold=1))
    story.run("db", 0)
    story.run("api", 1)
    story.run("api", 10, NO)
    assert story.health("api") is Health.HEALTHY
    assert story.wanted == {"db"}
    folded = story.run("db", 10.2, CONNECT, counted=False)
    assert (story.health("api"), story.roots("api")) == (Health.UNHEALTHY, ("db",))
    assert story.health("db") is Health.UNHEALTHY, "named as the cause of an unhealthy check"
    assert {change.check: change.roots for change in folded.changes} == {"api": ("db",), "db": ()}
    assert story.wanted == frozenset()


def test_a_need_whose_run_began_too_early_is_wanted_again() -> None:
    story = Story(check("db"), check("api", "db"))
    story.run("db", 0)
    story.run("api", 10, NO, took=0.1)
    story.run("db", 9.9, OK, took=1.0)
    assert story.wanted == {"db"}


def test_a_need_that_is_well_explains_nothing() -> None:
    story = Story(check("db"), check("api", "db", failure_threshold=1))
    story.run("db", 0)
    story.run("api", 10, NO)
    story.run("db", 10.2, counted=False)
    assert (story.health("api"), story.roots("api")) == (Health.UNHEALTHY, ())


def test_a_confirming_run_does_not_count() -> None:
    story = Story(check("db"), check("api", "db"))
    story.run("db", 0)
    for at in (1, 2, 3, 4):
        story.run("db", at, CONNECT, counted=False)
    state = story.board["db"]
    assert (state.health, state.failures, state.tally.count, len(state.strip)) == (Health.HEALTHY, 0, 1, 1)
    assert state.result is not None
    assert state.result.reason is CONNECT, "it refreshes the numbers"


def test_patience_with_a_need_that_does_not_answer_ends_with_the_threshold() -> None:
    story = Story(check("db"), check("api", "db"))
    story.run("db", 0)
    story.run("api", 0)
    for at in (15, 30, 45):
        story.run("api", at, NO)
        assert story.health("api") is Health.HEALTHY
    story.run("api", 60, NO)
    assert story.health("api") is Health.UNHEALTHY


def test_a_check_that_is_retried_sooner_than_its_needs_can_answer_waits_for_them() -> None:
    story = chain()
    for number in range(1, 6):
        story.run("web", 20.0 + number, CONNECT)
        assert (story.health("web"), story.roots("web")) == (Health.HEALTHY, ())
    story.run("api", 21.1, TIMEOUT, took=5, counted=False)
    story.run("db", 26.1, TIMEOUT, took=5, counted=False)
    story.run("api", 26.1, TIMEOUT, took=5, counted=False)
    assert (story.health("web"), story.roots("web")) == (Health.UNHEALTHY, ("db",))
    assert patience(story.board, "web") == 24, "two deadlines and their cancellation, for each of two needs"


def test_a_need_that_failed_when_a_run_began_explains_it_though_it_is_well_by_now() -> None:
    story = chain()
    story.run("api", 20, TIMEOUT, took=5)
    story.run("db", 25.1, CONNECT, counted=False)
    story.run("web", 24, TIMEOUT, took=5)
    story.run("db", 28, counted=False)
    story.run("api", 29.1, counted=False)
    assert (story.health("db"), story.health("api"), story.roots("web")) == (Health.HEALTHY, Health.HEALTHY, ("db",))


def test_a_need_that_has_been_well_for_a_while_explains_no_new_failure() -> None:
    story = chain()
    story.run("api", 20, TIMEOUT)
    for at in (20.2, 51):
        story.run("db", at)
        story.run("api", at)
    story.run("web", 51.2, TIMEOUT)
    story.run("api", 51.4, counted=False)
    assert story.roots("web") == ()


def test_a_need_that_hangs_beyond_its_cancellation_is_not_waited_for() -> None:
    story = Story(check("db"), check("api", "db", failure_threshold=1))
    story.run("db", 0, TIMEOUT, took=6, abandoned=True)
    story.run("api", 10, NO)
    assert (story.health("api"), story.roots("api")) == (Health.UNHEALTHY, ("db",))


def test_a_verdict_waits_until_it_is_known_what_the_word_of_a_passive_need_means() -> None:
    story = Story(
        check("db", failure_threshold=1),
        Arriving(name="backup", needs=("db",), failure_threshold=1),
        check("api", "backup", failure_threshold=1),
    )
    for name in ("db", "backup", "api"):
        story.run(name, 0)
    story.run("backup", 10, NO)
    story.run("api", 11, NO)
    assert story.health("api") is Health.HEALTHY, "nobody knows yet whose fault the backup's failure is"
    story.run("db", 12, CONNECT, counted=False)
    assert (story.roots("backup"), story.roots("api")) == (("db",), ("db",))


def test_a_check_that_was_starting_waits_until_it_is_known_what_the_failure_of_a_need_means() -> None:
    story = Story(check("db"), check("api", "db"), check("web", "api", start_period="40s"))
    story.run("db", 0)
    story.run("api", 0)
    story.run("web", 1, NO)
    story.run("api", 2, counted=False)
    assert story.board["web"].verdict.reason == "starting"
    story.run("api", 45, NO)
    assert story.board["web"].verdict.reason == "starting"
    story.run("db", 46, CONNECT, counted=False)
    assert (story.health("web"), story.roots("web")) == (Health.UNHEALTHY, ("db",))


def test_a_cause_that_turns_out_to_have_a_cause_is_none_any_more() -> None:
    story = Story(Arriving(name="db"), check("api", "db"), check("web", "api"))
    for name in ("db", "api", "web"):
        story.run(name, 0)
    story.run("api", 10, NO)
    story.run("web", 11, NO)
    story.run("api", 12, NO, counted=False)
    assert story.roots("web") == ("api",), "the database has not said anything yet"
    story.run("db", 13, NO)
    assert (story.roots("api"), story.roots("web")) == (("db",), ("db",))


def test_a_need_that_fails_touches_nobody_who_is_well() -> None:
    story = Story(check("db"), *(check(f"api{number}", "db") for number in range(3)))
    for name in ("db", "api0", "api1", "api2"):
        story.run(name, 0)
    story.run("api1", 15, NO)
    before = story.board
    folded = story.run("db", 15.2, CONNECT, counted=False)
    assert folded.touched == {"db", "api1"}
    assert [*concerned(before, story.board, "db")] == ["api1"]


def chain() -> Story:
    """web needs api needs db; all have run well."""
    story = Story(check("db"), check("api", "db"), check("web", "api"))
    for name in ("db", "api", "web"):
        story.run(name, 0)
    return story


def fail(story: Story, at: float, *names: str, reason: Reason = CONNECT) -> None:
    """These checks fail at once, needs first, so that no verdict has to wait."""
    for offset, name in enumerate(names):
        story.run(name, at - offset * 0.001, reason, took=0.01 * (offset + 1))


def test_a_cause_is_reached_through_failed_needs() -> None:
    story = chain()
    for at in (15, 30, 45):
        fail(story, at, "db", "api", "web")
    assert story.roots("web") == ("db",)
    assert story.roots("api") == ("db",)
    assert [story.health(name) for name in ("db", "api", "web")] == [Health.UNHEALTHY] * 3


@pytest.mark.parametrize("order", [("db", "api", "web"), ("db", "web", "api"), ("web", "api", "db")])
def test_recoveries_in_any_order_name_no_other_root(order: tuple[str, ...]) -> None:
    story = chain()
    for at in (15, 30, 45):
        fail(story, at, "db", "api", "web")
    well: set[str] = set()
    for step, name in enumerate(order):
        well.add(name)
        then = 60.0 + 15 * step
        for other in ("db", "api", "web"):
            story.run(other, then, OK if other in well else CONNECT)
    roots = {(change.check, change.roots) for change in story.changes if change.after.health is Health.UNHEALTHY}
    assert roots == {("db", ()), ("api", ("db",)), ("web", ("db",))}
    assert all(state.health is Health.HEALTHY for state in story.board)


def test_a_cause_that_recovered_long_ago_is_none() -> None:
    story = Story(check("db"), check("api", "db"))
    fail(story, 0, "db", "api")
    story.run("db", 15)
    for at in (16, 40, 60, 75):
        story.run("api", at, NO)
        assert story.roots("api") == ("db",), "the first two are within the grace of its recovery"
    story.run("api", 90, NO)
    assert story.roots("api") == ()
    assert story.changes[-1].roots == ()
    fail(story, 105, "db", "api")
    assert story.roots("api") == (), "it is unhealthy on its own until its next good run"


def test_an_unhealthy_check_without_a_cause_gets_none_from_a_need_that_fails_later() -> None:
    story = Story(check("db"), check("api", "db"))
    story.run("db", 0)
    story.run("api", 1, NO)
    story.run("db", 1.2, counted=False)
    assert story.health("api") is Health.UNHEALTHY
    for at in (15, 30, 45):
        fail(story, at, "db", "api")
    assert story.roots("api") == ()
    story.run("api", 60)
    fail(story, 75, "db", "api")
    assert story.roots("api") == ("db",)


def test_a_need_under_whose_failure_the_check_ran_well_explains_nothing_until_it_succeeds() -> None:
    story = Story(check("db"), check("api", "db", failure_threshold=1))
    story.run("db", 0, CONNECT)
    for minute_part in range(15, 330, 15):
        story.run("db", minute_part, CONNECT)
        story.run("api", minute_part + 1)
    story.run("api", 340, NO)
    story.run("db", 340.2, CONNECT, counted=False)
    assert (story.health("api"), story.roots("api")) == (Health.UNHEALTHY, ())
    story.run("db", 345)
    story.run("api", 350)
    story.run("db", 355, CONNECT)
    story.run("api", 356, NO)
    story.run("db", 356.2, CONNECT)
    assert story.roots("api") == ("db",)


@pytest.mark.parametrize("reason", [Reason.INTERNAL])
def test_an_internal_failure_explains_nothing_and_has_no_cause(reason: Reason) -> None:
    story = Story(check("db"), check("api", "db"))
    fail(story, 0, "db", "api", reason=reason)
    assert story.roots("api") == ()
    other = Story(check("db"), check("api", "db"))
    other.run("db", 0, CONNECT)
    other.run("api", -0.1, reason)
    assert other.roots("api") == ()


def test_a_reload_that_removes_the_cause_or_the_edge_removes_the_blame() -> None:
    story = Story(check("db"), check("api", "db"))
    fail(story, 0, "db", "api")
    assert story.roots("api") == ("db",)
    story.reload(check("db"), check("api"), at=5)
    assert story.roots("api") == ()
    assert story.board["api"].rootless


def test_a_reload_keeps_history_and_forgets_what_went() -> None:
    story = Story(check("db"), check("api", "db"))
    story.run("db", 0)
    story.run("api", 0)
    story.reload(check("db", failure_threshold=5), check("new"), at=5)
    assert story.board["db"].tally.count == 1
    assert story.health("new") is Health.UNKNOWN
    assert set(story.board.states) == {"db", "new"}
    assert story.run("api", 6).touched == frozenset()


def test_two_causes_are_both_named_and_each_brought_down_at_once() -> None:
    story = Story(check("db"), check("cache"), check("api", "db", "cache", failure_threshold=1))
    for name in ("db", "cache", "api"):
        story.run(name, 0)
    story.run("db", 15, CONNECT)
    story.run("cache", 15, TIMEOUT)
    story.run("api", 14.9, NO)
    assert story.roots("api") == ("cache", "db")
    assert story.health("db") is Health.UNHEALTHY
    assert story.health("cache") is Health.UNHEALTHY


def test_a_diamond_has_one_root() -> None:
    story = Story(check("db"), check("a", "db"), check("b", "db"), check("web", "a", "b"))
    for at in (0, 15, 30):
        fail(story, at, "db", "a", "b", "web")
    assert story.roots("web") == ("db",)
    assert story.roots("a") == story.roots("b") == ("db",)
