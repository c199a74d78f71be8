"""What the server needs of the agent that it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from probe.exporter import Rendered
from probe.model import Change
from probe.state import Board


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the agent knows at one moment, read by another thread: nothing in it may change afterwards.

    `rendered` has the lines of every check of the board. `changes` are the last ones, newest first. `at` is the
    moment itself, as unix time.
    """

    board: Board
    rendered: Mapping[str, Rendered]
    changes: Sequence[Change] = ()
    at: float = 0.0


class View(Protocol):
    """The agent, seen from outside."""

    @property
    def version(self) -> str: ...
    @property
    def started_at(self) -> float:
        """Unix time."""

    @property
    def registry(self) -> CollectorRegistry:
        """The agent's own metrics."""

    def snapshot(self) -> Snapshot: ...
    def is_ready(self) -> bool:
        """Whether the first run of every active check has ended."""

    def ailment(self) -> str:
        """What keeps the agent itself from working (its scheduler stands still); empty when nothing does."""
