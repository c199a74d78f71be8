"""One kind as a document, whole, and its page."""

from probe.docs import pages
from probe.docs.markdown import table
from probe.docs.reference import MORE_METRICS
from probe.docs.shipped import is_installed
from tests.docs.conftest import TINY, documents

SCHEMA, REFERENCE = documents(TINY)
WEB = REFERENCE["kinds"]["web"]
PAGE = pages.of_kind("web", WEB, REFERENCE["reasons"])


def test_a_kind_is_described_by_its_declarations() -> None:
    assert (WEB["summary"], WEB["question"]) == ("A page.", "Every shape of field that a kind may have.")
    assert (WEB["extra"], WEB["distributions"]) == ("web", ["browser", "wires"])
    assert WEB["metrics"][0] == {
        "name": "probe_web_status",
        "key": "status",
        "type": "gauge",
        "unit": "",
        "labels": [],
        "help": "Status of the answer.",
        "survey": "",
        "warn": "",
        "fail": "",
    }
    assert [metric["unit"] for metric in WEB["metrics"]] == ["", "ratio", "unix seconds", "", "bytes"]
    assert WEB["surveys"] == [
        {
            "name": "usage",
            "description": "",
            "interval": {"field": "usage_interval", "default": "5m"},
            "timeout": {"field": "usage_timeout", "default": "1m"},
        }
    ]


def test_a_kind_without_an_extra_needs_nothing() -> None:
    assert (REFERENCE["kinds"]["sql"]["extra"], REFERENCE["kinds"]["sql"]["distributions"]) == ("", [])


def test_a_kind_whose_fields_declare_metrics_says_so() -> None:
    assert REFERENCE["kinds"]["sql"]["notes"] == [MORE_METRICS]
    assert WEB["notes"] == []


def test_a_page_shows_fields_metrics_and_surveys() -> None:
    assert "| `url` | text | **required** | Address of the page. |" in PAGE
    assert "| `probe_web_used_ratio` | gauge | `bucket` | Share in use. | `warn > 0.8` |" in PAGE
    assert "### Survey `usage`\n\nEvery `usage_interval` (5m), for at most `usage_timeout` (1m)." in PAGE
    assert "Its driver is an extra: `pip install 'stackprobe[web]'`" in PAGE
    assert "## Permissions" not in PAGE


def test_a_table_keeps_its_columns_whatever_is_in_a_cell_and_leaves_out_empty_ones() -> None:
    assert table(("a", "b", "c"), [("x|y", "", "1\n2")]) == "| a | c |\n| --- | --- |\n| x\\|y | 1 2 |"
    assert table(("a",), []) == ""


def test_a_driver_is_installed_when_all_that_it_consists_of_is() -> None:
    assert is_installed({"distributions": []})
    assert is_installed({"distributions": ["pydantic"]})
    assert not is_installed({"distributions": ["pydantic", "no-such-distribution-of-ours"]})
