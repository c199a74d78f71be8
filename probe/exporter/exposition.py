"""The lines of all checks to one text: families contiguous, each under its HELP and TYPE, checks as configured."""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from probe.exporter.families import DURATION_BUCKETS, FAMILIES, Described
from probe.exporter.render import Rendered
from probe.state import Board

_UNITS = ("seconds", "bytes", "ratio")
_COMMON = tuple(family.name for family in FAMILIES)


class Format(Enum):
    """A text format; its value is the content type that says so."""

    TEXT = CONTENT_TYPE_PLAIN_0_0_4
    OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST


def exposition(board: Board, rendered: Mapping[str, Rendered], form: Format, agent: CollectorRegistry) -> bytes:
    """All series: those of the checks, then those of the agent itself, and the end where the format has one."""
    return b"".join([*_pieces(board, rendered, form), _of_agent(agent, form)])


def _pieces(board: Board, rendered: Mapping[str, Rendered], form: Format) -> list[bytes]:
    """The series of the checks, family by family."""
    hidden = None if any(check.histogram for check in board.checks.values()) else DURATION_BUCKETS
    found: dict[str, tuple[Described, list[bytes]]] = {}
    for check in board.checks:
        for family, lines in rendered[check].parts:
            if family is hidden:
                continue
            place = found.get(family.name)
            if place is None:
                place = found[family.name] = (family, [])
            place[1].append(lines)
    pieces: list[bytes] = []
    for name in (*_COMMON, *sorted(found.keys() - set(_COMMON))):
        if name in found:
            family, parts = found[name]
            pieces.append(_header(family.name, family.type, family.help, form))
            pieces += parts
    return pieces


def _of_agent(agent: CollectorRegistry, form: Format) -> bytes:
    if form is Format.OPENMETRICS:
        return bytes(openmetrics.generate_latest(agent))  # type: ignore[no-untyped-call]  # not annotated there
    return generate_latest(agent)


@lru_cache(maxsize=4096)
def _header(name: str, type: str, help: str, form: Format) -> bytes:
    """HELP and TYPE, and UNIT where the format has it; OpenMetrics names a counter's family without `_total`."""
    text = help.replace("\\", r"\\").replace("\n", r"\n")
    if form is Format.TEXT:
        return f"# HELP {name} {text}\n# TYPE {name} {type}\n".encode(errors="replace")
    if type == "counter":
        name = name.removesuffix("_total")
    text = text.replace('"', r"\"")
    unit = next((f"# UNIT {name} {unit}\n" for unit in _UNITS if name.endswith("_" + unit)), "")
    return f"# HELP {name} {text}\n# TYPE {name} {type}\n{unit}".encode(errors="replace")
