"""A config with every marked check against every fault, and the servers that it is about."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from probe.api import Board
from probe.config import Config
from probe.exporter import Format, exposition, render
from probe.state.document import described
from tests import faults
from tests.secrets.configs import Fields, Place, marked, places, write_secret, written
from tests.secrets.echoes import HTTP, LINES, POSTGRES, REDIS, Say, echoing
from tests.secrets.leaks import Detector

S3 = ("text", "xml-200", "xml-403", "xml-500", "cut-here", "spaced", "header", "redirect", "minio", "bytes", "login")
"""A client of its costs as much as ten runs of another kind."""

SPOKEN: Mapping[str, Mapping[str, Say]] = {
    "http": HTTP,
    "langfuse": HTTP,
    "postgres": POSTGRES,
    "redis": REDIS,
    "s3": {name: HTTP[name] for name in S3},
    "tcp": LINES,
}
"""What the kinds speak; a new kind without its echoes fails the tests."""

FAULTS: Mapping[str, Callable[[], AbstractAsyncContextManager[int]]] = {
    "refused": faults.refused,
    "silent": faults.silent,
    "closing": lambda: faults.closing(when_asked=True),
    "resetting": faults.resetting,
    "garbage": faults.garbage,
}


@asynccontextmanager
async def _tls_expired() -> AsyncIterator[int]:
    async with faults.tls_expired() as server:
        yield server.port


TLS_FAULTS: Mapping[str, Callable[[], AbstractAsyncContextManager[int]]] = {
    "tls-expired": _tls_expired,
    "tls-of-none": faults.garbage,
}
FOR_FILES = ("refused", "text", "status", "refusal", "query", "line")
"""What is enough for a place that is a secret only because its value comes from a file."""

WORDLESS = (*FAULTS, *TLS_FAULTS)
"""Faults that say nothing back; beside a refusal, which names the place, one check of each kind is enough."""


LOUDEST = ("text", "refusal", "line")
"""Of the echoes of each kind the one that says most."""


class Bed(NamedTuple):
    """The checks by name, what was said of configs that were refused, and the detector of all marks in them."""

    checks: Mapping[str, Fields]
    complaints: str
    detector: Detector


@asynccontextmanager
async def bed(folder: Path) -> AsyncIterator[Bed]:
    """All servers listening; the secrets that `${file:}` reads are in `folder`."""
    async with AsyncExitStack() as stack:
        plain = {fault: await stack.enter_async_context(made()) for fault, made in FAULTS.items()}
        tls = {fault: await stack.enter_async_context(made()) for fault, made in TLS_FAULTS.items()}
        ports = {
            kind: {fault: await stack.enter_async_context(echo(kind, say)) for fault, say in spoken.items()}
            for kind, spoken in SPOKEN.items()
        }
        checks: dict[str, Fields] = {}
        wordless: set[tuple[str, str]] = set()
        complaints: list[str] = []
        for place in _places(folder):
            way, complaint = marked(place, folder)
            complaints.append(complaint)
            for fault, port in {**plain, **tls, **ports[place.kind]}.items():
                if way is not None and (not place.is_file or fault in FOR_FILES):
                    if fault in WORDLESS and fault != "refused" and (place.kind, fault) in wordless:
                        continue
                    wordless.add((place.kind, fault))
                    fields = written(place, way, port, hangs=fault == "silent")
                    fields["labels"] = {"place": place.name, "fault": fault, **fields.get("labels", {})}
                    checks[f"{place.name}-{fault}"] = encrypted(fields) if fault in TLS_FAULTS else fields
        yield Bed(checks, "\n".join(complaints), Detector({place.name: [place.mark] for place in places()}))


def a_few(checks: Mapping[str, Fields]) -> dict[str, Fields]:
    """The loud ones, and every fault with some place of each kind."""
    few = loud(checks)
    seen = set()
    for name, fields in Random(4).sample(sorted(checks.items()), len(checks)):
        about = fields["kind"], fields["labels"]["fault"]
        if about not in seen:
            few[name] = fields
            seen.add(about)
    return few


def loud(checks: Mapping[str, Fields]) -> dict[str, Fields]:
    """Every place that is for a secret, with the fault that says most."""
    labels = {name: fields["labels"] for name, fields in checks.items()}
    chosen = (name for name, of in labels.items() if of["fault"] in LOUDEST and "-file" not in of["place"])
    return {name: checks[name] for name in chosen}


def _places(folder: Path) -> Iterator[Place]:
    """All of them, with their secrets written; the plain form only where the nasty one is refused."""
    for place in places():
        write_secret(folder, place)
        is_plain = place.form == "file-plain" and place.leaf.sort == "text"
        if not (is_plain and marked(place._replace(form="file"), folder).way is not None):
            yield place


def all_of(config: Config, board: Board) -> str:
    """Documents, metrics and what Python shows of it."""
    rendered = {name: render(check, board[name]) for name, check in config.checks.items()}
    metrics = [exposition(board, rendered, form, CollectorRegistry()).decode() for form in Format]
    return "\n".join([*(str(described(board, name, reveals=True)) for name in config.checks), *metrics, repr(config)])


def echo(kind: str, say: Say) -> AbstractAsyncContextManager[int]:
    """A server that says back; PostgreSQL's talks more than once on a connection."""
    return echoing(say, closes=kind != "postgres")


def encrypted(fields: Fields) -> Fields:
    """The same check, over TLS."""
    changed = {
        key: value.replace("http://", "https://").replace("redis://", "rediss://")
        if isinstance(value, str) and key != "proxy"
        else value
        for key, value in fields.items()
    }
    if fields["kind"] in ("postgres", "redis") and "host" in fields:
        changed.setdefault("tls", {})
    return changed
