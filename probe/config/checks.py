"""One entry of `checks:` to a frozen check."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, cast

from pydantic import BaseModel, PrivateAttr, ValidationError

from probe.check import Check, LimitError, Problem
from probe.check.limits import read_key
from probe.config.annotations import secret_fields, url_fields
from probe.config.nodes import Entry, Found, List, Map, Node, Scalar, follow
from probe.config.places import Complaint, Place, quoted
from probe.config.values import Values
from probe.config.wording import complaints_of
from probe.model import Metric
from probe.registry import ExtraMissing, Registry, UnknownKind

LONGEST_NAME = 100
"""Characters: a check's name is a label value and a part of a URL."""

JOINED = ("labels", "warn", "fail")
"""Mappings that a check adds to those of `defaults`, key by key; any other field replaces the default."""

Model = TypeVar("Model", bound=BaseModel)
_PACE = {"interval", "timeout"}
_GLUED = re.compile(r"([a-z_]+:)(?!//)\S+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(slots=True, eq=False)
class Written:
    """A check as it stands in a file, with the file's defaults. `check` is None when something is wrong with it."""

    name: str
    entry: Entry
    needs: tuple[str, ...] = ()
    check: Check | None = None

    def place(self, *path: str | int) -> Place:
        """Of a key of the check, or of the check itself."""
        return follow(self.entry, path).place

    def text(self, *path: str | int) -> str:
        """What was written there, variables as they are."""
        node = follow(self.entry, path).node
        return node.text if isinstance(node, Scalar) else ""


class _Shared(Check):
    """What is left of a check whose own fields are wrong: what all kinds share, and its kind's metrics."""

    _metrics: Mapping[str, Metric] = PrivateAttr(default_factory=dict)

    @property
    def metrics_declared(self) -> Mapping[str, Metric]:
        return self._metrics


class Checks:
    """Reads the checks of a config. What is wrong is collected in `complaints`."""

    def __init__(self, registry: Registry) -> None:
        self.complaints: list[Complaint] = []
        self._registry = registry
        self._extras_missing: set[str] = set()

    def read(self, name: str, entry: Entry, defaults: Map, values: Values) -> Written:
        """One check; its complaints are added."""
        if problem := _problem_of_name(name):
            self._complain(entry.place, problem)
        if not isinstance(entry.node, Map):
            self._complain(entry.node.place, f"a check is a mapping; {_mend(entry.node)}")
            return Written(name, entry)
        written = Written(name, Entry(entry.place, _over(defaults, self._without_name(entry.node))))
        written.needs = _needs(written.entry, values)
        model = self._kind(written.entry, values)
        if model is not None:
            written.check = self._check(written, model, values)
        else:
            values.plain(written.entry.node)  # which complains of variables, at least
        return written

    def defaults(self, entry: Entry | None, values: Values) -> Map:
        """The `defaults:` of a file, without those that can't be; the fields that all kinds share may stand there."""
        if entry is None:
            return Map(Place(""))
        if not isinstance(entry.node, Map):
            self._complain(entry.node.place, "defaults is a mapping, as in {interval: 15s}")
            return Map(entry.place)
        node = self._without_name(entry.node)
        complaints = validate(Entry(entry.place, node), Check, values)[1]
        self.complaints += (complaint for complaint, _ in complaints)
        wrong = {found.path[0] for _, found in complaints if found.path}
        if wrong & _PACE:  # each is measured against the other
            wrong |= _PACE
        return Map(node.place, {key: inner for key, inner in node.entries.items() if key not in wrong})

    def _kind(self, entry: Entry, values: Values) -> type[Check] | None:
        written = follow(entry, ("kind",))
        if not written.path:
            there = ", ".join(self._registry.names())
            self._complain(entry.place, f'"kind" is missing; there are: {there}')
            return None
        kind = values.plain(written.node)
        if values.is_broken(written.node):
            return None
        if not isinstance(kind, str):
            self._complain(written.node.place, "kind must be the name of a kind")
            return None
        try:
            return self._registry.find(kind)
        except UnknownKind as error:
            self._complain(written.node.place, values.mask(Map(entry.place), Check)(str(error), written.node))
        except ExtraMissing as error:
            if kind not in self._extras_missing:
                self._complain(written.node.place, str(error))
            self._extras_missing.add(kind)
        return None

    def _check(self, written: Written, model: type[Check], values: Values) -> Check | None:
        node = cast(Map, written.entry.node)
        checked, complaints = validate(written.entry, model, values, {"name": written.name}, ("kind",))
        self.complaints += (complaint for complaint, _ in complaints)
        if checked is None:
            wrong = {found.path[0] for _, found in complaints if found.path}
            self._complain_of_rest(written, model, values, wrong)
            return None
        if secrets := values.secrets(node):
            checked = checked.with_secrets(secrets)
        problems = [*_problems(checked), *_published(checked, self._secrets_in_the_open(node, model, values))]
        self._complain_of(problems, written, checked, values)
        return None if problems or values.is_broken(node) else checked

    @staticmethod
    def _secrets_in_the_open(node: Map, model: type[Check], values: Values) -> frozenset[str]:
        """What `${file:…}` brought into fields that are not secret by themselves."""
        hidden = secret_fields(model) | url_fields(model)
        return frozenset().union(
            *(values.secrets(entry.node) for key, entry in node.entries.items() if key not in hidden)
        )

    def _complain_of(self, problems: Iterable[Problem], written: Written, check: Check, values: Values) -> None:
        for path, problem in problems:
            found = follow(written.entry, path)
            unset = found.path and values.is_broken(found.node)  # which is told already
            if message := _of_key(path, problem, check) if unset else problem:
                mask = values.mask(cast(Map, written.entry.node), type(check))
                self._complain(found.place, mask(check.redact(message), found.node))

    def _complain_of_rest(self, written: Written, model: type[Check], values: Values, wrong: set[str | int]) -> None:
        """Of a check with wrong fields, what is wrong with labels and limits too: all mistakes are told at once."""
        node = cast(Map, written.entry.node)
        readable = {"labels"} if "metrics_declared" in _overridden(model) else {"labels", "warn", "fail"}
        nodes = {key: node.entries[key].node for key in readable - wrong if key in node.entries}
        shared = _Shared.model_validate({key: values.plain(inner) for key, inner in nodes.items()})
        shared._metrics = model.declared  # noqa: SLF001  # its own
        self._complain_of(shared.problems(), written, shared, values)

    def _without_name(self, node: Map) -> Map:
        """`name` is a field of every check, and not the user's to write."""
        if (named := node.entries.get("name")) is None:
            return node
        self._complain(named.place, 'unknown key "name"; a check\'s name is its key under checks:')
        return Map(node.place, {key: entry for key, entry in node.entries.items() if key != "name"})

    def _complain(self, place: Place, message: str) -> None:
        self.complaints.append(Complaint(place, message))


def validate(
    entry: Entry,
    model: type[Model],
    values: Values,
    given: Mapping[str, Any] = MappingProxyType({}),
    besides: tuple[str, ...] = (),
) -> tuple[Model | None, list[tuple[Complaint, Found]]]:
    """What an entry (a mapping) means as a model, or the complaints about it, each with what it is about.

    `given` are fields that are not the user's to write; `besides` are keys that are read elsewhere.
    """
    node = cast(Map, entry.node)
    plain = {key: values.plain(inner.node) for key, inner in node.entries.items() if key not in besides}
    try:
        return model.model_validate({**plain, **given}), []
    except ValidationError as error:
        mask = values.mask(node, model)
        return None, [
            (Complaint(place, mask(message, about.node)), about)
            for place, message, about in complaints_of(error, entry, model, besides)
            if place is not about.node.place or not (isinstance(about.node, Scalar) and values.is_broken(about.node))
        ]


def _of_key(path: Sequence[str | int], message: str, check: Check) -> str:
    """What of a problem is about the key, whatever the value is: of a label all, of a limit what its metric lacks."""
    if path[0] == "labels":
        return message
    if len(path) == 2 and path[0] in ("warn", "fail"):
        try:
            read_key(str(path[1]), check.metrics_declared)
        except LimitError as error:
            return str(error)
    return ""


def _problems(check: Check) -> Iterator[Problem]:
    """What the check says of itself; and, should a shorthand or a default of its kind not hold, that."""
    clean = True
    for path, message in check.problems():
        clean = False
        yield path, message
    if clean:
        try:
            _ = check.limits
        except LimitError as error:
            yield (), str(error)


def _published(check: Check, secrets: frozenset[str]) -> Iterator[Problem]:
    """Where secrets would be shown to everybody who scrapes: in labels, in names and helps of metrics."""
    mend = "is shown to everybody, and what ${file:…} brings is secret; write it out, or use ${VAR}"
    for label, text in check.labels.items():
        if any(secret in text for secret in secrets):
            yield ("labels", label), f"a label {mend}"
    for key, metric in check.metrics_declared.items():
        if key not in check.declared and any(secret in f"{metric.name} {metric.help}" for secret in secrets):
            yield (), f"the name and the help of a metric {mend}"


def _needs(entry: Entry, values: Values) -> tuple[str, ...]:
    """The names that `needs` lists, whatever else is wrong with the check; empty texts for what is no name."""
    written = follow(entry, ("needs",))
    if not written.path or not isinstance(written.node, List):
        return ()
    names = [(values.plain(item), item) for item in written.node.items]
    return tuple(name if isinstance(name, str) and not values.is_broken(item) else "" for name, item in names)


def _overridden(model: type[Check]) -> set[str]:
    """Names of Check that a kind gives anew."""
    return {name for parent in model.__mro__ if parent not in Check.__mro__ for name in vars(parent)}


def _over(defaults: Map, node: Map) -> Map:
    """A check's own entries over the defaults'."""
    if not defaults.entries:
        return node
    entries = defaults.entries | node.entries
    for key in JOINED:
        default, own = defaults.entries.get(key), node.entries.get(key)
        if default and own and isinstance(default.node, Map) and isinstance(own.node, Map):
            entries[key] = Entry(own.place, Map(own.node.place, default.node.entries | own.node.entries))
    return Map(node.place, entries)


def _mend(node: Node) -> str:
    """How to make a mapping of what is none."""
    if isinstance(node, Scalar) and (found := _GLUED.fullmatch(node.text)):
        return f"write a space after {quoted(found[1])}"
    return "start it with kind:"


def _problem_of_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return f"a check's name has {LONGEST_NAME} characters at most; {quoted(name)} has {len(name)}"
    if not _NAME.fullmatch(name):
        return f"{quoted(name)} is no name for a check; use letters, digits and . _ - after a letter or digit"
    return ""
