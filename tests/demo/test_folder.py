"""The demo's folder goes with the demo, however that ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from probe.demo.folder import own_folder
from tests.cli.processes import ROOT, environment

HOLD = (
    "from probe.demo.folder import own_folder\nwith own_folder() as folder:\n  print(folder, flush=True)\n  input()\n"
)


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_it_is_there_and_then_it_is_not(tmp_path: Path) -> None:
    with own_folder() as folder:
        (folder / "data").mkdir()
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o711, "a server that runs as somebody else gets through"
    assert [*tmp_path.iterdir()] == []


def test_a_failure_takes_it_away_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), own_folder():
        _ = 1 / 0
    assert [*tmp_path.iterdir()] == []


def test_a_dead_demos_folder_goes_with_the_next_start_and_a_living_ones_does_not(tmp_path: Path) -> None:
    demos = [_holding(tmp_path), _holding(tmp_path)]
    try:
        folders = [Path(demo.stdout.readline().strip()) for demo in demos if demo.stdout]
        demos[0].send_signal(signal.SIGKILL)
        demos[0].wait()
        assert all(folder.is_dir() for folder in folders)
        (tmp_path / "probe-demo-without-a-lock").mkdir()
        with own_folder():
            assert [folder.is_dir() for folder in folders] == [False, True]
        assert (tmp_path / "probe-demo-without-a-lock").is_dir(), "it may be in the making"
    finally:
        for demo in demos:
            demo.kill()
            demo.communicate()


def _holding(folder: Path) -> "subprocess.Popen[str]":
    """A demo, as far as its folder is concerned."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        env=environment(TMPDIR=str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
