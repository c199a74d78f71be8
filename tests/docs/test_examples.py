"""Every example is a good config, for probe and for an editor; bad ones are not, for an editor either."""

import re
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
import yaml

from probe.check import Check
from probe.config import load
from probe.docs.shipped import read_reference, schema_text
from tests.docs.conftest import KINDS, NAMES, ROOT

SCHEMA = yaml.safe_load(schema_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def mistakes(text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def variables(text: str) -> Mapping[str, str]:
    """A value for each variable that has no default."""
    return dict.fromkeys(re.findall(r"\$\{(\w+)(?:\}|:\?)", text), "secret")


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(NAMES) <= SCHEMA["$defs"].keys()


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_an_example_is_a_good_config(kind: type[Check], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(kind.example, "utf-8")
    config = load([path], allow=frozenset(), environ=variables(kind.example))
    assert {check.kind for check in config.checks.values()} == {kind.kind}
    assert mistakes(kind.example) == []


def test_the_repository_s_config_is_good_for_an_editor() -> None:
    assert mistakes((ROOT / "config.yaml").read_text("utf-8")) == []


@pytest.mark.parametrize(
    "check",
    [
        "{kind: http, url: http://h/, expect: {status: 2xx, body: {contains: ok, matches: [a, b]}, http_version: 1.1}}",
        "{kind: http, url: http://h/, interval: '${I}', expect: {status: [200, 204-206], http_version: '${V}'}}",
        "{kind: tcp, address: h:1, tls: true}",
        "{kind: tcp, address: h:1, tls: {server_name: h}, dialogue: [{send: hello}]}",
        "{kind: postgres, host: h, user: u, port: '${PORT}', capacity: {app: 50GiB}}",
        "{kind: langfuse, url: http://h/, by: [model, environment], window: 1d}",
    ],
)
def test_the_schema_knows_what_is_right(check: str) -> None:
    assert mistakes(f"checks: {{a: {check}}}") == []


@pytest.mark.parametrize(
    ("check", "mistake"),
    [
        ("{url: http://h/}", "$.checks.a: 'kind' is a required property"),
        (
            "{kind: htpp}",
            "$.checks.a.kind: 'htpp' is not one of ['http', 'langfuse', 'postgres', 'redis', 's3', 'tcp']",
        ),
        ("{kind: tcp}", "$.checks.a: 'address' is a required property"),
        (
            "{kind: tcp, address: h:1, port: 1}",
            "$.checks.a: Additional properties are not allowed ('port' was unexpected)",
        ),
        (
            "{kind: tcp, address: h:1, interval: 15}",
            "$.checks.a.interval: 15 is not valid under any of the given schemas",
        ),
        (
            "{kind: postgres, capacity: {app: 50}}",
            "$.checks.a.capacity.app: 50 is not valid under any of the given schemas",
        ),
        (
            "{kind: s3, most_buckets: 5000}",
            "$.checks.a.most_buckets: 5000 is not valid under any of the given schemas",
        ),
    ],
)
def test_the_schema_knows_what_is_wrong(check: str, mistake: str) -> None:
    assert mistakes(f"checks: {{a: {check}}}") == [mistake]


def test_what_is_shipped_is_what_is_generated() -> None:
    assert tuple(read_reference()["kinds"]) == NAMES
