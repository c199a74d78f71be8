"""`probe validate`: a config is good, or all that is wrong with it is said; nothing is asked."""

from pathlib import Path

from tests.cli.processes import Ended, probe, written


def test_a_good_config(tmp_path: Path) -> None:
    written(tmp_path, "checks:\n  a: {kind: tcp, address: 'nowhere.invalid:1'}\n  b: {kind: http, url: 'http://b/'}\n")
    assert probe("validate", folder=tmp_path) == Ended(0, "the config is good: 2 checks (http, tcp)\n", "")
    written(tmp_path, "checks:\n  a: {kind: tcp, address: 'nowhere.invalid:1'}\n", "one.yaml")
    assert probe("validate", "-c", "one.yaml", folder=tmp_path).out == "the config is good: 1 check (tcp)\n"


def test_a_bad_config(tmp_path: Path) -> None:
    written(tmp_path, "checks:\n  a: {kind: tcp, address: 'a:1', interval: 5}\n  b: {kind: http, ulr: 'http://b/'}\n")
    assert probe("validate", folder=tmp_path) == Ended(
        2,
        "",
        "config.yaml:2:44: 5 lacks a unit; write 15s, 5m or 1h30m\n"
        'config.yaml:3:3: "url" is missing; it has no default\n'
        'config.yaml:3:19: unknown key "ulr"; did you mean "url"?\n',
    )
