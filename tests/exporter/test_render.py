"""One state to lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.exporter import render
from probe.exporter.render import number
from probe.model import Limit, Reason
from probe.state import LimitState, State, SurveyState, Tally
from probe.state.values import Cause
from tests.exporter.boards import NOON, Shop, after, failed, ok, sample
from tests.exporter.reading import read_openmetrics


def lines(check: Shop, state: State) -> list[str]:
    text = b"".join(part for _, part in render(check, state).parts).decode()
    return [line for line in text.splitlines() if "_run_duration_" not in line]


def durations(check: Shop, tally: Tally) -> dict[str, str]:
    parts = render(check, State("shop", tally=tally)).parts
    return {family.type: part.decode() for family, part in parts if "_run_duration_" in family.name}


async def test_a_good_run_is_shown_whole() -> None:
    state = after(State("eu"), ok("eu", sample("open_carts", 3, "EUR"), sample("orders_total", 1e9)))
    assert lines(Shop(name="eu", labels={"team": "core"}), state) == [
        'probe_success{check="eu",kind="shop",team="core"} 1.0',
        'probe_duration_seconds{check="eu",kind="shop",team="core"} 0.25',
        'probe_last_run_timestamp_seconds{check="eu",kind="shop",team="core"} 1790000000.0',
        'probe_last_success_timestamp_seconds{check="eu",kind="shop",team="core"} 1790000000.0',
        'probe_health{check="eu",kind="shop",team="core"} 0.0',
        'probe_runs_total{check="eu",kind="shop",team="core",reason="ok"} 1.0',
        *(
            f'probe_runs_total{{check="eu",kind="shop",team="core",reason="{reason}"}} 0.0'
            for reason in ("dns", "connect", "tls", "timeout", "auth", "protocol", "unhealthy", "internal")
        ),
        'probe_interval_seconds{check="eu",kind="shop",team="core"} 15.0',
        'probe_survey_interval_seconds{check="eu",kind="shop",team="core",survey="usage"} 300.0',
        'probe_shop_open_carts{check="eu",kind="shop",team="core",currency="EUR"} 3.0',
        'probe_shop_orders_total{check="eu",kind="shop",team="core"} 1000000000.0',
    ]


async def test_before_its_first_run_a_check_has_health_and_zeros_and_no_success() -> None:
    names = [line.partition("{")[0] for line in lines(Shop(name="eu"), State("eu"))]
    assert names == [
        "probe_health",
        *["probe_runs_total"] * len(Reason),
        "probe_interval_seconds",
        "probe_survey_interval_seconds",
    ]
    assert 'probe_health{check="eu",kind="shop"} 1.0' in lines(Shop(name="eu"), State("eu"))


async def test_a_failed_run_keeps_the_time_of_the_last_success() -> None:
    state = after(State("eu"), ok("eu", at=NOON), failed("eu", Reason.CONNECT, "refused", at=NOON + 15))
    shown = lines(Shop(name="eu"), state)
    assert 'probe_success{check="eu",kind="shop"} 0.0' in shown
    assert 'probe_last_run_timestamp_seconds{check="eu",kind="shop"} 1790000015.0' in shown
    assert 'probe_last_success_timestamp_seconds{check="eu",kind="shop"} 1790000000.0' in shown


def test_a_default_limit_shows_once_it_had_a_number_and_a_written_one_at_once() -> None:
    default = Limit("probe_shop_open_carts", ">", 100.0, "warn")
    written = Limit("probe_shop_open_carts", ">", 9.0, "fail", (("currency", "EUR"),), by_user=True)

    def shown(*limits: LimitState) -> list[str]:
        return [line for line in lines(Shop(name="eu"), State("eu", limits=limits)) if "probe_limit" in line]

    carts = 'check="eu",kind="shop",metric="probe_shop_open_carts"'
    assert shown(LimitState(default)) == []
    assert shown(LimitState(default, crossed=True, value=101.0), LimitState(written)) == [
        f'probe_limit{{{carts},selector="",op=">",level="warn"}} 100.0',
        f'probe_limit{{{carts},selector="currency=EUR",op=">",level="fail"}} 9.0',
        f'probe_limit_crossed{{{carts},selector="",level="warn"}} 1.0',
        f'probe_limit_crossed{{{carts},selector="currency=EUR",level="fail"}} 0.0',
    ]


def test_each_cause_has_its_line() -> None:
    state = State("eu", causes=(Cause("cache"), Cause("db")))
    assert [line for line in lines(Shop(name="eu"), state) if "caused" in line] == [
        'probe_caused_by{check="eu",kind="shop",cause="cache"} 1.0',
        'probe_caused_by{check="eu",kind="shop",cause="db"} 1.0',
    ]


def test_a_survey_shows_the_numbers_that_stand() -> None:
    result = failed("eu", Reason.TIMEOUT, "no answer within 60 s", seconds=60)
    standing = SurveyState(result, (sample("stock_bytes", 512.0),), last_success_at=NOON - 300)
    shown = lines(Shop(name="eu"), State("eu", surveys={"usage": standing}))
    assert [line for line in shown if "survey" in line or "stock" in line] == [
        'probe_survey_interval_seconds{check="eu",kind="shop",survey="usage"} 300.0',
        'probe_survey_success{check="eu",kind="shop",survey="usage"} 0.0',
        'probe_survey_duration_seconds{check="eu",kind="shop",survey="usage"} 60.0',
        'probe_survey_last_run_timestamp_seconds{check="eu",kind="shop",survey="usage"} 1790000000.0',
        'probe_survey_last_success_timestamp_seconds{check="eu",kind="shop",survey="usage"} 1789999700.0',
        'probe_shop_stock_bytes{check="eu",kind="shop"} 512.0',
    ]


def test_lines_of_a_survey_are_made_once_and_anew_when_its_numbers_or_the_labels_change() -> None:
    def surveyed(value: float) -> State:
        result = failed("eu", Reason.TIMEOUT, "no answer within 60 s", seconds=60)
        return State("eu", surveys={"usage": SurveyState(result, (sample("stock_bytes", value),))})

    check, state = Shop(name="eu"), surveyed(512.0)
    first = render(check, state)
    again = render(check, after(state, ok("eu")), first)
    assert again.surveys[0] is first.surveys[0]
    for shop, changed in ((check, surveyed(1024.0)), (Shop(name="eu", labels={"team": "core"}), state)):
        assert render(shop, changed, first) == render(shop, changed) != first


def test_durations_are_a_summary_whose_buckets_the_board_may_leave_out() -> None:
    tally = Tally().plus(Reason.OK, 0.25).plus(Reason.TIMEOUT, 20.0)
    total = (
        'probe_run_duration_seconds_sum{check="eu",kind="shop"} 20.25\n'
        'probe_run_duration_seconds_count{check="eu",kind="shop"} 2.0\n'
    )
    infinite = 'probe_run_duration_seconds_bucket{check="eu",kind="shop",le="+Inf"} 2.0\n'
    plain = durations(Shop(name="eu"), tally)
    assert plain == {"histogram": infinite, "summary": total}
    asked = durations(Shop(name="eu", histogram=True), tally)
    assert list(asked) == ["histogram", "summary"]
    assert asked["summary"] == total
    assert [line.rpartition("le=")[2] for line in asked["histogram"].splitlines()] == [
        *(f'"{bound}"}} 0.0' for bound in (0.005, 0.01, 0.025, 0.05, 0.1)),
        *(f'"{bound}"}} 1.0' for bound in (0.25, 0.5, 1.0, 2.5, 5.0, 10.0)),
        '"+Inf"} 2.0',
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1.0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e22, "1e+22"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_prometheus_reads_them(value: float, text: str) -> None:
    assert number(value) == text


@given(st.text(), st.floats())
def test_any_label_value_and_any_number_come_through(label: str, value: float) -> None:
    state = after(State("eu"), ok("eu", sample("open_carts", value, label)))
    found = next(
        part for family, part in render(Shop(name="eu"), state).parts if family.name == "probe_shop_open_carts"
    )
    text = "# TYPE probe_shop_open_carts gauge\n" + found.decode() + "# EOF\n"
    [series] = read_openmetrics(text)[0].samples
    printable = label.replace("\0", "\ufffd").encode(errors="replace").decode()
    assert series.labels == {"check": "eu", "kind": "shop", "currency": printable}
    assert series.value == value or math.isnan(value)
