"""What survives a restart, a kill -9 in the middle of a write, and a torn file."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from probe.model import Health, Reason
from probe.state import Board, opened
from probe.state.store import FILE_NAME, PORTION, StoreError, encode, restored, write
from tests.state.stories import EPOCH, Story, check, result
from tests.state.test_limits import load


def story() -> Story:
    told = Story(check("db", warn={"load_ratio": "> 0.8"}), check("api", "db"))
    for at in (0, 15, 30):
        told.run("db", at, Reason.CONNECT)
        told.run("api", at - 0.01, Reason.UNHEALTHY)
    told.run("api", 45, Reason.UNHEALTHY)
    return told


def after_restart(board: Board, folder: Path, now: float) -> Board:
    """The board of a process whose monotonic clock started anew, 100 s later."""
    return restored(folder, opened(board.checks, now, EPOCH + 145), now, EPOCH + 145)


def test_history_survives_a_restart_and_goes_on(tmp_path: Path) -> None:
    told = story()
    write(tmp_path, encode(told.board, 45, EPOCH + 45))
    board = after_restart(told.board, tmp_path, now=7)
    for name in ("db", "api"):
        before, after = told.board[name], board[name]
        assert after.verdict == before.verdict
        assert (after.tally, after.strip, after.failed) == (before.tally, before.strip, before.failed)
        assert (after.causes, after.since_at, after.down) == (before.causes, before.since_at, before.down)
        assert after.result is None, "numbers are stale by then"
    assert board["db"].standing is not None
    assert told.board["db"].standing is not None
    assert board["db"].standing.began == pytest.approx(told.board["db"].standing.began + 7 - 145)


def test_what_waits_for_its_needs_waits_anew_after_a_restart(tmp_path: Path) -> None:
    """Who was away for long has asked nobody: the need is asked now, and explains it."""
    told = Story(check("db"), check("api", "db", failure_threshold=1))
    told.run("db", 0)
    told.run("api", 0)
    told.run("api", 15, Reason.UNHEALTHY)
    write(tmp_path, encode(told.board, 45, EPOCH + 45))
    told.board = after_restart(told.board, tmp_path, now=7)
    told.run("api", 8, Reason.UNHEALTHY)
    assert (told.health("api"), *told.wanted) == (Health.HEALTHY, "db")
    told.run("db", 8.2, Reason.CONNECT, counted=False)
    assert (told.health("api"), told.roots("api")) == (Health.UNHEALTHY, ("db",))


def test_another_kind_under_the_same_name_starts_anew(tmp_path: Path) -> None:
    told = story()
    content = encode(told.board, 45, EPOCH + 45).replace(b'"scripted"', b'"otherkind"')
    header, body = content.split(b"\n", 1)
    write(tmp_path, b"probe state 1 " + hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b"\n" + body)
    assert after_restart(told.board, tmp_path, 7)["db"].health is Health.UNKNOWN
    assert header.startswith(b"probe state 1 ")


NOT_OURS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "only its beginning": lambda content: content[:10],
    "cut off": lambda content: content[: len(content) // 3],
    "a byte short": lambda content: content[:-1],
    "one bit": lambda content: content[:300] + bytes([content[300] ^ 1]) + content[301:],
    "zeroes after a power cut": lambda content: content[:512] + bytes(len(content) - 512),
    "written twice": lambda content: content * 2,
    "of another version": lambda content: content.replace(b"probe state 1 ", b"probe state 2 ", 1),
    "of another program": lambda content: b'{"version": 4, "serial": 12, "resources": []}\n',
    "garbage": lambda content: bytes(range(256)) * 100,
}


@pytest.mark.parametrize("what", NOT_OURS)
def test_a_file_that_is_not_whole_or_not_ours_is_set_aside_and_said(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = story()
    found = NOT_OURS[what](encode(told.board, 45, EPOCH + 45))
    (tmp_path / FILE_NAME).write_bytes(found)
    board = after_restart(told.board, tmp_path, 7)
    assert {state.health for state in board} == {Health.UNKNOWN}
    assert [(record.levelname, "history starts anew" in record.message) for record in caplog.records] == [
        ("WARNING", True)
    ]
    assert (tmp_path / "state.broken").read_bytes() == found
    write(tmp_path, encode(told.board, 45, EPOCH + 45))
    assert after_restart(told.board, tmp_path, 7)["api"].roots == ("db",)


def test_a_folder_where_the_file_should_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreError, match=r"state.json: the state can't be read: Is a directory"):
        after_restart(story().board, tmp_path, now=7)
    with pytest.raises(StoreError, match=r"state.json: the state can't be kept: Is a directory"):
        write(tmp_path, b"")


@pytest.mark.parametrize("set_back", [10, 3600, 400 * 86400])
def test_what_was_kept_under_a_later_clock_lies_a_moment_back(tmp_path: Path, set_back: float) -> None:
    """Else no run would count until then: each would seem to be of before the check appeared."""
    told = story()
    write(tmp_path, encode(told.board, 45, EPOCH + 45))
    told.board = restored(tmp_path, opened(told.board.checks, 7, 0), 7, EPOCH + 45 - set_back)
    db, api = told.board["db"], told.board["api"]
    assert (db.health, api.roots) == (Health.UNHEALTHY, ("db",))
    assert db.good_since == inf
    assert max(db.appeared, db.failing_since, db.settled, api.appeared, api.settled) < 7


def test_a_torn_file_that_cannot_be_set_aside_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"torn")
    (tmp_path / "state.broken" / "in the way").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"state.json is not whole, and can't be set aside as .*state.broken: "):
        after_restart(story().board, tmp_path, now=7)


def test_a_cause_that_needs_lead_to_no_more_is_forgotten_over_a_restart_too(tmp_path: Path) -> None:
    told = story()
    write(tmp_path, encode(told.board, 45, EPOCH + 45))
    assert told.roots("api") == ("db",)
    apart = opened({"db": check("db"), "api": check("api")}, 7, EPOCH + 145)
    assert after_restart(apart, tmp_path, now=7)["api"].causes == ()


def test_many_states_are_kept_whole(tmp_path: Path) -> None:
    told = Story(*(check(f"c{number}") for number in range(2 * PORTION + 1)))
    told.run(f"c{2 * PORTION}", 0)
    write(tmp_path, encode(told.board, 45, EPOCH + 45))
    board = after_restart(told.board, tmp_path, now=7)
    assert [state.last_success_at for state in board if state.health is Health.HEALTHY] == [EPOCH]
    assert [state.check for state in board] == list(told.board.checks)


def test_no_file_is_no_history(tmp_path: Path) -> None:
    assert after_restart(story().board, tmp_path, 7)["db"].health is Health.UNKNOWN


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"state\.json: the state can't be kept: "):
        write(tmp_path / "file" / "below", b"")


WRITER = """
import sys, itertools
from pathlib import Path
from probe.state.store import encode, write
from tests.state.test_store import story
told = story()
for number in itertools.count():
    write(Path(sys.argv[1]), encode(told.board, 45.0 + number, 1_800_000_045.0 + number))
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    for delay in (0.0, 0.003, 0.007, 0.011, 0.017):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        board = after_restart(story().board, tmp_path, 7)
        assert board["api"].roots == ("db",)
    assert not (tmp_path / "state.broken").exists()


def test_a_limit_keeps_its_verdict_only_while_it_is_the_same(tmp_path: Path) -> None:
    told = Story(check("db", warn={"load_ratio": "> 0.8"}))
    told.run("db", 0, samples=load(0.9))
    write(tmp_path, encode(told.board, 1, EPOCH + 1))
    assert after_restart(told.board, tmp_path, 7)["db"].limits[0].crossed
    changed = opened({"db": check("db", warn={"load_ratio": "> 0.95"})}, 7, EPOCH + 2)
    assert not restored(tmp_path, changed, 7, EPOCH + 2)["db"].limits[0].crossed
    assert result("db", 0).ok
