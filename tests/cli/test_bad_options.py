"""Every option of every command with values that can't be: exit code 2, nothing printed, one line that says why."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from probe.cli import COMMANDS
from tests.cli.processes import called, probe, written

CONFIG = "checks: {a: {kind: tcp, address: '127.0.0.1:1', labels: {team: core}}}\n"
BAD: Mapping[str, tuple[str, ...]] = {
    "--config": ("nowhere.yaml", "empty", "bad.yaml", "x" * 5000),
    "--env-file": ("nowhere.env", ".", "x" * 5000),
    "--allow": ("everything", "files;kinds", "FILES"),
    "--kind": ("postgres", "", "TCP"),
    "--label": ("team", "team=edge", "=", ""),
    "--output": ("xml", "", "JSON", "table "),
    "--url": ("", "localhost", "http://", "ftp://a/", "http://a:99999/", "http://u:p@a/", "http://[::1", "http://a b/"),
    "--log-level": ("loud", "", "WARN"),
    "--listen": ("", "nowhere", "127.0.0.1:port", "127.0.0.1:65536", "a:b:1", "[::1:1"),
    "--break": ("", "everything"),
    "NAMES": ("b", "", "A"),
    "KIND": ("mongodb", "", "TCP"),
}
"""An option without bad values here, and no flag, fails the first test."""

BAD_CONFIGS = Path(__file__).parents[1] / "config" / "bad"
UNKNOWN = ("--no-such-option", "-Z", "--explain=yes")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROBE_ALLOW", raising=False)
    written(tmp_path, CONFIG)
    written(tmp_path, "checks: {a: {kind: tcp}}\n", "bad.yaml")
    (tmp_path / "empty").mkdir()
    return tmp_path


def parameters() -> Iterator[tuple[str, click.Parameter]]:
    """Every command's options and arguments, flags left out."""
    for name in COMMANDS:
        command = importlib.import_module(f"probe.cli.{name}").command
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False):
                yield name, parameter


def named(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return (parameter.name or "").upper()
    return max(parameter.opts, key=len)


CASES = [(command, named(parameter), bad) for command, parameter in parameters() for bad in BAD[named(parameter)]]


@pytest.mark.parametrize(("command", "option", "bad"), CASES)
def test_a_bad_value(command: str, option: str, bad: str, folder: Path) -> None:
    ended = called(command, *([option, bad] if option.startswith("-") else [bad]))
    assert (ended.code, ended.out) == (2, ""), ended
    assert "Traceback" not in ended.err
    told = [line for line in ended.err.splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert len(told) == 1, told
    assert told[0].isprintable()
    assert len(told[0]) < 700


@pytest.mark.parametrize("command", [*COMMANDS])
@pytest.mark.parametrize("unknown", UNKNOWN)
def test_an_unknown_option(command: str, unknown: str, folder: Path) -> None:
    ended = called(command, unknown)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("command", ["validate", "check", "run", "status"])
@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("{kind: http, url: 'a'}", "1:31: not a URL to ask; write http:// or https://, a host and perhaps a port"),
        (
            "{kind: http, url: 'http://a', headers: {'a b': c}}",
            "1:53: 'a b' is no name of a header; letters, digits and - make one",
        ),
        (
            "{kind: http, url: 'http://a', headers: {a: \"b\\nc\"}}",
            "1:53: a header can't hold a line break or another control character",
        ),
        ("{kind: redis}", "1:10: neither url nor host is given; write url: redis://host:6379/0"),
        (
            "{kind: postgres, dsn: 'mysql://a'}",
            "1:30: the dsn does not begin with postgresql://; write postgresql://user:password@host/database",
        ),
        (
            "{kind: langfuse, url: 'langfuse:3000'}",
            "1:30: url is no http address; write http:// or https://, a host and perhaps a port",
        ),
        (
            "{kind: s3, access_key: a}",
            "1:24: access_key and secret_key go together; give both, or neither for AWS' own chain",
        ),
        (
            "{kind: s3, buckets: [a/b]}",
            '1:34: "a/b" is no name of a bucket; letters, digits, ".", "_" and "-" make one',
        ),
        ("{kind: tcp, address: '[::1'}", "1:34: not an address; write host:port, or [::1]:22 for IPv6"),
        (
            "{kind: tcp, address: 'a:1', dialogue: [{expect: '[[a]'}]}",
            "1:61: '[[a]' is no regular expression: possible nested set at position 1; "
            "put a backslash before a bracket that is meant",
        ),
    ],
)
def test_a_bad_config(command: str, check: str, told: str, folder: Path) -> None:
    written(folder, f"checks: {{a: {check}}}\n")
    assert called(command) == (2, "", f"config.yaml:{told}\n")


def test_every_bad_config_there_is_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the test's own kinds the command knows none, and says so; what it says of the rest is held in tests/config."""
    monkeypatch.chdir(BAD_CONFIGS)
    rules = sorted(path for path in BAD_CONFIGS.iterdir() if path.suffix != ".txt")
    assert len(rules) > 100
    for path in rules:
        ended = called("validate", "-c", path.name)
        assert (ended.code, ended.out) == (2, ""), path.name
        assert ended.err.startswith(path.name)
        assert "Traceback" not in ended.err


def test_processes_say_it_as_plainly(folder: Path) -> None:
    for arguments in (["check", "b"], ["run", "--log-level", "loud"], ["validate", "-c", "nowhere.yaml"]):
        ended = probe(*arguments, folder=folder)
        assert (ended.code, ended.out) == (2, "")
        assert "Traceback" not in ended.err
