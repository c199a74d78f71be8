"""An import points only downwards, or to the left on the same line; there is no cycle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "probe"
LAYERS = """
    cli
    agent demo
    api server
    scheduler exporter docs
    registry config runner state
    kinds
    exchange
    check log
    model units redact
"""
"""Top to bottom. Left of a name on its own line stands what it may import too."""

PLACES = {
    name: (row, column) for row, line in enumerate(LAYERS.split("\n")) for column, name in enumerate(line.split())
}
ONLY_IN = {
    "asyncpg": {"kinds", "demo"},
    "redis": {"kinds", "demo"},
    "aioboto3": {"kinds", "demo"},
    "botocore": {"kinds"},
    "langfuse": {"kinds"},
    "httpx": {"kinds"},
    "apscheduler": {"scheduler"},
    "prometheus_client": {"exporter", "server"},
    "uvloop": {"agent", "cli"},
}
"""Drivers, and what else is known in one place."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_downwards(path: Path) -> None:
    own = part_of(path)
    if own in ("__init__", "__main__"):
        return
    row, column = PLACES[own]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "probe" and len(parts) > 1 and parts[1] != own:
            other_row, other_column = PLACES[parts[1]]
            assert other_row > row or (other_row == row and other_column < column), f"{name_of(path)} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_driver_is_known_in_one_place(path: Path) -> None:
    for name in imports(path):
        if name.startswith("prometheus_client.parser"):
            continue  # it reads what others expose, which is a matter of kinds
        allowed = ONLY_IN.get(name.partition(".")[0])
        assert allowed is None or part_of(path) in allowed, f"{name_of(path)} imports {name}"


def test_kinds_do_not_import_each_other() -> None:
    for path in (ROOT / "kinds").rglob("*.py"):
        own = path.relative_to(ROOT / "kinds").with_suffix("").parts[0]
        for name in imports(path):
            parts = name.split(".")
            assert parts[:2] != ["probe", "kinds"] or len(parts) < 3 or parts[2] == own, (
                f"{name_of(path)} imports {name}"
            )


def test_there_is_no_cycle() -> None:
    known = {name_of(path): path for path in modules()}
    graph = {name: {found for found in imports(path) if found in known} - {name} for name, path in known.items()}
    done: set[str] = set()
    while ready := {name for name in graph.keys() - done if not _inner(graph[name], name) - done}:
        done |= ready
    assert graph.keys() == done, f"a cycle among {sorted(graph.keys() - done)}"


def _inner(found: set[str], name: str) -> set[str]:
    """Imports that count: a module of a package does not wait for its own package's __init__, which re-exports it."""
    return {other for other in found if not name.startswith(f"{other}.")}


def test_only_the_runner_catches_everything() -> None:
    broad = [
        name_of(path)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and _names(node.type) & {"", "Exception", "BaseException"}
        if not _raises_again(node)
    ]
    assert broad == ["probe.runner.run"]


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and passing the error on catches nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _names(node: ast.expr | None) -> set[str]:
    if node is None:
        return {""}
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
