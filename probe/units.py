"""Durations, sizes and ratios as people write them, to base units and back. Standard library only."""

import math
import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
BYTES = (
    {"B": 1.0}
    | {
        f"{prefix}{suffix}": float(base**power)
        for suffix, base in (("B", 1000), ("iB", 1024))
        for power, prefix in enumerate("KMGTP", start=1)
    }
    | {"kB": 1000.0}
)

LONGEST = 36525 * SECONDS["d"]
"""Seconds: what is longer is a mistake, and no calendar reaches as far as some."""

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-zµ%]*)")


class UnitError(ValueError):
    """A text that is no such quantity; the message says what one looks like."""


def seconds(text: str) -> float:
    """`15s`, `1m30s`, `500ms`, `26h`, `21d` in seconds. Raises UnitError."""
    value = _sum_of_parts(text, SECONDS, "a duration", "15s, 5m or 1h30m")
    if value > LONGEST:
        raise UnitError(f"{text!r} is longer than a century")
    return value


def size(text: str) -> float:
    """`50GiB`, `10MB`, `512B` in bytes (KiB is 1024, KB 1000). Raises UnitError."""
    return _sum_of_parts(text, BYTES, "a size", "512MiB or 50GB")


def ratio(text: str) -> float:
    """`0.8` or `80%` as a fraction. Raises UnitError."""
    number = text.strip()
    percent = number.endswith("%")
    try:
        value = float(number.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is not a ratio; write 0.8 or 80%")
    return value / 100 if percent else value


def number(text: str) -> float:
    """A plain finite number. Raises UnitError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is not a plain number; this one has no unit")
    return value


PARSERS = {"seconds": seconds, "time": seconds, "bytes": size, "ratio": ratio, "": number}
"""How to read the bound of a limit, by its metric's unit."""


def show_seconds(value: float) -> str:
    """A duration for people: `340 ms`, `4.2 s`, `3m 20s`, `5h 12m`, `21d 4h`."""
    if not math.isfinite(value):
        return f"{value} s"
    if value < 0:
        return "-" + show_seconds(-value)
    if value < 0.9995:
        return f"{value * 1000:.{1 if 0 < value < 0.00995 else 0}f} ms"
    if value < 59.5:
        return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"
    whole = round(value)
    for big_unit, below, big_name, small_unit, small_name in (
        (60, 3600, "m", 1, "s"),
        (3600, 86400, "h", 60, "m"),
        (86400, math.inf, "d", 3600, "h"),
    ):
        if whole < below:
            big, rest = divmod(whole, big_unit)
            small = rest // small_unit
            return f"{big}{big_name} {small}{small_name}" if small else f"{big}{big_name}"
    raise AssertionError("unreachable: infinity is below infinity's bound")


def show_size(value: float) -> str:
    """A size for people: `512 B`, `1.4 MiB`, `50 GiB`."""
    if not math.isfinite(value):
        return f"{value} B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < (1023.5 if unit == "B" else 1023.95):  # what is more would be rounded to 1024
            return f"{value:.0f} {unit}" if unit == "B" or value == int(value) else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} PiB"


def show(value: float, unit: str) -> str:
    """A metric's value for people, by the metric's unit (see `Metric.unit`)."""
    if unit in ("seconds", "time"):
        return show_seconds(value)
    if unit == "bytes":
        return show_size(value)
    if unit == "ratio":
        return f"{value * 100:.4g}%"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"


def _sum_of_parts(text: str, units: dict[str, float], what: str, example: str) -> float:
    stripped = text.strip()
    parts = _PART.findall(stripped)
    whole = "".join(f"{number}{unit}" for number, unit in parts)
    if not parts or whole != re.sub(r"\s+", "", stripped):
        raise UnitError(f"{text!r} is not {what}; write {example}")
    for _amount, unit in parts:
        if not unit:
            raise UnitError(f"{text!r} lacks a unit; write {example}")
        if unit not in units:
            raise UnitError(f"{text!r} is not {what}: no unit {unit!r}; write {example}")
    total = sum(float(amount) * units[unit] for amount, unit in parts)
    if not math.isfinite(total):
        raise UnitError(f"{text[:40]!r} is too large to be {what}; write {example}")
    return total
