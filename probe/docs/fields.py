"""The fields of a kind as rows for people, read from the JSON Schema: an editor and a page then say the same."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from probe.check import Duration, Ratio, Size
from probe.config.schema import VARIABLE, Schema
from probe.docs.wording import Row, joined, paragraphs

QUANTITIES = {
    branch["pattern"]: word
    for word, quantity in (("duration", Duration), ("size", Size), ("ratio", Ratio))
    for described in [TypeAdapter(quantity).json_schema()]
    for branch in described.get("anyOf", [described])
    if "pattern" in branch
}
"""How durations, sizes and ratios are told apart: by the pattern of their text."""

WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
    "array": "list",
}
FORMATS = {"password": "secret", "regex": "regular expression"}
_PLURAL = frozenset(["map", "list", "text", "number", "whole number", *QUANTITIES.values(), *FORMATS.values()])
_REFERENCE = "#/$defs/"


def rows(described: Schema, definitions: Mapping[str, Schema]) -> list[Row]:
    """Every field of a definition of the schema, those of models within it below their field, as `tls.ca`."""
    return list(_rows(described, definitions, "", frozenset()))


def _rows(described: Schema, definitions: Mapping[str, Schema], prefix: str, above: frozenset[str]) -> Iterator[Row]:
    """`above` are the models that these fields stand in, as one may hold itself."""
    required = described.get("required", [])
    for name, field in described["properties"].items():
        if name == "kind":
            continue
        yield {
            "name": prefix + name,
            "type": joined(_types(field)),
            "required": name in required,
            "default": _default(field.get("default")),
            "description": " ".join(paragraphs(field.get("description", ""))),
        }
        for place, model in _models(field, prefix + name):
            if model not in above:
                yield from _rows(definitions[model], definitions, f"{place}.", above | {model})


def _types(field: Schema) -> list[str]:
    """What a value may be, in words, each once; what is written as it stands is in backticks."""
    words: list[str] = []
    for branch in field.get("anyOf", [field]):
        words += (word for word in _words(branch) if word not in words)
    if "ratio" in words:
        words.remove("number")  # a ratio is written in two ways
    if "map" in words and "true or false" in words:
        words = [word for word in words if word != "true or false"] + ["true", "false"]
    return words


def _words(branch: Schema) -> list[str]:
    if "$ref" in branch:
        return [] if branch["$ref"] == _REFERENCE + VARIABLE else ["map"]
    if "enum" in branch:
        return [f"`{value}`" for value in branch["enum"]]
    if branch.get("pattern") in QUANTITIES:
        return [QUANTITIES[branch["pattern"]]]
    if branch.get("format") in FORMATS:
        return [FORMATS[branch["format"]]]
    types = branch.get("type", [])
    return [_word(branch, name) for name in ([types] if isinstance(types, str) else types) if name != "null"]


def _word(branch: Schema, name: str) -> str:
    inner = branch.get({"array": "items", "object": "additionalProperties"}.get(name, ""))
    if isinstance(inner, dict) and (types := _types(inner)):
        return f"{WORDS[name]} of {joined([word + 's' if word in _PLURAL else word for word in types])}"
    low, high = branch.get("minimum"), branch.get("maximum")
    if low is None:
        return WORDS[name]
    return f"{WORDS[name]} from {low}" + ("" if high is None else f" to {high}")


def _default(value: Any) -> str:
    """As a config has it; empty for none, and for one that is nothing."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _models(field: Schema, place: str) -> Iterator[tuple[str, str]]:
    """The models that a field may hold, and where: `tls`, `dialogue[]`, `queries.<name>`."""
    for branch in field.get("anyOf", [field]):
        if branch.get("$ref", _REFERENCE + VARIABLE) != _REFERENCE + VARIABLE:
            yield place, branch["$ref"].removeprefix(_REFERENCE)
        if isinstance(branch.get("items"), dict):
            yield from _models(branch["items"], f"{place}[]")
        if isinstance(branch.get("additionalProperties"), dict):
            yield from _models(branch["additionalProperties"], f"{place}.<name>")
