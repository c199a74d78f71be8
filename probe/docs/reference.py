"""All kinds as one document for machines and for `probe kinds`, so that nobody imports a driver to read about it."""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from probe.check import DURATION, Check
from probe.config.schema import Schema
from probe.docs import fields
from probe.docs.wording import Row, first_sentence, member_docstrings, paragraphs, sentence
from probe.model import Metric, Reason

Document = dict[str, Any]
UNITS = {"time": "unix seconds", "seconds": "seconds", "bytes": "bytes", "ratio": "ratio", "": ""}
"""What a metric's values are counted in, by `Metric.unit`."""

MORE_METRICS = "Its fields may declare more metrics; each is said there."
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def reference(kinds: Iterable[type[Check]], schema: Schema, pyproject: str) -> Document:
    """What every kind has, once, and then each kind by name. `pyproject` is the text of pyproject.toml."""
    extras = tomllib.loads(pyproject)["project"]["optional-dependencies"]
    shared = fields.rows(schema["properties"]["defaults"], schema["$defs"])
    return {
        "version": 1,
        "fields": shared,
        "reasons": member_docstrings(Reason),
        "kinds": {kind.kind: _of_kind(kind, schema, shared, extras.get(kind.kind, [])) for kind in kinds},
    }


def _of_kind(kind: type[Check], schema: Schema, shared: list[Row], requirements: list[str]) -> Document:
    title, *background = paragraphs(sys.modules[kind.__module__].__doc__)
    summary, *more = paragraphs(kind.__doc__)
    own = [row for row in fields.rows(schema["$defs"][kind.kind], schema["$defs"]) if row not in shared]
    return {
        "summary": first_sentence(summary),
        "question": sentence(title.partition(": ")[2] or title),
        "description": [summary, *more, *background],
        "extra": kind.kind if requirements else "",
        "distributions": [_distribution(requirement) for requirement in requirements],
        "example": kind.example.strip(),
        "fields": own,
        "metrics": [_of_metric(metric) for metric in _in_order(kind)],
        "surveys": [_of_survey(kind, name, own) for name in kind.surveys],
        "reasons": _reasons(kind.reasons),
        "permissions": kind.permissions.strip("\n"),
        "notes": _notes(kind),
    }


def _in_order(kind: type[Check]) -> list[Metric]:
    """Its metrics less the duration: those of the run first, then survey by survey, its own before shared ones."""
    own = [metric for metric in kind.declared.values() if metric is not DURATION]
    return sorted(own, key=lambda metric: (["", *kind.surveys].index(metric.survey), metric.key == metric.name))


def _of_metric(metric: Metric) -> Row:
    return {
        "name": metric.name,
        "key": metric.key,
        "type": metric.type,
        "unit": UNITS[metric.unit],
        "labels": list(metric.labels),
        "help": metric.help,
        "survey": metric.survey,
        "warn": metric.warn or "",
        "fail": metric.fail or "",
    }


def _of_survey(kind: type[Check], name: str, own: list[Row]) -> Row:
    survey = kind.surveys[name]
    defaults = {row["name"]: row["default"] for row in own}
    return {
        "name": name,
        "description": " ".join(paragraphs(getattr(kind, name).__doc__)),
        "interval": {"field": survey.interval, "default": defaults[survey.interval]},
        "timeout": {"field": survey.timeout, "default": defaults[survey.timeout]},
    }


def _reasons(own: Mapping[Reason, str]) -> dict[str, str]:
    """What this kind says of its reasons; what each means everywhere is said once, beside the kinds."""
    return {reason.value: sentence(own[reason]) for reason in Reason if reason in own}


def _notes(kind: type[Check]) -> list[str]:
    """About its metrics as a whole."""
    notes = paragraphs(kind.metrics.__doc__) if hasattr(kind, "metrics") else []
    if kind.metrics_declared is not Check.metrics_declared:
        notes.append(MORE_METRICS)
    return notes


def _distribution(requirement: str) -> str:
    """The name at the beginning of a requirement. Raises ValueError when there is none."""
    found = _DISTRIBUTION.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} of pyproject.toml names no distribution")
    return found[0]
