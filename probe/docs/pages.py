"""The pages in docs/: one a kind, their index, and the metrics that do not belong to a kind."""

from collections.abc import Iterable, Mapping, Sequence

from probe.docs.markdown import code, fenced, mixed, page, table
from probe.docs.reference import Document
from probe.docs.wording import Row
from probe.exporter import AGENT_FAMILIES, FAMILIES, Described

EDITOR = """\
An editor that speaks YAML completes and checks a config that begins with the address of its schema:"""


def of_kind(name: str, kind: Document, reasons: Mapping[str, str]) -> str:
    """All there is to know about one kind."""
    return page(
        [
            f"# {name}",
            f"*{kind['question']}*",
            *kind["description"],
            f"Its driver is an extra: `{pip(kind)}`" if kind["extra"] else "",
            "## Example",
            fenced(kind["example"], "yaml"),
            "## Fields",
            _fields(kind["fields"]),
            "Besides these, the [fields of every kind](README.md#fields-of-every-kind).",
            "## Metrics",
            *kind["notes"],
            "Every series carries the check's name as `check`, its `kind` and its own labels. What every check has "
            "stands in [metrics](../metrics.md).",
            *_metrics(kind),
            "## Reasons",
            table(("reason", "means", f"for {name}"), reasons_of(kind, reasons)),
            "## Permissions" if kind["permissions"] else "",
            mixed(kind["permissions"]),
        ]
    )


def of_index(reference: Document) -> str:
    """What there is to check, and what all kinds have."""
    return page(
        [
            "# Kinds",
            "What can be checked. In a terminal: `probe kinds`, `probe kinds redis`.",
            table(
                ("kind", "what", "driver"),
                (
                    (f"[{name}]({name}.md)", kind["summary"], code(pip(kind)))
                    for name, kind in reference["kinds"].items()
                ),
            ),
            EDITOR,
            fenced("probe schema > probe.schema.json", "sh"),
            fenced("# yaml-language-server: $schema=probe.schema.json", "yaml"),
            "## Fields of every kind",
            _fields(reference["fields"]),
            "They may stand under `defaults:`, too, for all checks of the file.",
            "## Reasons",
            "A run has one reason. Besides `ok`:",
            table(("reason", "means"), ((code(reason), means) for reason, means in reference["reasons"].items())),
        ]
    )


def of_metrics() -> str:
    """The families of every check, and those of the agent."""
    return page(
        [
            "# Metrics",
            "The numbers of each kind are on [its page](kinds/README.md). Besides the labels named here, the "
            "series of a check carry its name as `check`, its `kind` and its own labels.",
            "## Of every check",
            _families(FAMILIES),
            "## Of the agent itself",
            _families(AGENT_FAMILIES),
            "And `process_*`, as every client of Prometheus has them: CPU, memory, open files, start time.",
        ]
    )


def pip(kind: Document) -> str:
    """The command that installs what a kind needs; empty when it needs nothing."""
    return f"pip install 'stackprobe[{kind['extra']}]'" if kind["extra"] else ""


def limits_of(metric: Row) -> list[str]:
    """The default limits of a metric, as people write them."""
    return [f"{level} {metric[level]}" for level in ("warn", "fail") if metric[level]]


def reasons_of(kind: Document, reasons: Mapping[str, str]) -> Iterable[Sequence[str]]:
    """Reason, what it means everywhere, and what it means for a kind."""
    return ((code(reason), means, kind["reasons"].get(reason, "")) for reason, means in reasons.items())


def _fields(rows: Iterable[Row]) -> str:
    return table(
        ("field", "type", "default", ""),
        (
            (
                code(row["name"]),
                row["type"],
                "**required**" if row["required"] else code(row["default"]),
                row["description"],
            )
            for row in rows
        ),
    )


def _metrics(kind: Document) -> Iterable[str]:
    yield _table_of_metrics(metric for metric in kind["metrics"] if not metric["survey"])
    for survey in kind["surveys"]:
        interval, timeout = survey["interval"], survey["timeout"]
        yield f"### Survey {code(survey['name'])}"
        yield survey["description"]
        yield (
            f"Every `{interval['field']}` ({interval['default']}), for at most `{timeout['field']}` "
            f"({timeout['default']})."
        )
        yield _table_of_metrics(metric for metric in kind["metrics"] if metric["survey"] == survey["name"])


def _table_of_metrics(metrics: Iterable[Row]) -> str:
    return table(
        ("metric", "type", "labels", "says", "default limits"),
        (
            (
                code(metric["name"]),
                metric["type"],
                ", ".join(code(label) for label in metric["labels"]),
                metric["help"],
                ", ".join(code(limit) for limit in limits_of(metric)),
            )
            for metric in metrics
        ),
    )


def _families(families: Iterable[Described]) -> str:
    return table(
        ("metric", "type", "labels", "says"),
        (
            (code(family.name), family.type, ", ".join(code(label) for label in family.labels), family.help)
            for family in families
        ),
    )
