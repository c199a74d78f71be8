"""The agent's own metrics, beside those of the checks."""

import platform
import subprocess
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from probe.exporter import AGENT_FAMILIES, Format, Reloads, agent_registry, exposition
from tests.exporter.boards import Shop, board_of, rendered
from tests.exporter.reading import read_openmetrics, read_text


@dataclass
class Counted:
    bounds: tuple[float, ...] = (0.01, 0.1)
    counts: tuple[int, ...] = (5, 2, 1)
    sum: float = 0.75


@dataclass
class Seen:
    """What a scheduler has counted."""

    in_flight: int = 2
    skipped: int = 3
    abandoned: int = 1
    clock_steps: int = 0
    blocked: int = 4
    delay: Counted = field(default_factory=Counted)
    lag: Counted = field(default_factory=Counted)


def registry(seen: Seen | None = None) -> CollectorRegistry:
    reloads = Reloads(ok=2, failed=1, last_is_ok=False, in_force_since=1_790_000_000.0)
    return agent_registry("1.2.3", seen or Seen(), lambda: reloads)


def both(agent: CollectorRegistry) -> tuple[str, str]:
    board = board_of([Shop(name="eu")])
    plain, modern = (exposition(board, rendered(board), form, agent).decode() for form in Format)
    return plain, modern


def test_says_what_the_scheduler_counted() -> None:
    own = [line for line in both(registry())[0].splitlines() if line.startswith("probe_agent_")]
    assert own == [
        f'probe_agent_build_info{{python="{platform.python_version()}",version="1.2.3"}} 1.0',
        'probe_agent_start_delay_seconds_bucket{le="0.01"} 5.0',
        'probe_agent_start_delay_seconds_bucket{le="0.1"} 7.0',
        'probe_agent_start_delay_seconds_bucket{le="+Inf"} 8.0',
        "probe_agent_start_delay_seconds_count 8.0",
        "probe_agent_start_delay_seconds_sum 0.75",
        "probe_agent_runs_in_flight 2.0",
        "probe_agent_skipped_runs_total 3.0",
        "probe_agent_abandoned_runs_total 1.0",
        'probe_agent_loop_lag_seconds_bucket{le="0.01"} 5.0',
        'probe_agent_loop_lag_seconds_bucket{le="0.1"} 7.0',
        'probe_agent_loop_lag_seconds_bucket{le="+Inf"} 8.0',
        "probe_agent_loop_lag_seconds_count 8.0",
        "probe_agent_loop_lag_seconds_sum 0.75",
        "probe_agent_loop_blocked_total 4.0",
        "probe_agent_clock_steps_total 0.0",
        'probe_agent_config_reads_total{result="ok"} 2.0',
        'probe_agent_config_reads_total{result="failed"} 1.0',
        "probe_agent_config_last_reload_successful 0.0",
        "probe_agent_config_last_reload_success_timestamp_seconds 1.79e+09",
    ]


def test_reads_the_figures_anew_at_each_scrape() -> None:
    seen = Seen()
    agent = registry(seen)
    seen.in_flight = 17
    assert "probe_agent_runs_in_flight 17.0" in both(agent)[0]


def test_both_formats_have_the_agents_families_after_the_checks() -> None:
    plain, modern = both(registry())
    for families in (read_text(plain), read_openmetrics(modern)):
        names = [family.name for family in families]
        own = [name for name in names if name.startswith("probe_agent_")]
        assert own == [family.name.removesuffix("_total") for family in AGENT_FAMILIES]
        assert names.index("probe_health") < names.index(own[0])
        assert "process_cpu_seconds" in names
    assert modern.endswith("# EOF\n")


@pytest.mark.service("promtool")
def test_promtool_finds_nothing_to_mend() -> None:
    text = both(registry())[0].encode()
    found = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=20)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
