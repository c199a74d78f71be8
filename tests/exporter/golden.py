"""One golden exposition a kind: names, labels, types and help are held; values, which differ each time, are not.

A kind's test folds a real run and compares:

    golden.compare(check, await run(check), Path(__file__).with_name("golden"))

PROBE_REWRITE_GOLDEN=1 writes the files anew instead; look at the difference before committing it.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry

from probe.check import Check
from probe.exporter import Format, exposition, render
from probe.model import Result
from probe.state import one_shot

REWRITE = "PROBE_REWRITE_GOLDEN"
_SERIES = re.compile(r"(?P<name>[^{ ]+)(?P<labels>\{.*\})? (?P<value>\S+)")
_LABEL = re.compile(r'(?P<name>[a-zA-Z_]\w*)="(?P<value>(?:[^"\\]|\\.)*)"')


def compare(
    check: Check, results: Result | Iterable[Result], folder: Path, *, any_value_of: Iterable[str] = ()
) -> None:
    """Fail with the difference when the exposition of a check after these results is not that of its file.

    The file is `<folder>/<kind>.txt`. `any_value_of` names labels whose values differ from place to place, such
    as `version`: they are masked, and of series that are then equal one is kept.
    """
    folded = [results] if isinstance(results, Result) else results
    compare_text(exposed(check, *folded), folder / f"{check.kind}.txt", any_value_of=any_value_of)


def compare_text(text: str, path: Path, *, any_value_of: Iterable[str] = ()) -> None:
    """The same for a text of any origin."""
    found = masked(text, any_value_of)
    if os.environ.get(REWRITE):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found)
    assert path.exists(), f"no golden file {path}; write it with {REWRITE}=1"
    assert found.splitlines() == path.read_text().splitlines(), f"not as in {path}; if that is meant, {REWRITE}=1"


def exposed(check: Check, *results: Result) -> str:
    """The exposition (0.0.4) of one check after its run and its surveys, as `probe check` folds them."""
    board = one_shot({check.name: check}, results)
    rendered = {check.name: render(check, board[check.name])}
    return exposition(board, rendered, Format.TEXT, CollectorRegistry()).decode()


def masked(text: str, any_value_of: Iterable[str] = ()) -> str:
    """The text with `*` for every value, and for the values of these labels; the numbers of equal series are lost."""
    free = frozenset(any_value_of)
    lines: dict[str, None] = {}
    for line in text.splitlines():
        lines[line if line.startswith("#") else _masked_series(line, free)] = None
    return "".join(f"{line}\n" for line in lines)


def _masked_series(line: str, free: frozenset[str]) -> str:
    found = _SERIES.fullmatch(line)
    assert found is not None, f"no series: {line}"

    def label(pair: re.Match[str]) -> str:
        return f'{pair["name"]}="*"' if pair["name"] in free else pair[0]

    return f"{found['name']}{_LABEL.sub(label, found['labels'] or '')} *"
