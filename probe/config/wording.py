"""Pydantic's errors in our words, each at the place of the key or value that it is about."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from probe import units
from probe.check import suggestion
from probe.config.annotations import keys_at
from probe.config.nodes import Entry, Found, List, Map, Node, Scalar, follow
from probe.config.places import Place, quoted

MOST_OF_ONE = 100
"""Complaints about one check."""

Said = tuple[Place, str, Found]
_MUST_BE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "path_type": "a path",
    "none_required": "left out",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def complaints_of(
    error: ValidationError, start: Entry, model: type[BaseModel], besides: Sequence[str] = ()
) -> Iterator[Said]:
    """What is wrong, where, and with what. `start` is what was validated as `model`.

    `besides` are keys that are right there too, though they are no fields.
    """
    errors = [(follow(start, detail["loc"]), detail) for detail in error.errors(include_url=False)[:MOST_OF_ONE]]
    for _, group in groupby(errors, key=lambda pair: _union_of(*pair)):
        branches = list(group)
        deepest = max(len(found.path) for found, _ in branches)
        yield from _of_branches([pair for pair in branches if len(pair[0].path) == deepest], model, besides)


def _union_of(found: Found, detail: ErrorDetails) -> object:
    """What errors of the branches of one union share: the path up to the branch's name."""
    location = detail["loc"]
    taken = len([1 for step, there in zip(location, found.path, strict=False) if step == there])
    names_key = detail["type"] in ("missing", "extra_forbidden") and taken >= len(location) - 1
    return location if taken == len(location) or names_key else ("union", *location[:taken])


def _of_branches(
    branches: list[tuple[Found, ErrorDetails]], model: type[BaseModel], besides: Sequence[str]
) -> Iterator[Said]:
    """One complaint for what every branch of a union asks of the same value; the others as they are."""
    shapes = list(dict.fromkeys(shape for _, detail in branches if (shape := _shape(detail))))
    others = [pair for pair in branches if not _shape(pair[1])]
    if len(shapes) > 1 and not others:
        found = branches[0][0]
        yield found.node.place, f"must be {', '.join(shapes[:-1])} or {shapes[-1]}", found
        return
    for found, detail in others or branches[:1]:
        about_key = detail["type"] in ("missing", "extra_forbidden")
        yield found.place if about_key else found.node.place, _message(found, detail, model, besides), found


def _shape(detail: ErrorDetails) -> str:
    """What the value must be, for an error that says no more than that."""
    if detail["type"] in ("literal_error", "enum"):
        return str(detail["ctx"]["expected"])
    return _MUST_BE.get(detail["type"], "")


def _message(found: Found, detail: ErrorDetails, model: type[BaseModel], besides: Sequence[str]) -> str:
    kind, node = detail["type"], found.node
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        known = [*keys_at(model, detail["loc"][:-1]), *(besides if len(detail["loc"]) == 1 else ())]
        return f"unknown key {quoted(key)}{suggestion(key, known)}"
    if kind == "missing":
        return f"{quoted(str(detail['loc'][-1]))} is missing; it has no default"
    return _of_value(detail, node)


def _of_value(detail: ErrorDetails, node: Node) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if isinstance(node, Scalar) and node.value is None:
        return "has no value; give it one, or remove the key for its default"
    if shape := _shape(detail):
        return f"must be {shape}{_mend(shape, node)}"
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"must be {words} {_as_written(float(context[bound]), node)}"
    if kind == "unit" and not isinstance(node, Scalar):
        return f"must be one value{_mend('', node)}"
    return _of_other(detail, context)


def _of_other(detail: ErrorDetails, context: Mapping[str, Any]) -> str:
    match detail["type"]:
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}"
        case "string_too_short" | "too_short" if context["min_length"] == 1:
            return "must not be empty"
        case "string_too_short" | "too_short":
            return f"is too short; its length must be {context['min_length']} at least"
        case "string_too_long" | "too_long":
            return f"is too long; its length may be {context['max_length']} at most"
        case "value_error" | "assertion_error":
            return str(context["error"])
    return detail["msg"].replace("Input should be", "must be")


def _mend(shape: str, node: Node) -> str:
    if isinstance(node, List):
        return ", not a list"
    if isinstance(node, Map):
        return ", not a mapping"
    return {"text": "; put it in quotes", "a list": ", as in [a, b]", "a mapping": ", as in {key: value}"}.get(
        shape, ""
    )


def _as_written(bound: float, node: Node) -> str:
    """A bound in the unit of the value that missed it."""
    if isinstance(node, Scalar):
        for read, unit in ((units.seconds, "s"), (units.size, "B")):
            try:
                read(node.text)
            except units.UnitError:
                continue
            return f"{bound:g}{unit}"
    return f"{bound:g}"
