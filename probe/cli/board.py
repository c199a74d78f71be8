"""A board for people and for scripts: the table of `probe check` and `probe status`, from the API's documents."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from probe.units import show_seconds

OUTPUTS = ("table", "plain", "json")
WORST_FIRST = ("unhealthy", "degraded", "unknown", "healthy")

Document = Mapping[str, Any]


def show(
    documents: Sequence[Document], output: str | None, *, explain: bool = False, head: Document | None = None
) -> None:
    """Print checks (as `/api/v1/checks` has them): a table on a terminal, plain lines in a pipe, or as asked."""
    if output == "json":
        click.echo(json.dumps({**(head or {}), "checks": list(documents)}, indent=2))
    elif output == "table" or (output is None and sys.stdout.isatty()):
        from probe.cli.table import show_table  # noqa: PLC0415  # rich, which a pipe does without

        show_table(_rows(documents, explain), _summary(documents))
    else:
        for line in _plain(documents, explain):
            click.echo(line)


def exit_code(documents: Sequence[Document], *, strict: bool) -> int:
    """0 when all is well; 1 when any check is unhealthy or unknown, or degraded and `strict`."""
    bad = {"unhealthy", "unknown", "degraded"} if strict else {"unhealthy", "unknown"}
    return int(any(document["health"] in bad and document["counts"] for document in documents))


def _rows(documents: Sequence[Document], explain: bool) -> Iterator[tuple[str, ...]]:
    """Name, kind, health, reason, duration and remarks, for people."""
    for document in _worst_first(documents):
        remarks = "\n".join(_remarks(document, explain))
        yield document["name"], document["kind"], document["health"], _reason(document), _took(document), remarks


def _plain(documents: Sequence[Document], explain: bool) -> Iterator[str]:
    """Tab-separated: name, kind, health, reason, seconds, remarks."""
    for document in _worst_first(documents):
        run = document["last_run"]
        seconds = f"{run['duration']:.3f}" if run else ""
        fields = (document["name"], document["kind"], document["health"], _reason(document), seconds)
        yield "\t".join([*fields, "; ".join(_remarks(document, explain))])
    yield _summary(documents)


def _worst_first(documents: Sequence[Document]) -> list[Document]:
    return sorted(documents, key=lambda document: WORST_FIRST.index(document["health"]))


def _reason(document: Document) -> str:
    if document["passive"] and document["last_run"] is None:
        return "not asked"
    return str(document["reason"]) or "ok"


def _took(document: Document) -> str:
    return show_seconds(document["last_run"]["duration"]) if document["last_run"] else ""


def _remarks(document: Document, explain: bool) -> Iterator[str]:
    if document["message"]:
        yield document["message"]
    if document["causes"]:
        yield f"caused by {', '.join(document['causes'])}"
    run = document["last_run"]
    yield from run["notes"] if run else ()
    for survey in document["surveys"]:
        yield from _of_survey(survey)
    if explain and run and run["steps"]:
        yield ", ".join(f"{step['name']} {show_seconds(step['seconds'])}" for step in run["steps"])


def _of_survey(survey: Document) -> Iterator[str]:
    run = survey["last_run"]
    if run is None:
        yield f"{survey['name']}: not collected"
    elif survey["unfinished"] or run["reason"] != "ok":
        yield f"{survey['name']}: not collected ({run['message'] or run['reason']})"
    else:
        yield from (f"{survey['name']}: {note}" for note in run["notes"])


def _summary(documents: Sequence[Document]) -> str:
    counted = {health: sum(document["health"] == health for document in documents) for health in WORST_FIRST}
    return ", ".join(f"{count} {health}" for health, count in counted.items() if count) or "no checks"
