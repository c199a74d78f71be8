"""Whatever stands in the files: a config or a ConfigError, never a traceback."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.config import ConfigError, load, reader
from tests.config.conftest import REGISTRY

WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        """
        checks defaults web env_file state_dir x-a kind sql url needs labels warn fail expect login password status <<
        interval timeout gauges a b 5s 0s >1 off ${A} ${B:-x} ${file:x} $ ${ [ used_ratio size_bytes{datname=a}
        http://u:p@h:x/?q=1
        """,
    )
)
SCALARS = WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | SCALARS, inner, max_size=4),
    max_leaves=20,
)
CHECKS = st.dictionaries(WORDS, st.dictionaries(WORDS, TREES, max_size=6).map(lambda fields: {"kind": "web", **fields}))
CONFIGS = st.fixed_dictionaries({"checks": CHECKS}, optional={"defaults": TREES, "web": TREES, "env_file": TREES})
PIECES = st.sampled_from(
    [
        *"a{}[]'\">#%\\\t\r\n\x00\x85\u2028é",
        "- ",
        ": ",
        ", ",
        "\n  ",
        "&a ",
        "*a",
        "<<: ",
        "!t ",
        "? ",
        "|\n",
        "---\n",
        "checks",
        "${A}",
    ]
)
LOADERS = [pytest.param(loader, id=loader.__name__) for loader in (reader.LOADER, yaml.SafeLoader)]
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def survives(folder: Path, content: bytes, dotenv: bytes = b"") -> None:
    (folder / "config.yaml").write_bytes(content)
    (folder / ".env").write_bytes(dotenv)
    with suppress(ConfigError):
        load([folder / "config.yaml"], allow=frozenset(), environ={"A": "1"}, registry=REGISTRY)


@pytest.fixture(params=LOADERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reader, "LOADER", request.param)
    return tmp_path


@MANY
@given(st.binary(max_size=200), st.binary(max_size=100))
def test_bytes(folder: Path, content: bytes, dotenv: bytes) -> None:
    survives(folder, content, dotenv)


@MANY
@given(st.lists(PIECES, max_size=30).map("".join))
def test_pieces_of_yaml(folder: Path, text: str) -> None:
    survives(folder, text.encode(), text.encode())


@MANY
@given(CONFIGS | TREES)
def test_yaml_that_is_nearly_a_config(folder: Path, tree: object) -> None:
    survives(folder, yaml.safe_dump(tree, allow_unicode=True).encode(errors="surrogatepass"))
