"""What is said of options: who mistakes one for another may have typed a login."""

from pathlib import Path
from urllib.parse import quote

import pytest

from probe.cli import COMMANDS
from tests.cli.processes import called
from tests.secrets.leaks import Detector, nasty

MARK = nasty("typed")
ESCAPED = quote(MARK, safe="")
URL = f"https://visitor:{ESCAPED}@127.0.0.1:1/?token={ESCAPED}"
DETECTOR = Detector({"typed": [MARK, ESCAPED]})
OPTIONS = (
    *("--allow", "--break", "--config", "--env-file", "--explain", "--kind", "--label", "--listen", "--log-level"),
    *("--nothing", "--output", "--strict", "--surveys", "--url"),
)


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text("checks: {a: {kind: tcp, address: '127.0.0.1:1'}}\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("options", [(), *((option,) for option in OPTIONS)])
def test_a_url_where_none_belongs(command: str, options: tuple[str, ...]) -> None:
    ended = called(command, *options, URL)
    assert ended.code == 2
    assert DETECTOR.leaks(ended.out + ended.err) == []


def test_a_url_in_place_of_a_command() -> None:
    for word in (URL, f"--{URL}", f"--url={URL}"):
        ended = called(word)
        assert ended.code == 2
        assert DETECTOR.leaks(ended.out + ended.err) == []


def test_what_is_wrong_is_still_told() -> None:
    url = f"http://visitor:{ESCAPED}@127.0.0.1:1/"
    assert called("check", url).err.endswith('no check "http://***@127.0.0.1:1/"; there are: a\n')
    assert called("validate", "-c", url).err == "http:/***@127.0.0.1:1: can't be read: no such file or directory\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_knows_no_secret_of_the_environment(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_ALLOW", URL)
    monkeypatch.setenv("DB_PASSWORD", MARK)
    ended = called(command, "-h")
    assert ended.code == 0
    assert DETECTOR.leaks(ended.out) == []
