"""What all commands share: help, versions, misspelt names, where the config is and what it may do."""

import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from probe.cli import COMMANDS
from tests.cli.processes import COMMAND, Ended, called, environment, probe, written

TCP = "checks:\n  {name}: {{kind: tcp, address: '{address}'}}\n"


def last_line(ended: Ended) -> str:
    return (ended.out + ended.err).splitlines()[-1]


def test_help_lists_every_command_and_each_has_help_of_its_own() -> None:
    listed = called("--help").out.partition("Commands:\n")[2]
    assert re.findall(r"^  (\w+) ", listed, re.MULTILINE) == list(COMMANDS)
    for name in COMMANDS:
        result = called(name, "-h")
        assert result.code == 0
        assert result.out.startswith(f"Usage: probe {name} ")
        assert len(result.out.splitlines()) > 5


def test_version(tmp_path: Path) -> None:
    assert probe("--version", folder=tmp_path) == Ended(0, f"probe, version {version('stackprobe')}\n", "")


def test_a_misspelt_command_is_a_usage_error_with_a_suggestion(tmp_path: Path) -> None:
    ended = probe("chek", folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == 'Error: no command "chek"; did you mean "check"?'
    assert last_line(called("zzz")) == f'Error: no command "zzz"; there are: {", ".join(sorted(COMMANDS))}'


def test_a_config_may_be_a_folder_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    written(tmp_path / "conf.d", TCP.format(name="a", address="a:1"), "a.yaml")
    written(tmp_path / "conf.d", TCP.format(name="b", address="b:1"), "b.yaml")
    path = written(tmp_path, TCP.format(name="c", address="${C_ADDRESS}"), "c.yaml")
    env = written(tmp_path, "C_ADDRESS=c:1\n", "c.env")
    folder = str(tmp_path / "conf.d")
    assert called("validate", "-c", folder, "-c", str(path), "--env-file", str(env)).out == (
        "the config is good: 3 checks (tcp)\n"
    )
    assert called("validate", "-c", folder, "-c", str(path)).code == 2


def test_a_config_reads_files_elsewhere_only_when_the_operator_allows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = written(tmp_path, "s3cret", "secret")
    (tmp_path / "conf").mkdir()
    page = f"checks:\n  a: {{kind: http, url: 'http://a/', bearer: '${{file:{secret}}}'}}\n"
    path = str(written(tmp_path / "conf", page))
    refused = called("validate", "-c", path)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--allow files" in refused.err
    assert called("validate", "-c", path, "--allow", "files").code == 0
    monkeypatch.setenv("PROBE_ALLOW", "command, files")
    assert called("validate", "-c", path).code == 0
    assert last_line(called("validate", "-c", path, "--allow", "everything")) == (
        "Error: Invalid value for '--allow': no allowance \"everything\"; there are: files, command, kinds"
    )


@pytest.mark.parametrize("command", ["run", "demo"])
@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "127.0.0.1:99999", ""])
def test_an_address_that_is_none_is_told_before_anything_starts(command: str, address: str) -> None:
    assert last_line(called(command, "--listen", address)) == (
        "Error: Invalid value for '--listen': must be host:port, as in 127.0.0.1:10115 or :10115"
    )


def test_a_reader_that_goes_away_is_no_reason_to_complain(tmp_path: Path) -> None:
    gone, pipe = os.pipe()
    os.close(gone)
    with os.fdopen(pipe, "w") as out:
        done = subprocess.run([*COMMAND, "--help"], env=environment(), stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b""
