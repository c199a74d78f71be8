"""The repository's config.yaml: the example that people copy, and that the demo runs."""

import re
import shutil
from pathlib import Path

import pytest

from probe.config import Config, ConfigError, load
from probe.registry import Registry

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config.yaml"
VARIABLES = dict.fromkeys(re.findall(r"^(\w+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE), "x")


def loaded(folder: Path, text: str, variables: dict[str, str]) -> Config:
    """The config, away from whatever stands beside the repository's."""
    path = folder / "config.yaml"
    path.write_text(text)
    return load([path], allow=frozenset(), environ=variables)


def test_it_is_good_with_the_variables_of_env_example(tmp_path: Path) -> None:
    config = loaded(tmp_path, CONFIG.read_text(), VARIABLES)
    assert sorted({check.kind for check in config.checks.values()}) == sorted(Registry().names()), "one of each kind"
    assert config.checks["api"].needs == ("db", "cache")
    assert config.checks["front"].optional
    assert [limit.level for limit in config.checks["bucket"].limits if limit.by_user] == ["fail"]
    assert all(check.interval == 15.0 for check in config.checks.values())


def test_env_example_names_every_variable_without_a_default_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, CONFIG.read_text(), {})
    told = re.findall(r"^\S+ variable (\w+) is not set: put it into \.env$", str(refused.value), re.MULTILINE)
    assert sorted(set(told)) == sorted(VARIABLES)
    assert len(told) == len(str(refused.value).splitlines())


def test_env_example_filled_in_works_as_env(tmp_path: Path) -> None:
    filled = re.sub(r"=$", "=secret", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(filled)
    assert loaded(tmp_path, CONFIG.read_text(), {}).checks


def test_what_is_commented_out_is_good_too(tmp_path: Path) -> None:
    head, hash_web, tail = CONFIG.read_text().partition("# web:")
    settings = re.sub(r"^# ?", "", hash_web + tail, flags=re.MULTILINE)
    (tmp_path / "password").write_text("s3cret")
    settings = settings.replace("/run/secrets/probe_password", "password")
    config = loaded(tmp_path, head + settings, VARIABLES)
    assert config.web.address == ("0.0.0.0", 10115)
    assert config.web.basic is not None
    assert config.web.basic.password.get_secret_value() == "s3cret"
    assert config.state_dir is not None


def test_editors_find_its_schema() -> None:
    named = re.search(r"\$schema=(\S+)", CONFIG.read_text())
    assert named is not None
    assert (ROOT / named[1]).is_file()


def test_the_wheel_has_it_too(tmp_path: Path) -> None:
    shutil.copy(CONFIG, tmp_path)
    included = re.search(r'^"config.yaml" = "(\S+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert included is not None
    assert included[1] == "probe/demo/config.yaml", "where probe.demo.run.example looks for it"
