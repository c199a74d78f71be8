"""The board as the pages show it: cards with everything in words, worst first, dependants under their cause."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from probe.model import Change, Health, Result
from probe.server import strip
from probe.server.view import Snapshot
from probe.server.words import Limited, Moment, limited, moment
from probe.state import Board, State
from probe.units import show_seconds

ABSENT = "absent"
"""The reason of an optional check that nobody has seen: no news, so it stands last."""

STRIPS_UP_TO = 300
"""Checks on a page up to which each shows its last runs; beyond, the page would be megabytes of them."""


@dataclass(frozen=True, slots=True)
class Link:
    """A check to go to."""

    name: str
    href: str
    health: str


@dataclass(frozen=True, slots=True)
class Card:
    """One check for the page of all. `folded` are the checks that fail because of it."""

    link: Link
    kind: str
    labels: tuple[tuple[str, str], ...]
    reason: str
    message: str
    since: Moment | None
    took: str
    last: Moment | None
    limits: tuple[Limited, ...]
    causes: tuple[Link, ...]
    shapes: dict[str, str]
    folded: tuple["Card", ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Cards of one health, made one by one as the page is written: ten thousand at once would wake the collector."""

    title: str
    cards: Iterator[Card]


@dataclass(frozen=True, slots=True)
class Event:
    """A change, in words."""

    link: Link
    before: str
    after: str
    reason: str
    message: str
    roots: tuple[Link, ...]
    at: Moment | None


def link(board: Board, name: str) -> Link:
    """Where a check's own page is; any name is safe in it."""
    health = shown_health(board.states[name]) if name in board.states else "unknown"
    return Link(name, f"/checks/{quote(name, safe='')}", health)


def links(board: Board, names: Iterable[str]) -> tuple[Link, ...]:
    """A link for each name."""
    return tuple([link(board, name) for name in names])


def shown_health(state: State) -> str:
    """The health's word; `absent` for an optional check that nobody has seen."""
    return ABSENT if state.verdict.reason == ABSENT else str(state.health)


def sections(snapshot: Snapshot, *, reveals: bool) -> list[Section]:
    """All checks by health, worst first, in the order of the config; dependants are in their cause's card."""
    board = snapshot.board
    folded = folds(board)
    hidden = {name for names in folded.values() for name in names}
    by_health: dict[str, list[str]] = {}
    for state in board:
        if state.check not in hidden:
            worst = max((state, *(board[name] for name in folded.get(state.check, ()))), key=lambda state: state.health)
            by_health.setdefault(shown_health(worst), []).append(state.check)
    order = [*(str(health) for health in reversed(Health)), ABSENT]
    return [
        Section(title, _cards(snapshot, by_health[title], folded, reveals=reveals))
        for title in order
        if title in by_health
    ]


def _cards(
    snapshot: Snapshot, names: Iterable[str], folded: Mapping[str, Iterable[str]], *, reveals: bool
) -> Iterator[Card]:
    for name in names:
        under = tuple([card(snapshot, other, reveals=reveals) for other in folded.get(name, ())])
        yield card(snapshot, name, reveals=reveals, folded=under)


def folds(board: Board) -> dict[str, list[str]]:
    """The checks that are shown under another one: a cause's name to those that fail because of it."""
    found: dict[str, list[str]] = {}
    for state in board:
        top = _top(board, state)
        if top != state.check:
            found.setdefault(top, []).append(state.check)
    return found


def card(snapshot: Snapshot, name: str, *, reveals: bool, folded: tuple[Card, ...] = ()) -> Card:
    """One check in words."""
    board, state = snapshot.board, snapshot.board[name]
    check = board.checks[name]
    return Card(
        link=link(board, name),
        kind=check.kind,
        labels=tuple(check.labels.items()),
        reason=state.verdict.reason,
        message=state.verdict.message if reveals else "",
        since=moment(state.since_at, snapshot.at),
        took=took(state.result),
        last=moment(state.result.at, snapshot.at) if state.result else None,
        limits=tuple(limited(check, state.limits)),
        causes=links(board, state.roots),
        shapes=strip.paths(strip.bars(state.strip)) if len(board) <= STRIPS_UP_TO else {},
        folded=folded,
    )


def took(result: Result | None) -> str:
    """How long a run took, in words; empty for none."""
    return show_seconds(result.duration) if result else ""


def events(snapshot: Snapshot, changes: Sequence[Change], *, reveals: bool) -> list[Event]:
    """Changes in words; those of checks that are gone name them still."""
    return [
        Event(
            link=replace(link(snapshot.board, change.check), health=str(change.after.health)),
            before=str(change.before.health),
            after=str(change.after.health),
            reason=change.after.reason,
            message=change.after.message if reveals else "",
            roots=links(snapshot.board, change.roots),
            at=moment(change.at, snapshot.at),
        )
        for change in changes
    ]


def headline(board: Board) -> str:
    """The board in one sentence; who fails because of another is told apart from who is broken."""
    counts = counted(board)
    followers = sum(len(names) for names in folds(board).values())
    broken = counts["unhealthy"] - followers
    if counts["unhealthy"]:
        return _count(max(broken, 1), "is unhealthy", "are unhealthy") + (
            f", and {_count(followers, 'fails', 'fail')} because of {'it' if broken <= 1 else 'them'}"
            if followers
            else ""
        )
    if counts["degraded"]:
        return _count(counts["degraded"], "is degraded", "are degraded")
    if counts["unknown"]:
        return _count(counts["unknown"], "is not known yet", "are not known yet")
    healthy = counts["healthy"]
    return (
        f"All {healthy} checks are healthy" if healthy > 1 else "The one check is healthy" if healthy else "No checks"
    )


def counted(board: Board) -> dict[str, int]:
    """How many checks have which health, worst first; all of them are named."""
    counts = {**{str(health): 0 for health in reversed(Health)}, ABSENT: 0}
    for state in board:
        counts[shown_health(state)] += 1
    return counts


def _count(number: int, one: str, many: str) -> str:
    return f"1 check {one}" if number == 1 else f"{number} checks {many}"


def _top(board: Board, state: State) -> str:
    """The check under which this one is shown: its first cause, that one's first cause, and so on; else itself."""
    seen = {state.check}
    top = state
    while top.health > Health.HEALTHY and (roots := [name for name in top.roots if name in board.states]):
        if roots[0] in seen:
            return state.check
        seen.add(roots[0])
        top = board[roots[0]]
    return top.check
