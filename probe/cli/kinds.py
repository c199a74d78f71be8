"""`probe kinds`: what can be checked, and all there is to know about one kind; no driver is imported for it."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from probe.check import suggestion
from probe.cli.board import OUTPUTS
from probe.docs.shipped import is_installed, read_reference
from probe.docs.wording import blocks

LONGEST_DETAIL = 28
"""Characters of a type that widen its column; a longer one is folded."""

Document = Mapping[str, Any]


class Entry(NamedTuple):
    """A field, a metric or a reason; every part is a text for people."""

    name: str
    detail: str
    text: str
    remark: str = ""


class Section(NamedTuple):
    """A part of what is shown of a kind: a remark on the whole, entries, texts and whether each is code to paste."""

    title: str
    remark: str = ""
    entries: tuple[Entry, ...] = ()
    texts: tuple[tuple[bool, str], ...] = ()


@click.command(name="kinds")
@click.argument("kind", required=False)
@click.option("--output", "-o", type=click.Choice(OUTPUTS), help="Default: for people on a terminal, else plain.")
def command(kind: str | None, output: str | None) -> None:
    """List what can be checked, or show one KIND: its fields, metrics, limits, reasons and permissions."""
    reference = read_reference()
    kinds = reference["kinds"]
    if kind is not None and kind not in kinds:
        raise click.BadParameter(f'no kind "{kind}"{suggestion(kind, kinds)}', param_hint="KIND")
    for each in kinds.values():
        each["installed"] = is_installed(each)
    if output == "json":
        chosen = kinds if kind is None else {kind: kinds[kind]}
        del reference["$comment"]
        click.echo(json.dumps({**reference, "kinds": chosen}, indent=2, ensure_ascii=False))
        return
    for_people = output == "table" or (output is None and sys.stdout.isatty())
    if kind is None:
        (_show_list if for_people else _print_list)(kinds)
    else:
        (_show_kind if for_people else _print_kind)(kind, kinds[kind], list(_sections(kind, reference)))


def _show_list(kinds: Mapping[str, Document]) -> None:
    table = _table("KIND", "", "DRIVER")
    for name, kind in kinds.items():
        driver = Text(_driver(kind), style="" if kind["installed"] else "yellow")
        table.add_row(Text(name, style="bold"), _text(kind["summary"]), driver)
    console = Console(highlight=False)
    console.print(table)
    console.print("probe kinds KIND shows fields, metrics, limits, reasons and permissions", style="dim")


def _print_list(kinds: Mapping[str, Document]) -> None:
    """Tab-separated: name, whether its driver is there, summary."""
    for name, kind in kinds.items():
        click.echo(f"{name}\t{_driver(kind)}\t{kind['summary']}")


def _driver(kind: Document) -> str:
    if not kind["extra"]:
        return "none needed"
    return "installed" if kind["installed"] else f"pip install 'stackprobe[{kind['extra']}]'"


def _show_kind(name: str, kind: Document, sections: list[Section]) -> None:
    console = Console(highlight=False)
    console.print(Text.assemble((name, "bold"), "  ", (kind["question"], "italic")))
    for paragraph in kind["description"]:
        console.print(Padding(_text(paragraph), (1, 0, 0, 0)))
    if not kind["installed"]:
        console.print(Padding(Text(f"Its driver is not installed: {_driver(kind)}", style="yellow"), (1, 0, 0, 0)))
    for section in sections:
        console.print()
        console.print(Text.assemble((section.title, "bold"), (f"  {section.remark}".rstrip(), "dim")))
        if section.entries:
            console.print(Padding(_entries(section.entries), (0, 0, 0, 2)))
        for place, (is_code, text) in enumerate(section.texts):
            if place and not is_code:
                console.print()
            console.print(Text(text) if is_code else _text(text), soft_wrap=is_code)  # code at the left and uncut


def _entries(entries: tuple[Entry, ...]) -> Table:
    table = _table(None, None)
    names, details = ([len(entry[part]) for entry in entries] for part in (0, 1))
    table.columns[0].width = max(*names, min(max(details), LONGEST_DETAIL))  # a name is never cut, to be copied
    for entry in entries:
        head = Text(entry.name, style="bold cyan")
        if entry.detail:
            head.append(f"\n{entry.detail}", style="not bold dim default")
        text = _text(entry.text)
        if entry.remark:
            text.append(f"\n{entry.remark}", style="yellow")
        table.add_row(head, text)
    return table


def _print_kind(name: str, kind: Document, sections: list[Section]) -> None:
    """Entries are tab-separated: name, detail, text, remark."""
    click.echo(f"{name}: {kind['question']}")
    for paragraph in kind["description"]:
        click.echo(paragraph)
    click.echo(f"driver: {_driver(kind)}")
    for section in sections:
        click.echo(f"\n{section.title}" + (f" ({section.remark})" if section.remark else ""))
        for entry in section.entries:
            click.echo("\t".join(entry).rstrip("\t"))
        for place, (is_code, text) in enumerate(section.texts):
            click.echo(text if is_code or not place else f"\n{text}")


def _sections(name: str, reference: Document) -> Iterator[Section]:
    kind = reference["kinds"][name]
    yield Section("EXAMPLE", texts=((True, kind["example"]),))
    yield Section("FIELDS", entries=_fields(kind["fields"]))
    notes = " ".join([f"In Prometheus probe_{name}_…, unless named in full.", *kind["notes"]])
    yield Section("METRICS", notes, _metrics(kind, ""))
    for survey in kind["surveys"]:
        interval, timeout = survey["interval"], survey["timeout"]
        pace = f"Every {interval['field']} ({interval['default']}), at most {timeout['field']} ({timeout['default']})."
        remark = f"{survey['description']} {pace}".lstrip()
        yield Section(f"METRICS OF THE SURVEY {survey['name']}", remark, _metrics(kind, survey["name"]))
    yield Section("REASONS", entries=_reasons(kind["reasons"], reference["reasons"]))
    if kind["permissions"]:
        yield Section("PERMISSIONS", texts=tuple(blocks(kind["permissions"])))
    yield Section("FIELDS OF EVERY KIND", entries=_fields(reference["fields"]))


def _fields(rows: list[Document]) -> tuple[Entry, ...]:
    return tuple([Entry(row["name"], row["type"], row["description"], _remark(row)) for row in rows])


def _remark(row: Document) -> str:
    if row["required"]:
        return "required"
    return f"default {row['default']}" if row["default"] else ""


def _metrics(kind: Document, survey: str) -> tuple[Entry, ...]:
    return tuple(
        [
            Entry(
                metric["key"],
                metric["type"] + (f" {{{', '.join(metric['labels'])}}}" if metric["labels"] else ""),
                metric["help"],
                ", ".join(f"{level} {metric[level]}" for level in ("warn", "fail") if metric[level]),
            )
            for metric in kind["metrics"]
            if metric["survey"] == survey
        ]
    )


def _reasons(own: Mapping[str, str], meanings: Mapping[str, str]) -> tuple[Entry, ...]:
    return tuple(
        [Entry(reason, "", " ".join(filter(None, (means, own.get(reason))))) for reason, means in meanings.items()]
    )


def _table(*columns: str | None) -> Table:
    """The second column takes the width that is left. Without a first title there is no head."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim", show_header=columns[0] is not None)
    for place, title in enumerate(columns):
        table.add_column(title or "", ratio=1 if place == 1 else None, overflow="fold")
    return table


def _text(text: str) -> Text:
    """With what stands in backticks in another colour."""
    shown = Text(text)
    shown.highlight_regex(r"`[^`]+`", "cyan")
    return shown
