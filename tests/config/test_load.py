from pathlib import Path

import pytest

from probe.config import ConfigError, Web, changed
from tests.config.conftest import Load

API = "checks:\n  api: {kind: web, url: http://h/}\n"


def mistakes(raised: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return str(raised.value).splitlines()


def test_a_whole_config(loaded: Load) -> None:
    config = loaded(
        """
        web: {listen: ":8080", basic: {username: ann, password: hunter22}, tls: {cert: web.pem, key: web.key}}
        state_dir: states
        defaults: {interval: 30s, labels: {team: core}, warn: {probe_duration_seconds: "> 1s"}}
        x-login: &login {username: app, password: hunter22}
        checks:
          db: {kind: sql, gauges: {orders: status}}
          api:
            kind: web
            url: http://h/
            login: *login
            needs: [db]
            labels: {tier: "1"}
            warn: {used_ratio: off}
            fail: {"size_bytes{datname=app}": "> 50GiB"}
            max_duration: 500ms
        """
    )
    assert list(config.checks) == ["db", "api"]
    api, db = config.checks["api"], config.checks["db"]
    assert (api.name, api.interval, api.needs) == ("api", 30.0, ("db",))
    assert api.labels == {"team": "core", "tier": "1"}
    assert db.labels == {"team": "core"}
    assert [(limit.metric, limit.op, limit.bound, limit.level) for limit in api.limits] == [
        ("probe_duration_seconds", ">", 0.5, "fail"),
        ("probe_duration_seconds", ">", 1.0, "warn"),
        ("probe_web_size_bytes", ">", 50 * 1024.0**3, "fail"),
    ]
    assert config.web.address == ("", 8080)
    assert config.web.tls is not None
    assert config.web.tls.cert == Path.cwd() / "web.pem"
    assert config.state_dir == Path.cwd() / "states"
    assert "hunter22" not in repr(config)


def test_defaults_of_the_agent(loaded: Load) -> None:
    config = loaded(API)
    assert (config.web, config.state_dir) == (Web(), None)
    assert config.web.address == ("127.0.0.1", 10115)
    assert loaded("web: {listen: '[::1]:0'}\n" + API).web.address == ("::1", 0)


def test_a_config_can_not_be_changed(loaded: Load) -> None:
    config = loaded(API)
    with pytest.raises(TypeError):
        config.checks["api"] = config.checks["api"]  # type: ignore[index]


@pytest.mark.parametrize("word", ["off", "on", "no", "1:30", "2026-11-20", "0777o", "1_000", "<<", "="])
def test_words_that_yaml_1_1_would_take_for_something_else_stay_text(loaded: Load, word: str) -> None:
    check = loaded(f"checks: {{a: {{kind: web, url: u, expect: {{json: {word}}}}}}}").checks["a"]
    assert check.expect.json_ == word  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("null", None),
        ("~", None),
        ("-12", -12),
        ("0x1f", 31),
        ("0o17", 15),
        ("007", 7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("!!str 5", "5"),
        ("'5'", "5"),
    ],
)
def test_words_of_the_core_schema(loaded: Load, word: str, value: object) -> None:
    assert loaded(f"checks: {{a: {{kind: web, url: u, expect: {{json: {word}}}}}}}").checks["a"].expect.json_ == value  # type: ignore[attr-defined]


def test_merge_keys_and_anchors(loaded: Load) -> None:
    config = loaded(
        """
        x-slow: &slow {interval: 1m, timeout: 20s}
        x-web: &web {kind: web, url: http://h/, timeout: 1s}
        checks:
          one: *web
          two: {<<: *web, timeout: 2s}
          three: {<<: [*slow, *web]}
        """
    )
    assert [(check.interval, check.timeout) for check in config.checks.values()] == [(15, 1), (15, 2), (60, 20)]


def test_a_folder_in_order_and_defaults_for_their_own_file(loaded: Load) -> None:
    config = loaded(
        {
            "conf/20.yaml": "defaults: {interval: 30s}\nchecks: {b: {kind: pack, needs: [a]}}",
            "conf/10.yaml": "checks: {a: {kind: pack}}",
            "conf/.hidden.yaml": "[",
            "web.yaml": "web: {listen: ':1'}",
        },
        "web.yaml",
        "conf",
        "conf/10.yaml",
    )
    assert {name: check.interval for name, check in config.checks.items()} == {"a": 15, "b": 30}
    assert config.web.listen == ":1"


def test_every_mistake_of_every_file_in_the_order_of_places(loaded: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(
            {"b.yaml": "checks: {a: {kind: pack}, b: {kind: pack, x: 1}}", "a.yaml": "[", "c.yaml": "chekcs: {}"},
            "c.yaml",
            "b.yaml",
            "a.yaml",
        )
    assert mistakes(raised) == [
        "a.yaml:2:1: not YAML: a value is missing before this",
        'b.yaml:1:43: unknown key "x"; there are: fail, failure_threshold, histogram, interval, kind, labels, needs, '
        "optional, retry_interval, start_period, success_threshold, timeout, warn",
        'c.yaml:1:1: unknown key "chekcs"; did you mean "checks"?',
    ]


def test_a_default_that_is_wrong_is_told_once(loaded: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded("defaults: {interval: 5, timeout: 20s}\nchecks: {a: {kind: pack}, b: {kind: pack}}")
    assert mistakes(raised)[0] == "config.yaml:1:22: 5 lacks a unit; write 15s, 5m or 1h30m"
    assert [line.partition(": ")[0] for line in mistakes(raised)] == ["config.yaml:1:22"]


def test_knows_which_of_its_files_changed(loaded: Load, tmp_path: Path) -> None:
    files = {
        "conf/a.yaml": "checks: {a: {kind: web, url: http://h/, token: '${file:token}'}}",
        "conf/token": "12345678",
    }
    config = loaded(files, "conf")
    assert changed(config.sources) == []
    (tmp_path / "conf" / "token").write_text("87654321")
    (tmp_path / "conf" / ".env").write_text("A=1")
    assert [path.name for path in changed(config.sources)] == [".env", "token"]
    (tmp_path / "conf" / "b.yaml").write_text(API)
    assert "conf" in [path.name for path in changed(config.sources)]


def test_a_config_that_is_wrong_knows_its_files_too(loaded: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded("checks: [")
    assert changed(raised.value.sources) == []
    (tmp_path / "config.yaml").write_text(API)
    assert [path.name for path in changed(raised.value.sources)] == ["config.yaml"]


def test_a_byte_order_mark_and_windows_lines(loaded: Load) -> None:
    assert list(loaded(b"\xef\xbb\xbfchecks:\r\n  a:\r\n    kind: pack\r\n").checks) == ["a"]
    with pytest.raises(ConfigError) as raised:
        loaded(b"\xef\xbb\xbfchecks:\r\n  a:\r\n    kind: pakc\r\n")
    assert mistakes(raised) == ['config.yaml:3:11: no kind "pakc"; did you mean "pack"?']


def test_what_came_from_a_secret_file_is_masked_by_the_check(loaded: Load) -> None:
    config = loaded({"config.yaml": "checks: {a: {kind: web, url: 'http://${file:key}/'}}", "key": "s3cret\n"})
    assert config.checks["a"].url == "http://s3cret/"  # type: ignore[attr-defined]
    assert "s3cret" not in repr(config)
    assert config.checks["a"].redact("czNjcmV0 or s3cret") == "*** or ***"
