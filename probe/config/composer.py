"""YAML events to nodes. Stands between a stranger's file and the memory and stack of the agent.

PyYAML's own composer recurses as deep as the file likes, keeps the last of two equal keys, and says nothing of where
a value stood; that is why this one exists.
"""

from collections.abc import Callable
from typing import Any

from yaml import events

from probe.config.nodes import Entry, List, Map, Node, Scalar
from probe.config.places import Complaint, Place, quoted
from probe.config.scalars import plain_value

DEEPEST = 60
"""Levels of nesting, aliases expanded."""

MOST_NODES = 1_000_000
"""Keys and values after aliases are expanded: 20,000 checks of 50."""

MERGE = "<<"
_TAG = "tag:yaml.org,2002:"
Source = Callable[[], Any]


class Refused(Exception):
    """Reading on makes no sense or is not safe."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.complaint = Complaint(place, message)


class Composer:
    """Composes one document. What can be read past is collected in `complaints`; the rest raises Refused."""

    def __init__(self, file: str) -> None:
        self.complaints: list[Complaint] = []
        self._file = file
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0

    def document(self, next_event: Source) -> Node | None:
        """The one document of a stream; None when there is none, or nothing in it."""
        self._next = next_event
        self._next()  # the stream starts
        if isinstance(self._next(), events.StreamEndEvent):
            return None
        node = self._node(self._next(), 0)
        self._next()  # the document ends
        after = self._next()
        if not isinstance(after, events.StreamEndEvent):
            raise Refused(self._place(after), "a second document starts here; a config is one, remove the ---")
        return None if isinstance(node, Scalar) and node.value is None else node

    def _node(self, event: Any, level: int) -> Node:
        if isinstance(event, events.AliasEvent):
            return self._alias(event, level)
        place = self._place(event)
        self._count(1, place)
        if event.anchor:
            self._anchors[event.anchor] = None
        node: Node
        if isinstance(event, events.ScalarEvent):
            node = self._scalar(event, place)
        elif level >= DEEPEST:
            raise Refused(place, f"nested deeper than {DEEPEST} levels")
        elif isinstance(event, events.SequenceStartEvent):
            node = self._list(event, place, level)
        else:
            node = self._map(event, place, level)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, level: int) -> Node:
        place = self._place(event)
        if event.anchor not in self._anchors:
            raise Refused(place, f"no anchor &{event.anchor} above this alias")
        node = self._anchors[event.anchor]
        if node is None:
            raise Refused(place, f"the alias *{event.anchor} stands inside its own anchor")
        if not isinstance(node, Scalar):
            if level + node.depth > DEEPEST:
                raise Refused(place, f"nested deeper than {DEEPEST} levels, aliases expanded")
            self._count(node.size, place)
        return node

    def _scalar(self, event: Any, place: Place) -> Scalar:
        self._check_tag(event, place, "str")
        text: str = event.value
        if not text.isascii() and not _is_unicode(text):
            self._complain(place, "an escape stands for half a character; write the whole one")
            text = ""
        return Scalar(place, text, plain_value(text) if event.implicit[0] else text)

    def _list(self, event: Any, place: Place, level: int) -> List:
        self._check_tag(event, place, "seq")
        node = List(place)
        while not isinstance(event := self._next(), events.SequenceEndEvent):
            item = self._node(event, level + 1)
            node.items.append(item)
            _grow(node, item)
        return node

    def _map(self, event: Any, place: Place, level: int) -> Map:
        self._check_tag(event, place, "map")
        node = Map(place)
        merged: list[Map] = []
        merges_at: Place | None = None
        while not isinstance(event := self._next(), events.MappingEndEvent):
            plain = isinstance(event, events.ScalarEvent) and event.implicit[0]
            key = self._node(event, level + 1)
            value = self._node(self._next(), level + 1)
            if not isinstance(key, Scalar):
                raise Refused(key.place, "a key must be a text, not a list or a mapping")
            if plain and key.text == MERGE:
                if merges_at is not None:
                    self._complain(key.place, f"<< stands here twice; first at {merges_at}; write <<: [*a, *b]")
                merges_at = merges_at or key.place
                merged += self._merged(value)
            else:
                self._add(node, key, value, self._place(event))
        for other in merged:
            for name, entry in other.entries.items():
                if name not in node.entries:
                    node.entries[name] = entry
                    _grow(node, entry.node)
        return node

    def _add(self, node: Map, key: Scalar, value: Node, place: Place) -> None:
        if (first := node.entries.get(key.text)) is not None:
            self._complain(place, f"the key {quoted(key.text)} stands here twice; first at {first.place}")
            return
        if "${" in key.text:
            self._complain(place, f"variables are for values, not for a key as {quoted(key.text)}")
        node.entries[key.text] = Entry(place, value)
        _grow(node, value)

    def _merged(self, value: Node) -> list[Map]:
        """The mappings of a merge key, the one that wins first."""
        maps = value.items if isinstance(value, List) else [value]
        for other in maps:
            if not isinstance(other, Map):
                self._complain(other.place, "<< merges mappings: an alias of one, or a list of such")
        return [other for other in maps if isinstance(other, Map)]

    def _check_tag(self, event: Any, place: Place, meant: str) -> None:
        if event.tag and event.tag not in ("!", _TAG + meant):
            tag = event.tag.replace(_TAG, "!!")
            self._complain(place, f"the tag {quoted(tag)} means nothing here; remove it")

    def _count(self, nodes: int, place: Place) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise Refused(place, f"more than {MOST_NODES:,} keys and values, aliases expanded; split the file")

    def _complain(self, place: Place, message: str) -> None:
        self.complaints.append(Complaint(place, message))

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)


def _grow(node: List | Map, child: Node) -> None:
    if isinstance(child, Scalar):
        node.size += 1
    else:
        node.size += child.size
        node.depth = max(node.depth, child.depth + 1)


def _is_unicode(text: str) -> bool:
    """Whether there is no lone surrogate in it, which PyYAML's Python parser makes of an escape."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
