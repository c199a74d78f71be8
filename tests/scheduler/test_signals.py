"""A whole process, told to end while something hangs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scheduler import agent

ROOT = Path(__file__).parents[2]
loops = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@contextmanager
def running(kind: str, loop: str) -> Iterator[subprocess.Popen[str]]:
    """The agent, at the moment when its check runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", agent.__name__, kind, loop],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, float, str]:
    """Exit code after a signal, the seconds it took, and what it printed."""
    asked = time.monotonic()
    process.send_signal(number)
    printed, said = process.communicate(timeout=30)
    return process.returncode, time.monotonic() - asked, printed + said


@loops
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_agent_ends_by_itself(loop: str, number: signal.Signals) -> None:
    with running("sound", loop) as process:
        code, _, printed = told(process, number)
    assert (code, printed) == (0, "stopping\nstopped\n")


@loops
@pytest.mark.parametrize("kind", ["blocking", "deaf", "stubborn"])
def test_sigterm_ends_the_agent_in_the_grace_whatever_hangs(loop: str, kind: str) -> None:
    with running(kind, loop) as process:
        code, took, printed = told(process, signal.SIGTERM)
    assert code == 0
    assert took < agent.GRACE + 2
    assert "ended by force: something still hangs" in printed


@loops
@pytest.mark.parametrize("kind", ["blocking", "deaf", "stubborn"])
def test_a_second_interrupt_ends_it_at_once(loop: str, kind: str) -> None:
    with running(kind, loop) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        code, _, _ = told(process, signal.SIGINT)
    assert code == 130


@loops
def test_hangup_reloads_and_the_agent_goes_on(loop: str) -> None:
    with running("sound", loop) as process:
        os.kill(process.pid, signal.SIGHUP)
        assert process.stdout is not None
        assert process.stdout.readline() == "reloaded\n"
        code, _, printed = told(process, signal.SIGTERM)
    assert (code, printed) == (0, "stopping\nstopped\n")
