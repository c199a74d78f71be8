"""The config's files while the agent runs: read again when they change or when it is asked to."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from probe.agent import Following, following
from probe.config import Config, load
from tests.agent.stage import until

GOOD = "checks:\n  hall: {kind: tcp, address: '127.0.0.1:1'}\n"


class Files:
    """A config on disk, followed; `swapped` are those that came into force after the first."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.secret = folder / "secret"
        self.swapped: list[Config] = []
        self.reads = 0

    def read(self) -> Config:
        self.reads += 1
        return load([self.path], allow=frozenset(), environ={})

    async def swap(self, config: Config) -> None:
        self.swapped.append(config)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(following, "LOOK_EVERY", 0.02)
    files = Files(tmp_path)
    files.path.write_text(GOOD)
    return files


@asynccontextmanager
async def followed(files: Files) -> AsyncIterator[Following]:
    following = Following(files.read(), files.read, files.swap)
    task = asyncio.create_task(following.follow())
    try:
        yield following
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def reloads(following: Following) -> Callable[[], tuple[int, int, bool]]:
    return lambda: (following.reloads.ok, following.reloads.failed, following.reloads.last_is_ok)


async def test_a_changed_file_is_read_and_swapped_in(files: Files) -> None:
    async with followed(files) as following:
        since = following.reloads.in_force_since
        files.path.write_text(GOOD + "  attic: {kind: tcp, address: '127.0.0.1:2'}\n")
        await until(lambda: reloads(following)() == (2, 0, True))
        assert [*files.swapped[0].checks] == ["hall", "attic"]
        assert following.reloads.in_force_since > since


async def test_a_file_that_did_not_change_is_not_read_until_somebody_asks(files: Files) -> None:
    async with followed(files) as following:
        files.path.write_text(GOOD)
        await asyncio.sleep(0.1)
        assert files.reads == 1
        following.ask()
        await until(lambda: len(files.swapped) == 1)


async def test_a_bad_config_keeps_the_former_one_and_is_told_once(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(files) as following:
        files.path.write_text("checks:\n  hall: {kind: tpc, address: '127.0.0.1:1'}\n")
        await until(lambda: reloads(following)() == (1, 1, False))
        await asyncio.sleep(0.1)
        assert files.swapped == []
        assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
            "the config is bad and the former one stays in force:\n"
            f'{files.path}:2:16: no kind "tpc"; did you mean "tcp"?'
        ]
        files.path.write_text(GOOD)
        await until(lambda: reloads(following)() == (2, 1, True))


async def test_a_secret_file_that_changes_is_a_change(files: Files) -> None:
    files.secret.write_text("one")
    files.path.write_text("checks:\n  hall: {kind: http, url: 'http://127.0.0.1:1/', bearer: '${file:secret}'}\n")
    async with followed(files):
        files.secret.write_text("two")
        await until(lambda: len(files.swapped) == 1)
        bearer = getattr(files.swapped[0].checks["hall"], "bearer")  # noqa: B009  # a field of the kind
        assert bearer.get_secret_value() == "two"


async def test_a_file_that_vanishes_is_a_bad_config_and_its_return_a_good_one(files: Files) -> None:
    async with followed(files) as following:
        files.path.unlink()
        await until(lambda: reloads(following)() == (1, 1, False))
        files.path.write_text(GOOD)
        await until(lambda: reloads(following)() == (2, 1, True))
