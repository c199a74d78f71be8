"""What JSON must hold: `status: healthy`, `checks.db.status: ok`, `queue.depth: "< 100"`."""

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from probe.exchange.patterns import compiled

_OPERATOR = re.compile(r"(?P<op>>=|<=|==|!=|!~|>|<|~)\s*(?P<operand>.*)", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_ABSENT = object()


def differences(expected: Mapping[str, Any], found: Any, place: str = "") -> Iterator[str]:
    """Where JSON is not as `Expect.json` says, in words: `queue.depth < 100, got 250`."""
    for path, wanted in expected.items():
        here = f"{place}.{path}" if place else str(path)
        value = _at(found, str(path))
        if value is _ABSENT:
            yield f"{here} {_show_wanted(wanted)}, which is not there"
        elif isinstance(wanted, Mapping) and isinstance(value, dict | list):
            yield from differences(wanted, value, here)
        elif not _holds(wanted, value):
            yield f"{here} {_show_wanted(wanted)}, got {json.dumps(value, ensure_ascii=False)}"


def _at(found: Any, path: str) -> Any:
    """What stands at a path; a key that holds dots itself is found first."""
    if isinstance(found, dict) and path in found:
        return found[path]
    first, dot, rest = path.partition(".")
    value: Any = _ABSENT
    if isinstance(found, dict):
        value = found.get(first, _ABSENT)
    elif isinstance(found, list):
        if first == "length":
            value = len(found)
        elif first.isdecimal() and len(first) < 10 and int(first) < len(found):
            value = found[int(first)]
    return _at(value, rest) if dot and value is not _ABSENT else value


def _holds(wanted: Any, value: Any) -> bool:
    rule = _OPERATOR.fullmatch(wanted) if isinstance(wanted, str) else None
    if rule is None:
        return _equal(wanted, value)
    op, operand = rule["op"], rule["operand"].strip()
    if op in ("~", "!~"):
        text = value if isinstance(value, str) else json.dumps(value)
        return (re.search(operand, text) is not None) == (op == "~")
    bound = _scalar(operand)
    if op in ("==", "!="):
        return _equal(bound, value) == (op == "==")
    comparable = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (bound, value))
    return comparable and _COMPARE[op](value, bound)


def _equal(wanted: Any, value: Any) -> bool:
    """Equal as JSON has it: true is not 1, but 1 is 1.0."""
    return isinstance(wanted, bool) == isinstance(value, bool) and bool(wanted == value)


def _scalar(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _show_wanted(wanted: Any) -> str:
    if isinstance(wanted, str) and _OPERATOR.fullmatch(wanted):
        return wanted
    return wanted if isinstance(wanted, str) else json.dumps(wanted, ensure_ascii=False, default=str)


def rule_problems(expected: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Rules of `Expect.json` that can never hold, by where they stand: a bad regex, an order without a number."""
    for key, wanted in expected.items():
        here = (*path, str(key))
        if isinstance(wanted, Mapping):
            yield from rule_problems(wanted, here)
        elif isinstance(wanted, str) and (rule := _OPERATOR.fullmatch(wanted)):
            operand = rule["operand"].strip()
            if rule["op"] in ("~", "!~"):
                try:
                    compiled(operand)
                except re.error as error:
                    yield here, f"{operand!r} is no regular expression: {error}"
            elif rule["op"] in _COMPARE and not isinstance(_scalar(operand), int | float):
                yield here, f'{operand!r} is no number; write {rule["op"]} and a number, as in "{rule["op"]} 100"'
