"""Configs with a marked secret in each place that can hold one, and what `probe` says of those that it refuses."""

import base64
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import yaml

from probe.config import ConfigError, load
from probe.registry import Registry
from tests.secrets.leaks import nasty, plain
from tests.secrets.places import Leaf, leaves_of, leaves_of_every_kind

Fields = dict[str, Any]

HOST = "127.0.0.1"
BASES: Mapping[str, Callable[[int], Fields]] = {
    "http": lambda port: {"url": f"http://{HOST}:{port}/", "expect": {"json": {"status": "no such status"}}},
    "langfuse": lambda port: {"url": f"http://{HOST}:{port}"},
    "postgres": lambda port: {"host": HOST, "port": port, "user": "probe"},
    "redis": lambda port: {"host": HOST, "port": port, "username": "probe"},
    "s3": lambda port: {"endpoint": f"http://{HOST}:{port}", "access_key": "ak", "secret_key": "sk", "buckets": ["b"]},
    "tcp": lambda port: {"address": f"{HOST}:{port}", "dialogue": [{"send": "hello"}, {"expect": "^no such line$"}]},
}
"""The least that a check of each kind says; a new kind without one fails the tests."""

VARIABLE = "MARKED"
"""The variable that holds the mark where the form is `variable`."""

NO_VARIABLES: Mapping[str, str] = {}
SCHEMES = ("http", "redis", "postgresql")


def settings_of(kind: str, timeout: str) -> Fields:
    """A deadline, of the surveys too."""
    surveys = Registry().find(kind).surveys.values()
    return {"interval": "8s", "timeout": timeout} | {survey.timeout: timeout for survey in surveys}


class Place(NamedTuple):
    """A place for a secret: whose, where, and in what form its value is written there."""

    kind: str
    leaf: Leaf
    form: str

    @property
    def name(self) -> str:
        return "-".join([self.kind, *self.leaf.path, self.form]).replace("_", "")

    @property
    def is_file(self) -> bool:
        return self.form.startswith("file")

    @property
    def mark(self) -> str:
        return plain(self.name) if self.form == "file-plain" else nasty(self.name)


class Marked(NamedTuple):
    """How the mark of a place is written in a valid check, None where there is no such way; and what was complained."""

    way: int | None
    complaint: str


def places(*forms: str) -> Iterator[Place]:
    """Every place of every kind, in these forms or in all that make what is there a secret.

    Of what is no secret by its type, a `${file:}` makes it one.
    """
    for kind in Registry().names():
        for leaf in leaves_of(kind):
            yield from (Place(kind, leaf, form) for form in forms or _forms(leaf))
    for leaf in leaves_of_every_kind():
        yield from (Place("tcp", leaf, form) for form in forms or _forms(leaf))


def _forms(leaf: Leaf) -> tuple[str, ...]:
    if leaf.sort == "url":
        return ("login", "user", "malformed", "file-plain")
    if leaf.sort == "text":
        return ("file", "file-plain")
    is_header = leaf.path[0] == "headers"
    return ("value", "file", "bearer", "cookie", "basic") if is_header else ("value", "file")


def marked(place: Place, folder: Path) -> Marked:
    """The first way to write the mark that makes a valid check, if there is any."""
    complaints: list[str] = []
    for way, fields in enumerate(candidates(place, 1)):
        complaint = complaint_about(folder, {place.kind: fields})
        if not complaint:
            return Marked(way, "\n".join(complaints))
        complaints.append(complaint)
    return Marked(None, "\n".join(complaints))


def written(place: Place, way: int, port: int, *, hangs: bool) -> Fields:
    """The check with the mark, for a server on this port, which may never answer."""
    fields = next(islice(candidates(place, port), way, None))
    return fields | settings_of(place.kind, "1s" if hangs else "8s")


def complaint_about(folder: Path, checks: Mapping[str, Fields], environ: Mapping[str, str] = NO_VARIABLES) -> str:
    """What is said against a config of these checks; empty when it is good."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"checks": dict(checks)}, allow_unicode=True, sort_keys=False))
    try:
        load([path], allow=frozenset(), environ=environ)
    except ConfigError as error:
        return str(error)
    return ""


def write_secret(folder: Path, place: Place) -> None:
    """The file that `${file:}` reads."""
    (folder / place.name).write_text(place.mark)


def candidates(place: Place, port: int) -> Iterator[Fields]:
    """The base with the mark; the mark in place of the base; the base with every secret field filled."""
    base, key, kind = BASES[place.kind](port), place.leaf.path[0], {"kind": place.kind}
    others: Fields = {}
    for leaf in leaves_of(place.kind):
        others |= leaf.build("also-secret") if leaf.sort == "secret" else {}
    for value in _values(place, port):
        own = place.leaf.build(value)[key]
        if key == "dialogue":
            own = [*own, *base["dialogue"]]
        elif isinstance(own, dict) and isinstance(base.get(key), dict):
            own = base[key] | own
        yield kind | base | {key: own}
        yield kind | {key: own}
        yield kind | base | others | {key: own}


def _values(place: Place, port: int) -> Iterator[str]:
    mark = place.mark
    escaped = quote(mark, safe="")
    if place.form == "variable":
        yield f"${{{VARIABLE}}}"
        return
    if place.is_file and place.leaf.sort != "url":
        yield f"${{file:{place.name}}}"
    elif place.leaf.sort == "secret":
        basic = base64.b64encode(f"visitor:{mark}".encode()).decode()
        yield {"value": mark, "bearer": f"Bearer {mark}", "cookie": f"a=b; sid={mark}; c=d", "basic": f"Basic {basic}"}[
            place.form
        ]
    for scheme in SCHEMES if place.leaf.sort == "url" else ():
        there = f"{HOST}:{port}"
        yield from {
            "login": (
                f"{scheme}://visitor:{escaped}@{there}/?token={escaped}&a=b",
                f"{scheme}://visitor:{escaped}@{there}",
            ),
            "user": (f"{scheme}://{escaped}@{there}/",),
            "malformed": (f"{scheme}://visitor:{mark}@{there}", f"visitor:{mark}@{there}", f"{mark}:{mark}"),
            "file-plain": (f"{scheme}://visitor:${{file:{place.name}}}@{there}/",),
        }[place.form]
