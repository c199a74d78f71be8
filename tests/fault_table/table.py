"""The rows of the table: every kind that the registry finds, and every fault that it can meet."""

import importlib
import importlib.util
from collections.abc import Iterator
from typing import NamedTuple

from probe.model import Reason
from probe.registry import Registry
from tests.fault_table.everywhere import FAULTS
from tests.fault_table.rows import OWN, Expected, Own, Rows

KINDS = Registry().names()
DEAD_DNS = "a DNS server that answers nothing"


class Row(NamedTuple):
    """One kind and one fault; `words` are in each message, `service` must be installed for it.

    With a `problem` there is no such row: the kind's test module must be mended.
    """

    kind: str
    fault: str
    expected: Expected
    words: str = ""
    service: str = ""
    problem: str = ""

    def reason_of(self, name: str) -> Reason:
        """The expected reason of the run (empty name) or a survey."""
        return self.expected if isinstance(self.expected, Reason) else self.expected.get(name, self.expected[""])


class NoRows(Exception):
    """A kind's test module does not say what the table must know; the message says what."""


def rows_of(kind: str) -> Rows:
    """What the kind's test module says. Raises NoRows."""
    place = f"tests.kinds.test_{kind}"
    module = importlib.import_module(place) if importlib.util.find_spec(place) else None
    rows = getattr(module, "ROWS", None)
    if not isinstance(rows, Rows):
        raise NoRows(f"{place} must define ROWS, as tests/fault_table/rows.py describes")
    missing = [fault for fault in OWN if fault not in rows.own]
    if missing:
        raise NoRows(f"ROWS of {place} must say how to meet, or why there is no: {', '.join(missing)}")
    return rows


def table() -> list[Row]:
    """All of it. A kind that says nothing has one row, which is a problem."""
    found = {}
    silent = []
    for kind in KINDS:
        try:
            found[kind] = rows_of(kind)
        except NoRows as error:
            silent.append(Row(kind, "its rows", Reason.OK, problem=str(error)))
    return [*silent, *(row for kind in found for row in _rows_of_one(kind, found))]


def server_of(kind: str) -> str:
    """The fault of being pointed at another kind's server."""
    return f"the server of {kind}"


def _rows_of_one(kind: str, every: dict[str, Rows]) -> Iterator[Row]:
    rows = every[kind]
    usual = {name: Row(kind, name, fault.reason, fault.words) for name, fault in FAULTS.items()}
    usual[DEAD_DNS] = Row(kind, DEAD_DNS, Reason.DNS, "no answer from DNS within 1.0 s", "namespaces")
    for other, theirs in every.items():
        if other != kind:
            met = server_of(other)
            usual[met] = Row(kind, met, theirs.strangers.get(kind, theirs.strangers.get("", Reason.PROTOCOL)))
    for name, own in rows.own.items():
        if isinstance(own, Own):
            usual[name] = Row(kind, name, own.expected, "", own.service)
    for name in rows.differs.keys() - usual.keys():
        yield Row(kind, name, Reason.OK, problem=f"ROWS of {kind} differs in a fault that there is not")
    for name, row in usual.items():
        yield row._replace(expected=rows.differs[name], words="") if name in rows.differs else row
