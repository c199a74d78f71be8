"""What every kind must say of itself, so that nobody has to read its code."""

import re

import pytest

from probe.check import DURATION, RESERVED_LABELS, Check
from probe.docs.wording import Row
from probe.exporter import AGENT_FAMILIES, FAMILIES, Described
from tests.docs.conftest import KINDS, NAMES, ROOT, documents

SCHEMA, REFERENCE = documents(KINDS, (ROOT / "pyproject.toml").read_text("utf-8"))
INSIDE = re.compile(
    r"asyncpg|botocore|boto3|httpx|aiohttp|pydantic|redis-py|asyncio|uvloop|probe\.(kinds|exchange|check)|\bself\."
    r"|\w(Error|Exception)\b|(is|=) None\b|__"
)
"""What only those who read the code can know."""
MEASURED = re.compile(r"(^|_)(length|size|age|duration|lag|time|expiry|window)(_|$)")
UNIT_WORDS = re.compile(r"\b(bytes|seconds|elements|transactions|ids)\b", re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_says_what_it_is_and_shows_how_it_is_written(name: str) -> None:
    kind = REFERENCE["kinds"][name]
    assert kind["summary"].endswith(".")
    assert kind["question"].endswith("?")
    assert f"kind: {name}" in kind["example"]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_says_what_it_is(name: str) -> None:
    rows = [*REFERENCE["fields"], *REFERENCE["kinds"][name]["fields"]]
    assert [row["name"] for row in rows if not row["description"].endswith(".")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_says_what_it_is(name: str) -> None:
    metrics = REFERENCE["kinds"][name]["metrics"]
    assert metrics
    assert [metric["name"] for metric in metrics if not re.fullmatch(r"\w.{10,}\.", metric["help"])] == []
    assert [metric["name"] for metric in metrics if lacks_unit(metric)] == []


def lacks_unit(metric: Row) -> bool:
    """Whether it is measured in something that neither its name nor its help tells."""
    return bool(MEASURED.search(metric["name"])) and not (metric["unit"] or UNIT_WORDS.search(metric["help"]))


def test_a_unit_that_is_missing_is_found() -> None:
    assert lacks_unit({"name": "probe_x_body_length", "unit": "", "help": "Length of the body."})
    assert not lacks_unit({"name": "probe_x_body_length", "unit": "", "help": "Length of the body, in bytes."})
    assert not lacks_unit({"name": "probe_x_size_bytes", "unit": "bytes", "help": "Size."})


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_metrics_are_named_by_the_rules(kind: type[Check]) -> None:
    metrics = REFERENCE["kinds"][kind.kind]["metrics"]
    for metric in metrics:
        shared = metric["key"] == metric["name"]
        assert metric["name"] == (metric["key"] if shared else f"probe_{kind.kind}_{metric['key']}")
        assert re.fullmatch(r"probe_[a-z0-9]+(_[a-z0-9]+)*", metric["name"])
        assert (metric["type"] == "counter") == metric["name"].endswith("_total"), metric["name"]
        for label in metric["labels"]:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", label)
            assert label not in RESERVED_LABELS, f"{metric['name']} has the label {label}"


def test_no_kind_takes_a_name_that_every_check_or_the_agent_has() -> None:
    taken = {family.name for family in (*FAMILIES, *AGENT_FAMILIES)} | {DURATION.name}
    named = [metric["name"] for kind in REFERENCE["kinds"].values() for metric in kind["metrics"]]
    assert [name for name in named if name in taken] == []


def test_kinds_that_share_a_metric_declare_the_same() -> None:
    seen: dict[str, Row] = {}
    for kind in REFERENCE["kinds"].values():
        for metric in kind["metrics"]:
            assert seen.setdefault(metric["name"], metric) == metric


@pytest.mark.parametrize("family", [*FAMILIES, *AGENT_FAMILIES], ids=lambda family: family.name)
def test_every_family_says_what_it_is(family: Described) -> None:
    assert re.fullmatch(r"\w.{10,}\.", family.help)


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_that_logs_in_says_the_least_rights_that_it_needs(name: str) -> None:
    kind = REFERENCE["kinds"][name]
    secrets = {row["name"] for row in kind["fields"] if row["type"] == "secret"}
    if secrets & {"password", "secret_key"}:
        assert kind["permissions"]


@pytest.mark.parametrize("name", NAMES)
def test_reasons_are_those_of_the_closed_list(name: str) -> None:
    reasons = REFERENCE["kinds"][name]["reasons"]
    assert reasons
    assert reasons.keys() <= REFERENCE["reasons"].keys()
    assert [text for text in reasons.values() if not text.endswith(".")] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_page_tells_how_the_code_is_made(name: str) -> None:
    page = (ROOT / f"docs/kinds/{name}.md").read_text("utf-8")
    assert [found[0] for found in INSIDE.finditer(page)] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_extra_is_there_for_the_driver(name: str) -> None:
    kind = REFERENCE["kinds"][name]
    assert bool(kind["extra"]) == bool(kind["distributions"])
    assert kind["extra"] in ("", name)
