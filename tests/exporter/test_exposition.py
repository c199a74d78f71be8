"""The whole text, as Prometheus' own tools read it."""

import subprocess
from collections.abc import Iterable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, Metric

from probe.exporter import FAMILIES, Format, exposition
from probe.model import Limit, Reason
from probe.state import Board, LimitState, State, SurveyState
from probe.state.values import Cause
from tests.exporter.boards import NOON, Shop, after, board_of, failed, ok, rendered, sample
from tests.exporter.reading import read_openmetrics, read_text

NOTHING = CollectorRegistry()


def text_of(board: Board, form: Format, agent: CollectorRegistry = NOTHING) -> str:
    return exposition(board, rendered(board), form, agent).decode()


def a_board(*, histogram: bool = False) -> Board:
    """A good check with everything, one that fails because of it, one that has not run."""
    limit = LimitState(Limit("probe_shop_open_carts", ">", 100.0, "warn", by_user=True), value=3.0)
    survey = SurveyState(ok("eu"), (sample("stock_bytes", 512.0),), last_success_at=NOON)
    eu = after(State("eu"), ok("eu", sample("open_carts", 3, 'a"b\\c\nd'), sample("orders_total", 7)))
    us = after(State("us"), failed("us", Reason.TIMEOUT, "no answer within 5 s", seconds=5))
    return board_of(
        [
            Shop(name="eu", labels={"team": "core"}),
            Shop(name="us", needs=("eu",), histogram=histogram),
            Shop(name="ap"),
        ],
        [replace(eu, limits=(limit,), surveys={"usage": survey}), replace(us, causes=(Cause("eu"),))],
    )


def series(families: Iterable[Metric]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


@pytest.mark.parametrize("histogram", [False, True])
def test_both_formats_say_the_same(histogram: bool) -> None:
    board = a_board(histogram=histogram)
    plain = read_text(text_of(board, Format.TEXT))
    modern = read_openmetrics(text_of(board, Format.OPENMETRICS))
    assert series(plain) == series(modern)
    assert {family.name: family.type for family in plain} == {family.name: family.type for family in modern}
    assert {family.name: family.documentation for family in plain} == {
        family.name: family.documentation for family in modern
    }


def test_every_family_stands_once_and_says_what_it_is() -> None:
    text = text_of(a_board(), Format.TEXT)
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    helps = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert (
        types
        == helps
        == [
            *(family.name for family in FAMILIES),
            "probe_shop_open_carts",
            "probe_shop_orders_total",
            "probe_shop_stock_bytes",
        ]
    )


def test_openmetrics_names_a_counter_without_total_and_tells_units() -> None:
    text = text_of(a_board(), Format.OPENMETRICS)
    assert "# TYPE probe_runs counter\n" in text
    assert "# UNIT probe_run_duration_seconds seconds\n" in text
    assert "# UNIT probe_shop_stock_bytes bytes\n" in text
    assert text.count("# UNIT probe_success") == 0
    assert text.endswith("# EOF\n")
    assert text.count("# EOF\n") == 1


def test_one_histogram_makes_the_family_a_histogram_and_the_rest_have_one_bucket() -> None:
    def buckets(board: Board) -> dict[str, int]:
        bucket_lines = [line for line in text_of(board, Format.TEXT).splitlines() if "_bucket{" in line]
        return {name: sum(f'check="{name}"' in line for line in bucket_lines) for name in board.checks}

    assert buckets(a_board(histogram=False)) == {"eu": 0, "us": 0, "ap": 0}
    assert buckets(a_board(histogram=True)) == {"eu": 1, "us": 12, "ap": 1}
    assert "# TYPE probe_run_duration_seconds histogram" in text_of(a_board(histogram=True), Format.TEXT)


def test_checks_stand_in_the_order_of_the_config_in_every_family() -> None:
    lines = text_of(a_board(), Format.TEXT).splitlines()
    health = [line.partition('check="')[2][:2] for line in lines if line.startswith("probe_health{")]
    assert health == ["eu", "us", "ap"]


def test_what_a_failed_run_did_not_find_is_gone_and_leaves_no_header() -> None:
    board = a_board()
    after_failure = board.put(after(board["eu"], failed("eu", Reason.CONNECT, "refused")))
    text = text_of(after_failure, Format.TEXT)
    assert "probe_shop_open_carts " not in text
    assert 'probe_success{check="eu",kind="shop",team="core"} 0.0' in text


def test_an_empty_board_is_a_text_too() -> None:
    assert text_of(board_of([]), Format.TEXT) == ""
    assert text_of(board_of([]), Format.OPENMETRICS) == "# EOF\n"


@pytest.mark.service("promtool")
@pytest.mark.parametrize("histogram", [False, True])
def test_promtool_finds_nothing_to_mend(histogram: bool) -> None:
    text = exposition((board := a_board(histogram=histogram)), rendered(board), Format.TEXT, NOTHING)
    found = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=20)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
