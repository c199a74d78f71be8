"""The tree that a config file is read into: every key and value knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from probe.config.places import Place

Value = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Scalar:
    """One value: `text` as it was written, `value` as YAML's core schema reads it."""

    place: Place
    text: str
    value: Value


@dataclass(slots=True, eq=False)
class List:
    """A sequence. `size` counts the nodes in it and `depth` its levels, aliases expanded."""

    place: Place
    items: list[Node] = field(default_factory=list)
    size: int = 1
    depth: int = 1


@dataclass(slots=True, eq=False)
class Entry:
    """One `key: value` of a mapping; `place` is the key's."""

    place: Place
    node: Node


@dataclass(slots=True, eq=False)
class Map:
    """A mapping by the text of its keys, in order. `size` and `depth` as in List."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1
    depth: int = 1


Node = Scalar | List | Map


@dataclass(slots=True, eq=False)
class Found:
    """What a path leads to: the node, the place of its key (or of the item itself), and the part of the path taken."""

    place: Place
    node: Node
    path: tuple[str | int, ...] = ()


def follow(start: Entry, path: Sequence[str | int]) -> Found:
    """Walk from an entry down a path, past steps that no key or item answers to.

    Those are a key that is missing, and pydantic's names for the branches of a union.
    """
    found = Found(start.place, start.node)
    for step in path:
        node = found.node
        if isinstance(node, Map) and str(step) in node.entries:
            entry = node.entries[str(step)]
            found = Found(entry.place, entry.node, (*found.path, step))
        elif isinstance(node, List) and isinstance(step, int) and 0 <= step < len(node.items):
            item = node.items[step]
            found = Found(item.place, item, (*found.path, step))
    return found


def scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar value at or below a node."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, List):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries.values():
            yield from scalars(entry.node)
