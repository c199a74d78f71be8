import os
from pathlib import Path

import pytest

from probe.config import Config, ConfigError
from probe.config.sources import LARGEST_SECRET
from tests.config.conftest import Load
from tests.config.kinds.web import Web


def team(text: str) -> str:
    return f"checks: {{a: {{kind: pack, labels: {{team: '{text}'}}}}}}"


def label(config: Config) -> str:
    return str(config.checks["a"].labels["team"])


def page(text: str) -> str:
    return f"checks: {{a: {{kind: web, url: 'http://a/', headers: {{key: '{text}'}}}}}}"


def header(config: Config) -> str:
    check = config.checks["a"]
    assert isinstance(check, Web)
    return check.headers["key"].get_secret_value()


def mistake(raised: pytest.ExceptionInfo[ConfigError]) -> str:
    return str(raised.value).partition(": ")[2]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${A}", "1"),
        ("x${A}y${A}", "x1y1"),
        ("${EMPTY}", ""),
        ("${EMPTY:-other}", "other"),
        ("${NONE:-other}", "other"),
        ("${NONE:-}", ""),
        ("${NONE:-${A}${EMPTY:-2}}", "12"),
        ("${A:?must be}", "1"),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$A costs 5$", "$A costs 5$"),
        ("^[a-z]+$", "^[a-z]+$"),
        ("${HARD}", "{x: 1}, [y] # ${A}\n- z"),
    ],
)
def test_expands_in_one_value_and_no_further(loaded: Load, written: str, meant: str) -> None:
    env = {"A": "1", "EMPTY": "", "HARD": "{x: 1}, [y] # ${A}\n- z"}
    assert label(loaded(team(written), env=env)) == meant


def test_a_field_reads_its_number_from_a_text(loaded: Load) -> None:
    config = loaded(
        "checks: {a: {kind: pack, failure_threshold: '${N}', interval: '${N}s', optional: '${B}'}}",
        env={"N": "7", "B": "true"},
    )
    check = config.checks["a"]
    assert (check.failure_threshold, check.interval, check.optional) == (7, 7.0, True)


def test_a_value_is_not_shown_where_a_number_was_due(loaded: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(
            "checks: {a: {kind: '${P}', interval: 3, needs: ['${P}']}, b: {kind: pack, interval: 'x${P}', "
            "labels: {x: '${file:${P}}', y: '${Q:?${P}}'}}}",
            env={"P": "hunter22"},
        )
    assert "hunter22" not in str(raised.value)
    assert "'x${P}' is not a duration" in str(raised.value)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "variable A is not set; set it, or give it a default: ${A:-…}"),
        ({"A": "\udcff"}, "the value of variable A is not UTF-8"),
        ({"A": "x" * 70 * 1024 * 1024}, "all variables together expand to more than 64 MiB"),
    ],
)
def test_a_variable_without_a_usable_value(loaded: Load, env: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(team("${A}"), env=env)
    assert mistake(raised) == message


def test_what_hides_what(loaded: Load) -> None:
    files = {
        "config.yaml": "env_file: [one.env, two.env]\n" + team("${A} ${B} ${C} ${D} ${E}"),
        ".env": "A=beside\nB=beside\nC=beside\nD=beside\nE=beside",
        "one.env": "B=one\nC=one\nD=one\nE=one",
        "two.env": "C=two\nD=two\nE=two",
        "operators.env": "D=operator\nE=operator",
    }
    config = loaded(files, env={"E": "real"}, env_files=("operators.env",))
    assert label(config) == "beside one two operator real"


def test_the_dotenv_of_a_folder_is_for_its_configs(loaded: Load) -> None:
    files = {
        "one/a.yaml": "checks: {a: {kind: pack, labels: {x: '${A}'}}}",
        "one/.env": "A=1",
        "two/b.yaml": "checks: {b: {kind: pack, labels: {x: '${A}'}}}",
        "two/.env": "A=2",
    }
    config = loaded(files, "one", "two")
    assert [check.labels["x"] for check in config.checks.values()] == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  export A = 1 ", "1"),
        ("A: 1", "1"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=1 # one", "1"),
        ("A=1#1", "1#1"),
        ("A=#1", "#1"),
        ("A=a b", "a b"),
        ("A=it's", "it's"),
        ("A='$B ${B} \\' # x'", "$B ${B} ' # x"),
        ("A='two\nlines' # x", "two\nlines"),
        ('A="$B ${B:-3} \\$B \\n\\t\\"\\\\ \\d"', '2 2 $B \n\t"\\ \\d'),
        ("A=$B${C:-3}$$", "23$"),
        ("A=0\r\nA=1\r\n", "1"),
        ("\ufeffA=1", "1"),
        ("# x\n\n   # y\nA=1\nC", "1"),
    ],
)
def test_reads_env_files_as_compose_does(loaded: Load, line: str, value: str) -> None:
    assert label(loaded({"config.yaml": team("${A}"), ".env": line}, env={"B": "2"})) == value


def test_says_where_an_env_file_is_wrong_and_not_what_stands_there(loaded: Load) -> None:
    files = {"config.yaml": team("x"), ".env": 'A=1\nhunter22\nTHE SECRET hunter22\n\nB=\'hunter22\nC="hunter" 22\n'}
    with pytest.raises(ConfigError) as raised:
        loaded(files)
    assert str(raised.value).splitlines() == [
        f".env:{line}:1: this line is no NAME=value, or its quotes do not match" for line in (3, 5, 6)
    ]


def test_an_unset_variable_in_an_env_file_matters_to_who_uses_it(loaded: Load) -> None:
    files = {"config.yaml": team("${B}"), ".env": "A=$NONE\nB=1"}
    assert label(loaded(files)) == "1"
    with pytest.raises(ConfigError) as raised:
        loaded({**files, "config.yaml": team("${A}")})
    assert mistake(raised) == "variable NONE is not set; set it, or give it a default: ${NONE:-…} (in .env:1:1, for A)"


def test_an_env_file_can_not_read_files(loaded: Load) -> None:
    with pytest.raises(ConfigError, match="is no variable"):
        loaded({"config.yaml": team("${A}"), ".env": "A=${file:x}", "x": "y"})


def test_a_secret_file_beside_the_config_less_one_newline(loaded: Load) -> None:
    config = loaded({"config.yaml": page("${file:secrets/x}"), "secrets/x": "a\n\n"})
    assert header(config) == "a\n"


@pytest.mark.parametrize(
    ("config", "mistake"),
    [
        ("{kind: pack, labels: {team: 'of ${file:x}'}}", "config.yaml:1:35: a label"),
        ("{kind: sql, gauges: {a: ''}, help: 'of ${file:x}'}", "config.yaml:1:10: the name and the help of a metric"),
    ],
)
def test_a_secret_file_is_not_for_what_everybody_is_shown(loaded: Load, config: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded({"config.yaml": f"checks: {{a: {config}}}", "x": "hunter22"})
    told = "is shown to everybody, and what ${file:…} brings is secret; write it out, or use ${VAR}"
    assert str(raised.value) == f"{mistake} {told}"


@pytest.mark.parametrize("link", ["link", "folder/x"])
def test_a_link_out_of_the_folder_needs_the_operators_leave(
    loaded: Load, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, link: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x").write_text("hunter22")
    (tmp_path / "link").symlink_to(outside / "x")
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "loop").symlink_to("loop")
    config = page(f"${{file:{link}}}")
    with pytest.raises(ConfigError, match=r"outside of the config's folder .* --allow files"):
        loaded(config)
    assert header(loaded(config, allow=frozenset(["files"]))) == "hunter22"
    with pytest.raises(ConfigError, match="can't be read: too many levels of symbolic links"):
        loaded(team("${file:loop}"))


def test_a_dotenv_that_leads_out_of_the_folder_needs_it_too(
    loaded: Load, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "x.env"
    outside.write_text("A=1")
    (tmp_path / ".env").symlink_to(outside)
    with pytest.raises(ConfigError, match=r'^.env: ".env" is outside of'):
        loaded(team("x"))
    assert label(loaded(team("${A}"), allow=frozenset(["files"]))) == "1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x" * (LARGEST_SECRET + 1), '"x" can\'t be read: it is larger than 1 MiB'),
        (b"\xff", '"x" can\'t be read: it is not UTF-8'),
        (b"\n", '"x" is empty; a secret should stand in it'),
    ],
)
def test_a_secret_that_is_none(loaded: Load, content: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded({"config.yaml": team("${file:x}"), "x": content})
    assert mistake(raised) == message


def test_a_pipe_in_place_of_a_secret_does_not_hang(loaded: Load, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    with pytest.raises(ConfigError, match="it is no regular file"):
        loaded(team("${file:x}"))


def test_a_folder_of_python_named_env_is_no_env_file(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert label(loaded(team("x"))) == "x"


def test_a_secret_that_can_not_be_read(loaded: Load, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (tmp_path / "x").write_text("y")
    (tmp_path / "x").chmod(0)
    with pytest.raises(ConfigError, match="can't be read: permission denied"):
        loaded(team("${file:x}"))
