"""YAML 1.2's core schema for plain scalars: `off`, `yes`, `1:30` and dates stay text."""

import re

from probe.config.nodes import Value

_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)"
    r"|0o(?P<octal>[0-7]+)"
    r"|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<infinite>[-+]?)\.(?:inf|Inf|INF)"
    r"|\.(?:nan|NaN|NAN)"
)
_WORDS: dict[str, Value] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 300
"""Characters; longer ones stay text: Python itself refuses to read them from some length on."""


def plain_value(text: str) -> Value:
    """What a plain scalar (no quotes, no tag) means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    number = _NUMBER.fullmatch(text)
    return text if number is None else _number(number)


def _number(number: re.Match[str]) -> int | float:
    match number.lastgroup:
        case "int":
            return int(number[0])
        case "octal":
            return int(number["octal"], 8)
        case "hex":
            return int(number["hex"], 16)
        case "float":
            return float(number[0])
        case "infinite":
            return float(f"{number['infinite']}inf")
        case _:
            return float("nan")
