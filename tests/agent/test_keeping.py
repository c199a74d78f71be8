"""What the agent knew, over its end: a proper one, and a folder that can't be written."""

import logging
from pathlib import Path
from threading import Thread

import pytest

from probe.agent import Agent
from probe.agent.keeping import Keeping
from probe.check import Unhealthy
from probe.model import SYSTEM_CLOCK, Health
from probe.state.store import FILE_NAME, restored
from tests.agent.stage import Lamp, config, lamp, until
from tests.agent.test_reload import running

HALL = lamp("hall", interval="1s")


def keeping(agent: Agent, folder: Path) -> Keeping:
    return Keeping(folder, lambda: agent.board, SYSTEM_CLOCK)


async def test_an_agent_goes_on_where_the_former_one_ended(tmp_path: Path) -> None:
    Lamp.trouble["hall"] = Unhealthy("dark")
    async with running(HALL) as former:
        await until(lambda: former.board["hall"].result is not None)
    keeping(former, tmp_path / "state").keep_now()

    agent = Agent(config(HALL, lamp("attic")))
    agent.restore(restored(tmp_path / "state", agent.board, SYSTEM_CLOCK.monotonic(), SYSTEM_CLOCK.wall()))
    before, after = former.board["hall"], agent.board["hall"]
    assert (after.health, after.verdict, after.tally) == (Health.UNHEALTHY, before.verdict, before.tally)
    assert after.result is None, "its numbers are stale by now"
    assert agent.board["attic"].health is Health.UNKNOWN
    assert not agent.is_ready
    assert b"probe_health" in b"".join(lines for _, lines in agent.rendered["hall"].parts)


def test_a_board_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    agent = Agent(config(HALL))
    keeper = keeping(agent, tmp_path)
    keeper.keep_now()
    (tmp_path / FILE_NAME).unlink()
    keeper.keep_now()
    assert not (tmp_path / FILE_NAME).exists()


def test_writes_at_the_same_time_wait_for_each_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As at the end, when a write in a thread may be under way."""
    agents = [Agent(config(*(lamp(f"lamp-{number}") for number in range(200)))) for _ in range(2)]
    boards = [agent.board for agent in agents] * 20
    keeper = Keeping(tmp_path, boards.pop, SYSTEM_CLOCK)
    threads = [Thread(target=keeper.keep_now) for _ in boards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    restored(tmp_path, agents[0].board, 1000.0, 2000.0)
    assert caplog.messages == [], "none took away the other's file, and it is whole"


def test_a_folder_that_cannot_be_written_is_told_once_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file where a folder should be")
    agent = Agent(config(HALL))
    keeper = keeping(agent, folder)
    keeper.keep_now()
    keeper.keep_now()
    told = f"{folder / FILE_NAME}: the state can't be kept: File exists"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.ERROR, told)]
    folder.unlink()
    keeper.keep_now()
    folder.joinpath(FILE_NAME).unlink()
    folder.rmdir()
    folder.write_text("again")
    agent.restore(Agent(config(HALL)).board)
    keeper.keep_now()
    assert [record.getMessage() for record in caplog.records] == [told, told]
