"""Parts of a page in GitHub's Markdown."""

from collections.abc import Iterable, Sequence

from probe.docs.wording import blocks


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns without any text are left out, and no table at all is empty."""
    listed = [list(row) for row in rows]
    used = [column for column in range(len(head)) if any(row[column] for row in listed)]
    lines = [[head[column] for column in used], ["---"] * len(used)]
    lines += [[_cell(row[column]) for column in used] for row in listed]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if listed else ""


def code(text: str) -> str:
    """A span of code; empty for nothing."""
    return f"`{text}`" if text else ""


def fenced(text: str, language: str = "") -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"


def mixed(text: str) -> str:
    """A text that is code, or prose with code between."""
    return page(fenced(part) if is_code else part for is_code, part in blocks(text))


def page(parts: Iterable[str]) -> str:
    """Parts with an empty line between them; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
