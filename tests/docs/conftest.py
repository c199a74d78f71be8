"""What the tests of the docs share: the kinds that come with probe, the tiny ones of tests/config, their documents."""

from collections.abc import Sequence
from pathlib import Path

from probe.check import Check
from probe.config.schema import Schema, schema
from probe.docs.reference import Document, reference
from probe.registry import Registry
from tests.config.conftest import REGISTRY as TINY_REGISTRY

ROOT = Path(__file__).parents[2]
REGISTRY = Registry()
NAMES = REGISTRY.names()
KINDS = [REGISTRY.find(name) for name in NAMES]
TINY = [TINY_REGISTRY.find(name) for name in ("pack", "sql", "web")]
PYPROJECT = """\
[project]
name = "stackprobe"

[project.optional-dependencies]
web = ["browser[fast]>=1,<2", "wires ; python_version > '3'"]
"""


def documents(kinds: Sequence[type[Check]], pyproject: str = PYPROJECT) -> tuple[Schema, Document]:
    """The schema and the reference of some kinds."""
    described = schema(kinds)
    return described, reference(kinds, described, pyproject)
