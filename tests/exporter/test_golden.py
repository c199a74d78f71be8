"""The tool that holds each kind's exposition."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.exporter import golden
from tests.exporter.boards import Shop, ok, sample


def test_only_a_value_may_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(golden.REWRITE, raising=False)
    eu = Shop(name="eu")
    with pytest.raises(AssertionError, match=r"no golden file .*shop\.txt"):
        golden.compare(eu, ok("eu", sample("orders_total", 7)), tmp_path)
    with monkeypatch.context() as rewriting:
        rewriting.setenv(golden.REWRITE, "1")
        golden.compare(eu, ok("eu", sample("orders_total", 7)), tmp_path)
    assert 'probe_shop_orders_total{check="eu",kind="shop"} *\n' in (tmp_path / "shop.txt").read_text()
    golden.compare(eu, ok("eu", sample("orders_total", 8)), tmp_path)
    with pytest.raises(AssertionError, match="not as in"):
        golden.compare(eu, ok("eu", sample("open_carts", 1, "EUR")), tmp_path)


def test_a_label_whose_value_differs_from_place_to_place_is_masked() -> None:
    text = golden.exposed(Shop(name="eu"), ok("eu", sample("open_carts", 1, 'a"} b'), sample("open_carts", 2, "c")))
    series = [line for line in golden.masked(text, ["currency"]).splitlines() if "open_carts{" in line]
    assert series[-1] == 'probe_shop_open_carts{check="eu",kind="shop",currency="*"} *'
    assert len([line for line in series if line.startswith("probe_shop")]) == 1


def test_the_common_families_are_as_committed() -> None:
    eu = Shop(name="eu", labels={"team": "core"}, warn={"open_carts": "> 10"}, histogram=True)
    usage = replace(ok("eu", sample("stock_bytes", 512)), survey="usage")
    text = golden.exposed(eu, ok("eu", sample("orders_total", 2)), usage)
    golden.compare_text(text, Path(__file__).with_name("golden") / "common.txt")
