"""Every metric that a kind declares was emitted by some test against a real server, and nothing else ever."""

import os

import pytest

from probe.check import DURATION
from probe.registry import Registry
from tests.recording import RECORDED

ONLY_STAND_INS = {
    "langfuse": "Langfuse needs ClickHouse, Redis, PostgreSQL, S3 and two processes of Node: all of its metrics come "
    "from the stand-in of the demo, which tests/kinds/test_langfuse.py holds against Langfuse's own OpenAPI.",
}
"""Kinds whose real server has given no number here, and why. http and tcp are asked of real sockets, TLS and HTTP."""

KINDS = Registry().names()


@pytest.fixture(autouse=True)
def _whole_session() -> None:
    if RECORDED.left_out:
        pytest.skip(f"not the whole session: without {RECORDED.left_out[0]} and {len(RECORDED.left_out) - 1} more")
    if RECORDED.not_installed and not os.environ.get("CI"):
        pytest.skip(f"not every server is installed; `make services` installs {', '.join(RECORDED.not_installed)}")


def declared(kind: str) -> set[str]:
    return set(Registry().find(kind).declared) - {DURATION.key}


@pytest.mark.parametrize("kind", KINDS)
def test_was_emitted(kind: str) -> None:
    assert declared(kind) - RECORDED.emitted.get(kind, set()) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_was_emitted_by_a_real_server(kind: str) -> None:
    missing = declared(kind) - RECORDED.by_real_servers.get(kind, set())
    assert missing == (declared(kind) if kind in ONLY_STAND_INS else set())


def test_no_kind_broke_its_contract() -> None:
    """What is not declared, or emitted twice, ends a run as `internal`, as every other bug does."""
    assert RECORDED.bugs == []
