"""`probe kinds`, for people, in a pipe and for machines."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from probe.cli import kinds, probe

DRIVERS = ("asyncpg", "botocore", "aioboto3", "redis", "langfuse", "httpx", "aiohttp")


def call(*arguments: str, columns: int = 100) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(probe, ["kinds", *arguments])


def line(result: Result, start: str) -> list[str]:
    return next(found for found in result.stdout.splitlines() if found.startswith(start)).split("\t")


def test_lists_the_kinds_one_a_line_in_a_pipe() -> None:
    result = call()
    assert result.exit_code == 0
    assert [found.split("\t")[0] for found in result.stdout.splitlines()] == [
        "http",
        "langfuse",
        "postgres",
        "redis",
        "s3",
        "tcp",
    ]
    assert line(result, "tcp") == [
        "tcp",
        "none needed",
        "Opens a connection, encrypts it if told to, and holds a dialogue of lines.",
    ]
    assert line(result, "redis")[1] == "installed"


def test_says_how_to_install_a_driver_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "is_installed", lambda kind: not kind["extra"])
    assert line(call(), "redis")[1] == "pip install 'stackprobe[redis]'"
    assert "Its driver is not installed: pip install 'stackprobe[redis]'" in call("redis", "--output", "table").stdout
    assert json.loads(call("redis", "-o", "json").stdout)["kinds"]["redis"]["installed"] is False


def test_shows_a_kind_in_a_pipe_one_thing_a_line() -> None:
    result = call("redis")
    assert result.exit_code == 0
    assert line(result, "port") == [
        "port",
        "whole number from 1 to 65535",
        "TCP port, when there is no url.",
        "default 6379",
    ]
    assert line(result, "clients_ratio")[1::2] == ["gauge", "warn > 0.8"]
    assert line(result, "database_keys\t")[1] == "gauge {db}"
    assert line(result, "auth")[2].startswith("Login or permission. NOAUTH")
    assert "\nPERMISSIONS\nACL SETUSER probe on >PASSWORD" in result.stdout
    assert "\nEXAMPLE\nchecks:\n  cache:\n    kind: redis\n" in result.stdout
    assert "\nFIELDS OF EVERY KIND\ninterval\tduration\t" in result.stdout


def test_shows_surveys_and_what_is_required() -> None:
    assert "METRICS OF THE SURVEY drives (MinIO's drives" in call("s3").stdout
    assert "Every drives_interval (1m), at most drives_timeout (10s).)" in call("s3").stdout
    assert line(call("http"), "url")[3] == "required"
    assert "Its fields may declare more metrics" in call("postgres").stdout
    assert "PERMISSIONS" not in call("tcp").stdout


@pytest.mark.parametrize("kind", ["http", "langfuse", "postgres", "redis", "s3", "tcp"])
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_lost_on_a_terminal_of_any_width(kind: str, columns: int) -> None:
    result = call(kind, "--output", "table", columns=columns)
    assert result.exit_code == 0
    shown = "".join(result.stdout.split())
    document = json.loads(call(kind, "--output", "json").stdout)["kinds"][kind]
    assert "".join(document["example"].split()) in shown
    for title in ("EXAMPLE", "FIELDS", "METRICS", "REASONS", "FIELDS OF EVERY KIND"):
        assert title in result.stdout
    if columns > 40:
        assert [row["name"] for row in document["fields"] if row["name"] not in result.stdout] == []
        assert [metric["key"] for metric in document["metrics"] if metric["key"] not in result.stdout] == []


def test_the_list_for_people_fits_a_narrow_terminal() -> None:
    result = call("--output", "table", columns=60)
    assert max(len(found) for found in result.stdout.splitlines() if "probe kinds" not in found) <= 60
    assert result.stdout.splitlines()[0].split() == ["KIND", "DRIVER"]


def test_json_has_the_same_shape_for_one_kind_and_for_all() -> None:
    everything, one = (json.loads(call(*some, "--output", "json").stdout) for some in ((), ("s3",)))
    assert list(everything["kinds"]) == ["http", "langfuse", "postgres", "redis", "s3", "tcp"]
    assert one == {**everything, "kinds": {"s3": everything["kinds"]["s3"]}}
    assert one["version"] == 1
    assert one["kinds"]["s3"]["surveys"][0]["interval"] == {"field": "usage_interval", "default": "15m"}


def test_an_unknown_kind_is_a_mistake_with_a_suggestion() -> None:
    result = call("postgers")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        'Error: Invalid value for KIND: no kind "postgers"; did you mean "postgres"?'
    )


def test_no_driver_is_imported_to_read_about_it() -> None:
    program = (
        "import sys\n"
        "from probe.cli import main\n"
        "try:\n"
        "    main(['kinds', 'redis'])\n"
        "finally:\n"
        f"    print(sorted(set({DRIVERS!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("redis: Does it answer")
    assert done.stderr.strip() == "[]"
