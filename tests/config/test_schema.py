import jsonschema
import pytest
import yaml

from probe.config.schema import schema, write_seconds, write_size
from tests.config.conftest import REGISTRY

SCHEMA = schema([REGISTRY.find(kind) for kind in ("web", "sql", "pack")])
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def mistakes(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_is_a_schema_with_one_definition_a_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert {"web", "sql", "pack"} <= SCHEMA["$defs"].keys()
    assert SCHEMA["$defs"]["web"]["properties"]["kind"] == {"const": "web"}
    assert "name" not in SCHEMA["$defs"]["web"]["properties"]


def test_shows_defaults_as_people_write_them() -> None:
    properties = SCHEMA["$defs"]["web"]["properties"]
    assert properties["interval"]["default"] == "15s"
    assert properties["usage_interval"]["default"] == "5m"
    assert properties["max_body"]["default"] == "10MiB"
    assert properties["url"]["description"] == "Address of the page."
    assert SCHEMA["properties"]["defaults"]["properties"]["timeout"]["default"] == "5s"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "checks: {a: {kind: web, url: http://h/, interval: 1h30m, login: {username: a, password: b}}}",
        "checks: {a: {kind: web, url: '${URL}', interval: '${I}', failure_threshold: '${N}', optional: '${O:-true}'}}",
        "checks: {a: {kind: web, url: u, expect: {status: [200, 201], json: {a: [1]}}, max_body: 5MB, share: 80%}}",
        "checks: {a: {kind: sql, gauges: {orders: status}}}",
        "x-anything: [1]\nweb: {listen: ':80', bearer_token: '${T}'}\nstate_dir: s\nenv_file: a.env",
        "env_file: [a.env]\ndefaults: {interval: 30s, labels: {team: core}}",
    ],
)
def test_knows_what_is_right(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("check: {}", "$"),
        ("checks: {a: {url: http://h/}}", "$.checks.a"),
        ("checks: {a: {kind: wbe}}", "$.checks.a.kind"),
        ("checks: {a: {kind: web, url: u, intervall: 5s}}", "$.checks.a"),
        ("checks: {a: {kind: web, url: u, interval: 5}}", "$.checks.a.interval"),
        ("checks: {a: {kind: web, url: u, interval: 5 min}}", "$.checks.a.interval"),
        ("checks: {a: {kind: web, url: u, method: PUT}}", "$.checks.a.method"),
        ("checks: {'a b': {kind: web, url: u}}", "$.checks"),
        ("defaults: {url: u}", "$.defaults"),
        ("web: {listen: 5}", "$.web.listen"),
    ],
)
def test_knows_what_is_wrong(text: str, place: str) -> None:
    assert mistakes(text) == [place]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.5, "500ms"), (15.0, "15s"), (300, "5m"), (5400, "1h30m"), (90061.001, "1d1h1m1s1ms")],
)
def test_writes_durations(seconds: float, text: str) -> None:
    assert write_seconds(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (512, "512B"), (1000, "1KB"), (10 * 1024.0**2, "10MiB"), (5e10, "50GB"), (1500, "1500B")],
)
def test_writes_sizes(size: float, text: str) -> None:
    assert write_size(size) == text
