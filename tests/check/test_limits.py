"""Limits as users write them, against the metrics that a kind declares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.check import LimitError, read_limit, suggestion
from probe.check.limits import read_key
from probe.model import Limit
from tests.check.kinds import Engine

METRICS = Engine.declared


@pytest.mark.parametrize(
    ("key", "text", "limit"),
    [
        ("oil_bytes", "< 2GiB", Limit("probe_engine_oil_bytes", "<", 2 * 1024**3, "warn", by_user=True)),
        ("ready", "== 0", Limit("probe_engine_ready", "==", 0, "warn", by_user=True)),
        (" ready ", "!=1", Limit("probe_engine_ready", "!=", 1, "warn", by_user=True)),
        ("probe_engine_ready", "<=0.5", Limit("probe_engine_ready", "<=", 0.5, "warn", by_user=True)),
        ("probe_duration_seconds", ">= 500ms", Limit("probe_duration_seconds", ">=", 0.5, "warn", by_user=True)),
        (
            "heat_ratio{part=head}",
            "> 80%",
            Limit("probe_engine_heat_ratio", ">", 0.8, "warn", (("part", "head"),), by_user=True),
        ),
        (
            'heat_ratio { part = "a, b=c" }',
            "> 0.8",
            Limit("probe_engine_heat_ratio", ">", 0.8, "warn", (("part", "a, b=c"),), by_user=True),
        ),
        ("heat_ratio{}", "> 1", Limit("probe_engine_heat_ratio", ">", 1, "warn", by_user=True)),
        (
            "serviced_timestamp_seconds",
            "> 26h",
            Limit("probe_engine_serviced_timestamp_seconds", ">", 93600, "warn", on_time=True, by_user=True),
        ),
        (
            "probe_ssl_earliest_cert_expiry",
            "< 21d",
            Limit("probe_ssl_earliest_cert_expiry", "<", 21 * 86400, "warn", on_time=True, by_user=True),
        ),
        ("wear_seconds", "> 1h", Limit("probe_engine_wear_seconds", ">", 3600, "warn", survey="usage", by_user=True)),
    ],
)
def test_a_limit_is_read_in_the_unit_of_its_metric(key: str, text: str, limit: Limit) -> None:
    assert read_limit("warn", key, text, METRICS) == limit


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("heat_ration", "> 1", 'no metric "heat_ration"; did you mean "heat_ratio"?'),
        ("heat_ratio{port=1}", "> 1", 'heat_ratio has no label "port"; did you mean "part"?'),
        ("heat_ratio{part}", "> 1", "'part' is not label=value"),
        ("heat_ratio{part=head,part=tail}", "> 1", 'the label "part" stands twice in the selector; '
         "a series has one value of it"),
        ("heat_ratio{part=head", "> 1", "'heat_ratio{part=head' is not a metric with an optional selector; "
         "write metric or metric{label=value}"),
        ('heat_ratio{part="a}', "> 1", "'part=\"a' is not label=value"),
        ("heat_ratio", "0.8", "'0.8' is not a limit; write an operator and a number, as in \"> 0.8\", or off"),
        ("heat_ratio", "> hot", "heat_ratio: 'hot' is not a ratio; write 0.8 or 80%"),
        ("oil_bytes", "> 5", "oil_bytes: '5' lacks a unit; write 512MiB or 50GB"),
        ("ready", "> 5s", "ready: '5s' is not a plain number; this one has no unit"),
        ("turns_total", "> 5", "turns_total is a counter, which only grows, so it would cross any limit for good; "
         "alert on its rate instead: rate(probe_engine_turns_total[5m])"),
        ("serviced_timestamp_seconds", "== 1h", 'serviced_timestamp_seconds is a point in time; '
         'limit its age ("> 26h") or the time left ("< 21d")'),
    ],
)  # fmt: skip
def test_a_limit_that_can_not_stand_says_why(key: str, text: str, told: str) -> None:
    with pytest.raises(LimitError) as raised:
        read_limit("fail", key, text, METRICS)
    assert str(raised.value) == told


@given(st.text(max_size=30), st.text(max_size=20))
def test_any_other_text_is_a_limit_error(key: str, text: str) -> None:
    for wrong, bound in ((key, "> 1"), ("heat_ratio{" + key + "}", "> 1"), ("ready", text)):
        try:
            read_limit("warn", wrong, bound, METRICS)
        except LimitError as error:
            assert str(error)  # noqa: PT017  # most texts raise, a few are limits


def test_no_two_selectors_look_the_same() -> None:
    one = Limit("m", ">", 1, "warn", (("a", "x,b=y"),))
    two = Limit("m", ">", 1, "warn", (("a", "x"), ("b", "y")))
    assert (one.selected, two.selected) == ('a="x,b=y"', "a=x,b=y")


def test_the_order_of_a_selector_does_not_matter() -> None:
    metrics = {"x": METRICS["heat_ratio"].__class__("gauge", "", ("a", "b"), "probe_x", key="x")}
    assert read_key("x{b=2,a=1}", metrics) == read_key("x{a=1, b=2}", metrics)


@pytest.mark.parametrize(
    ("wrong", "known", "told"),
    [
        ("conections", ["connections", "size"], '; did you mean "connections"?'),
        ("zzz", ["b", "a"], "; there are: a, b"),
        ("zzz", [], ""),
    ],
)
def test_suggestions(wrong: str, known: list[str], told: str) -> None:
    assert suggestion(wrong, known) == told
