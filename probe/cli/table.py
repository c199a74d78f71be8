"""The board as a table in a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"healthy": "green", "unknown": "cyan", "degraded": "yellow", "unhealthy": "bold red"}


def show_table(rows: Iterable[Sequence[str]], summary: str) -> None:
    """Print rows of name, kind, health, reason, duration and remarks (a line each), and the summary below."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for column in ("CHECK", "KIND", "HEALTH", "REASON"):
        table.add_column(column, no_wrap=True)
    table.add_column("TOOK", justify="right", no_wrap=True)
    table.add_column("", overflow="fold", ratio=1)
    for name, kind, health, reason, took, remarks in rows:
        table.add_row(
            Text(name), Text(kind, style="dim"), Text(health, style=STYLES[health]), Text(reason), took, Text(remarks)
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(summary, style="dim")
