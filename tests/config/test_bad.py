"""Every rule of a config by a small file that breaks it, with the whole message beside it (`bad/`)."""

import re
from pathlib import Path

import pytest
import yaml

from probe.config import ConfigError, load, reader
from tests.config.conftest import REGISTRY, Load

BAD = Path(__file__).parent / "bad"
RULES = sorted(path.stem for path in BAD.glob("*.txt"))


def complaints(path: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        load([path], allow=frozenset(), environ={"PASSWORD": "hunter22"}, registry=REGISTRY)
    return str(raised.value)


@pytest.mark.parametrize("rule", RULES)
def test_says_what_is_wrong_where_and_how_to_mend_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    path = Path(rule) if Path(rule).is_dir() else Path(f"{rule}.yaml")
    assert complaints(path) + "\n" == (BAD / f"{rule}.txt").read_text()


def test_every_bad_config_has_its_message_and_none_shows_a_secret() -> None:
    assert len(RULES) > 100
    assert {path.stem for path in BAD.iterdir()} == set(RULES)
    assert not [rule for rule in RULES if "hunter" in (BAD / f"{rule}.txt").read_text()]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.startswith("yaml-")])
def test_is_as_plain_without_libyaml(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own parser words its errors otherwise and may see them a character later; ours stay the same."""
    monkeypatch.chdir(BAD)
    monkeypatch.setattr(reader, "LOADER", yaml.SafeLoader)
    place = re.compile(r":\d+:\d+: ", re.MULTILINE)
    expected = (BAD / f"{rule}.txt").read_text().removesuffix("\n")
    assert place.sub(": ", complaints(Path(f"{rule}.yaml"))) == place.sub(": ", expected)


def test_a_file_over_16_mb(loaded: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded("#" * (16 * 1024 * 1024 + 1))
    assert str(raised.value) == "config.yaml: larger than 16 MB; split it into a folder of files"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_that_would_blow_the_stack(loaded: Load, opening: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded("x: " * (opening in "[{a: ") + opening * 100_000)
    assert re.fullmatch(r"config.yaml:1:\d+: nested deeper than 60 levels", str(raised.value))


def test_aliases_that_expand_to_millions_through_merge_keys(loaded: Load) -> None:
    lines = ["x-0: &m0 {" + ", ".join(f"k{i}: {i}" for i in range(1000)) + "}"]
    lines += [f"x-{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 100)}], n{i}: 1}}" for i in range(1, 50)]
    with pytest.raises(ConfigError, match=r"more than 1,000,000 keys and values, aliases expanded"):
        loaded("\n".join(lines))


def test_more_than_20000_checks(loaded: Load) -> None:
    text = "checks:\n" + "".join(f"  c{i}: {{kind: pack}}\n" for i in range(20_001))
    with pytest.raises(ConfigError) as raised:
        loaded(text)
    assert str(raised.value) == "config.yaml:20002:3: more than 20,000 checks; run a second agent"


def test_a_flood_of_mistakes_is_counted(loaded: Load) -> None:
    text = "checks:\n" + "".join(f"  c{i}: {{kind: pack, x: 1}}\n" for i in range(1_000))
    with pytest.raises(ConfigError) as raised:
        loaded(text)
    assert len(raised.value.complaints) == 1_000
    assert str(raised.value).splitlines()[-1] == "and 900 more"


def test_a_file_that_is_not_there(loaded: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded({}, "config.yaml", env_files=("operators.env",))
    assert str(raised.value).splitlines() == [
        "config.yaml: can't be read: no such file or directory",
        "operators.env: can't be read: no such file or directory",
    ]


def test_a_key_that_would_paint_the_terminal(loaded: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded('checks: {a: {kind: pack, "\\e[31m\\n": 1}}')
    assert '"\\x1b[31m\\n"' in str(raised.value)


@pytest.mark.parametrize("value", ["{x}", "{{x}}", "{0}"])
def test_braces_in_a_wrong_quantity(loaded: Load, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(f"checks: {{a: {{kind: pack, interval: '{value}'}}}}")
    assert str(raised.value).startswith(f"config.yaml:1:36: '{value}' is not a duration")
