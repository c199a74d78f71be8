"""Whatever stands in the file of states, even under a digest that fits: a board, and nothing raised."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.model import Reason
from probe.state import Board
from probe.state.store import FILE_NAME, _header, encode, restored, write
from tests.state.stories import Story, check

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
OF_THE_VERSION = ("packed", "runs", "buckets")
"""Their lengths are what `VERSION` stands for."""

ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
)


@pytest.fixture(scope="module")
def board() -> Board:
    told = Story(check("db"), check("api", "db"))
    for at in (0, 15, 30):
        told.run("db", at, Reason.CONNECT)
        told.run("api", at, Reason.UNHEALTHY)
    return told.board


@MANY
@given(content=st.binary(max_size=100))
def test_bytes(tmp_path: Path, board: Board, content: bytes) -> None:
    for written in (content, _header(content) + content):
        write(tmp_path, written)
        assert len(restored(tmp_path, board, 0, 0)) == 2


@MANY
@given(data=st.data())
def test_a_file_of_another_version(tmp_path: Path, board: Board, data: st.DataObject) -> None:
    tree = json.loads(encode(board, 45, 145).partition(b"\n")[2])
    place, key = data.draw(st.sampled_from([place for place in places(tree) if place[1] not in OF_THE_VERSION]))
    place[key] = data.draw(ODD)
    body = json.dumps(tree).encode()
    (tmp_path / FILE_NAME).write_bytes(_header(body) + body)
    after = restored(tmp_path, board, 0, 0)
    assert encode(after, 0, 0)
    assert [list(state.strip) for state in after]


def places(tree: Any) -> Any:
    """Every place in a tree, as the collection and the key or index in it."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)
