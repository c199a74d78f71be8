"""What the tests of the config share: a way to write files and load them with the tiny kinds of `kinds/`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from probe.config import Config, load
from probe.registry import Registry

REGISTRY = Registry(["tests.config.kinds"])
Load = Callable[..., Config]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Write files into an empty folder (text or bytes by name) and load those that are asked for."""
    monkeypatch.chdir(tmp_path)

    def write_and_load(
        files: str | bytes | Mapping[str, str | bytes],
        *paths: str,
        env: Mapping[str, str] | None = None,
        allow: frozenset[str] = frozenset(),
        env_files: tuple[str, ...] = (),
    ) -> Config:
        by_name = files if isinstance(files, Mapping) else {"config.yaml": files}
        for name, content in by_name.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return load(
            [Path(path) for path in paths or ("config.yaml",)],
            allow=allow,
            environ=env or {},
            env_files=[Path(path) for path in env_files],
            registry=REGISTRY,
        )

    return write_and_load
