"""The config's files while the agent runs: read again when they change or when it is asked to."""

import asyncio
import errno
import logging
import os
import shutil
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


def odd(error: Exception) -> Callable[[], Config]:
    """Reads the files so that this comes of it."""

    def read() -> Config:
        raise error

    return read


ODD = {
    "permission denied": PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/run/secrets/x"),
    "OSError": OSError("of a file system of its own"),
    "RuntimeError": RuntimeError("can't start new thread"),
    "RecursionError": RecursionError(),
    "MemoryError": MemoryError(),
    "UnicodeDecodeError": UnicodeDecodeError("utf-8", b"hunter2 \xff", 8, 9, "invalid start byte"),
    "KeyError": KeyError("hunter2"),
}


@pytest.mark.parametrize("why", ODD)
async def test_whatever_reading_raises_keeps_the_former_config_and_is_told_once(
    files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    monkeypatch.setattr(following, "RETRY_AFTER", 0.02)
    async with followed(files) as agents:
        agents._read = odd(ODD[why])
        files.path.write_text(GOOD + "  attic: {kind: tcp, address: '127.0.0.1:2'}\n")
        await until(lambda: agents.reloads.failed >= 3)
        assert reloads(agents)() == (1, agents.reloads.failed, False)
        told = (
            f"the config can't be read again ({why}) and the former one stays in force; `probe validate` may tell more"
        )
        assert caplog.messages == [told]
        agents._read = files.read
        await until(lambda: len(files.swapped) == 1)
        assert [*files.swapped[0].checks] == ["hall", "attic"]


async def test_a_working_folder_that_vanished_is_told_and_its_return_too(
    files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a folder is deployed anew: a relative path leads nowhere any more."""
    monkeypatch.setattr(following, "RETRY_AFTER", 0.02)
    folder = files.path.parent
    monkeypatch.chdir(folder)
    files.path = Path("config.yaml")
    async with followed(files) as agents:
        shutil.rmtree(folder)
        await until(lambda: agents.reloads.failed >= 2)
        assert "(no such file or directory) and the former one stays in force" in caplog.messages[0]
        folder.mkdir()
        monkeypatch.chdir(folder)
        files.path.write_text(GOOD)
        await until(lambda: agents.reloads.last_is_ok)
    assert len(caplog.messages) == 1


async def test_a_swap_that_fails_is_tried_again(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_AFTER", 0.02)

    async def fail_once(config: Config) -> None:
        files.swapped.append(config)
        if len(files.swapped) == 1:
            raise MemoryError

    monkeypatch.setattr(files, "swap", fail_once)
    async with followed(files) as agents:
        files.path.write_text(GOOD + "  attic: {kind: tcp, address: '127.0.0.1:2'}\n")
        await until(lambda: reloads(agents)() == (2, 1, True))
        assert len(files.swapped) == 2
