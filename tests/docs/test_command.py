"""`python -m probe.docs` on a checkout of its own."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from probe.docs import __main__ as program
from tests.docs.conftest import PYPROJECT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(program, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(program.command, arguments)


def test_check_names_what_is_stale_and_writes_nothing(checkout: Path) -> None:
    result = call("--check")
    assert result.exit_code == 1
    assert "docs/kinds/http.md is stale; run: python -m probe.docs\n" in result.stderr
    assert [path.name for path in checkout.iterdir()] == ["pyproject.toml"]


def test_write_names_what_it_wrote_and_then_nothing_is_stale(checkout: Path) -> None:
    written = call()
    assert written.exit_code == 0
    assert "docs/kinds/http.md\n" in written.stdout
    assert (checkout / "docs/kinds/http.md").is_file()
    assert (call("--check").exit_code, call().stdout) == (0, "")


def test_without_a_checkout_it_says_so(checkout: Path) -> None:
    (checkout / "pyproject.toml").unlink()
    result = call()
    assert result.exit_code == 2
    assert "is no checkout of probe: it has no pyproject.toml; run this from one" in result.stderr
