"""What was generated, as it came with the wheel: read without importing any kind."""

import json
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from typing import Any

FOLDER = "generated"
"""Of the package `probe`: what it ships besides code."""

SCHEMA, REFERENCE = "schema.json", "kinds.json"


def schema_text() -> str:
    """The JSON Schema of a config."""
    return (files("probe") / FOLDER / SCHEMA).read_text("utf-8")


def read_reference() -> dict[str, Any]:
    """What `probe.docs.reference` made of the kinds."""
    document: dict[str, Any] = json.loads((files("probe") / FOLDER / REFERENCE).read_text("utf-8"))
    return document


def is_installed(kind: dict[str, Any]) -> bool:
    """Whether the distributions that a kind needs are there, of whatever version."""
    return all(_is_there(name) for name in kind["distributions"])


def _is_there(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
