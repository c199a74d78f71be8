"""Quantities as people write them, and as they are shown to people."""

import contextlib
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probe import units
from probe.units import UnitError, number, ratio, seconds, show, show_seconds, show_size, size

AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=3).map(lambda amount: f"{amount:f}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("15s", 15),
        ("500ms", 0.5),
        ("1m30s", 90),
        ("1h 30m", 5400),
        (" 26h ", 93600),
        ("21d", 1814400),
        ("2w", 1209600),
        ("1.5h", 5400),
        ("0s", 0),
    ],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512B", 512),
        ("1KiB", 1024),
        ("1KB", 1000),
        ("1kB", 1000),
        ("50GiB", 50 * 1024**3),
        ("10 MB", 10**7),
        ("1.5TiB", 1.5 * 1024**4),
        ("2PB", 2e15),
    ],
)
def test_sizes(text: str, value: float) -> None:
    assert size(text) == value


@pytest.mark.parametrize(("text", "value"), [("0.8", 0.8), ("80%", 0.8), (" 80 % ", 0.8), ("0", 0), ("150%", 1.5)])
def test_ratios(text: str, value: float) -> None:
    assert ratio(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("-0.5", -0.5), ("1e3", 1000)])
def test_plain_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is not a duration; write 15s, 5m or 1h30m"),
        ("15", "'15' lacks a unit; write 15s, 5m or 1h30m"),
        ("1m30", "'1m30' lacks a unit; write 15s, 5m or 1h30m"),
        ("15sec", "'15sec' is not a duration: no unit 'sec'; write 15s, 5m or 1h30m"),
        ("5M", "'5M' is not a duration: no unit 'M'; write 15s, 5m or 1h30m"),
        ("-5s", "'-5s' is not a duration; write 15s, 5m or 1h30m"),
        ("1.5.5s", "'1.5.5s' is not a duration; write 15s, 5m or 1h30m"),
        ("5s, 3s", "'5s, 3s' is not a duration; write 15s, 5m or 1h30m"),
        ("soon", "'soon' is not a duration; write 15s, 5m or 1h30m"),
        ("inf", "'inf' is not a duration; write 15s, 5m or 1h30m"),
        ("36526d", "'36526d' is longer than a century"),
    ],
)
def test_what_is_no_duration_says_what_one_looks_like(text: str, told: str) -> None:
    with pytest.raises(UnitError) as raised:
        seconds(text)
    assert str(raised.value) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("50", "'50' lacks a unit; write 512MiB or 50GB"),
        ("50gb", "'50gb' is not a size: no unit 'gb'; write 512MiB or 50GB"),
        ("50G", "'50G' is not a size: no unit 'G'; write 512MiB or 50GB"),
        ("80%", "'80%' is not a size: no unit '%'; write 512MiB or 50GB"),
    ],
)
def test_what_is_no_size_says_what_one_looks_like(text: str, told: str) -> None:
    with pytest.raises(UnitError) as raised:
        size(text)
    assert str(raised.value) == told


@pytest.mark.parametrize("text", ["", "%", "80%%", "much", "nan", "inf", "-inf%", "0,8"])
def test_what_is_no_ratio(text: str) -> None:
    with pytest.raises(UnitError, match=r"is not a ratio; write 0\.8 or 80%"):
        ratio(text)


@pytest.mark.parametrize("text", ["", "3s", "nan", "inf", "1e999", "three"])
def test_what_is_no_plain_number(text: str) -> None:
    with pytest.raises(UnitError, match="is not a plain number; this one has no unit"):
        number(text)


def test_no_quantity_is_infinite() -> None:
    for parse, unit in ((seconds, "s"), (size, "B")):
        with pytest.raises(UnitError, match="is too large"):
            parse("9" * 400 + unit)


@given(AMOUNTS, st.sampled_from(sorted(units.SECONDS)))
def test_a_duration_is_its_amount_times_its_unit(amount: str, unit: str) -> None:
    assume(float(amount) * units.SECONDS[unit] <= units.LONGEST)
    assert seconds(amount + unit) == float(amount) * units.SECONDS[unit]


@given(st.text(max_size=20), st.sampled_from([seconds, size, ratio, number]))
def test_any_text_is_a_finite_number_or_an_error_of_ours(text: str, parse: object) -> None:
    assert callable(parse)
    with contextlib.suppress(UnitError):
        assert math.isfinite(parse(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (0.00042, "0.4 ms"),
        (0.00999, "10 ms"),
        (0.3404, "340 ms"),
        (0.9996, "1.0 s"),
        (4.24, "4.2 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.7, "1m"),
        (200, "3m 20s"),
        (3599.7, "1h"),
        (18720, "5h 12m"),
        (86399.9, "1d"),
        (1828800, "21d 4h"),
        (-200, "-3m 20s"),
        (math.inf, "inf s"),
        (math.nan, "nan s"),
    ],
)
def test_durations_for_people(value: float, text: str) -> None:
    assert show_seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023.7, "1.0 KiB"),
        (1024, "1 KiB"),
        (1500000, "1.4 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (50 * 1024**3, "50 GiB"),
        (-2048, "-2 KiB"),
        (5 * 1024**6, "5120.0 PiB"),
        (math.inf, "inf B"),
    ],
)
def test_sizes_for_people(value: float, text: str) -> None:
    assert show_size(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (90, "time", "1m 30s"),
        (90, "seconds", "1m 30s"),
        (2048, "bytes", "2 KiB"),
        (0.875, "ratio", "87.5%"),
        (12, "", "12"),
        (1 / 3, "", "0.3333333333"),
    ],
)
def test_values_by_the_unit_of_their_metric(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


@given(st.floats(min_value=1, max_value=1e9))
def test_a_duration_for_people_is_off_by_its_last_unit_at_most(value: float) -> None:
    shown = show_seconds(value)
    assume(" s" not in shown)
    assert abs(seconds(shown) - value) <= max(units.SECONDS["h"] if "d" in shown else 60, 1)


@given(st.floats(min_value=0, max_value=1e16))
def test_a_size_for_people_is_off_by_its_rounding_at_most(value: float) -> None:
    assert size(show_size(value)) == pytest.approx(value, rel=0.06, abs=0.5)
