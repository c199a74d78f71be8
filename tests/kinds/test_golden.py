"""What each kind exposes when all is well: the example config on the demo's stack, every name and label held.

A kind is here because the example has a check of it; one without fails the first test.
"""

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from probe.check import Check
from probe.config import load
from probe.demo.run import example
from probe.demo.stack import Stack
from probe.model import Result
from probe.registry import Registry
from probe.runner import Runner
from tests.exporter import golden, reading

GOLDEN = Path(__file__).with_name("golden")
DIFFERS = ("version", "cipher")
"""Labels whose values are those of the servers at hand."""

KINDS = Registry().names()


@pytest.fixture
async def checks(tmp_path: Path) -> AsyncIterator[dict[str, Check]]:
    """The example's checks by kind, on a stack that is all wheels."""
    stack = Stack(tmp_path, object_store="moto")
    await stack.start()
    try:
        config = load([example()], allow=frozenset(), environ=os.environ | stack.variables)
        yield {check.kind: check for check in config.checks.values()}
    finally:
        await stack.stop()


async def results(check: Check) -> list[Result]:
    runner = Runner()
    try:
        return [await runner.run(check, survey) for survey in ("", *check.active_surveys)]
    finally:
        await runner.close()


async def test_what_every_kind_exposes(checks: dict[str, Check]) -> None:
    assert sorted(checks) == sorted(KINDS), "the example has a check of each kind"
    for check in checks.values():
        found = await results(check)
        assert [(result.survey, result.message) for result in found if not result.complete] == []
        golden.compare(check, found, GOLDEN, any_value_of=DIFFERS)


@pytest.mark.parametrize("kind", KINDS)
def test_its_golden_exposition_names_only_what_is_declared(kind: str) -> None:
    text = (GOLDEN / f"{kind}.txt").read_text().replace(" *", " 1")
    own = {family.name for family in reading.read_text(text) if family.name.startswith(f"probe_{kind}_")}
    declared = {metric.name.removesuffix("_total") for metric in Registry().find(kind).declared.values()}
    assert own <= declared


@pytest.mark.service("promtool")
@pytest.mark.parametrize("kind", KINDS)
def test_promtool_has_nothing_to_say(kind: str) -> None:
    text = (GOLDEN / f"{kind}.txt").read_text().replace(" *", " 1")
    told = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
