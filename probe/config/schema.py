"""The JSON Schema of a config file, for editors: made of the same classes that read it."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from probe.check import Check
from probe.check.fields import Duration, Size
from probe.config.annotations import key_of
from probe.config.checks import LONGEST_NAME
from probe.config.docstrings import docstrings_of
from probe.config.settings import Settings
from probe.units import BYTES, SECONDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE = "variable"
"""The definition of a text with a `${…}` in it, which may stand for any value."""

Schema = dict[str, Any]
_DURATION = TypeAdapter(Duration).json_schema()["pattern"]
_SIZE = TypeAdapter(Size).json_schema()["pattern"]
_OF_PYDANTIC = ("title", "writeOnly", "ge", "gt", "le", "lt")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


class _Described(GenerateJsonSchema):
    """With the docstring below a field as its description."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        written, model = super().model_schema(schema), schema["cls"]
        parents = [parent for parent in model.__mro__ if issubclass(parent, BaseModel) and parent is not BaseModel]
        texts = {name: text for parent in reversed(parents) for name, text in docstrings_of(parent).items()}
        for name, field in model.model_fields.items():
            described = written["properties"].get(key_of(name, field))
            if described is not None and name in texts:
                described.setdefault("description", texts[name])
        return written


def schema(kinds: Iterable[type[Check]]) -> Schema:
    """The schema of a whole file: one definition a kind, named like it, and what stands beside the checks."""
    definitions: Schema = {
        VARIABLE: {
            "type": "string",
            "pattern": r"\$\{.+\}",
            "description": "Text with variables: ${VAR}, ${VAR:-default}, ${VAR:?message} or ${file:/path}.",
        }
    }
    names = []
    for kind in sorted(kinds, key=lambda kind: kind.kind):
        names.append(kind.kind)
        definitions[kind.kind] = _of_kind(kind, definitions)
    settings = _of_model(Settings, "agent", definitions)
    env_file = settings["properties"]["env_file"]
    settings["properties"]["env_file"] = {
        "description": env_file.pop("description"),
        "anyOf": [{"type": "string"}, env_file],
    }
    return {
        "$schema": DIALECT,
        "title": "probe's config.yaml",
        "type": "object",
        "properties": {
            "defaults": _of_defaults(definitions),
            "checks": _of_checks(names),
            **settings["properties"],
        },
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "$defs": definitions,
    }


def _of_kind(kind: type[Check], definitions: Schema) -> Schema:
    described = _of_model(kind, kind.kind, definitions)
    described["properties"] = {"kind": {"const": kind.kind}, **described["properties"]}
    described["required"] = ["kind", *described.get("required", [])]
    return described


def _of_defaults(definitions: Schema) -> Schema:
    described = _of_model(Check, "defaults", definitions)
    described["description"] = "Fields for every check of this file that does not set them itself."
    return described


def _of_checks(kinds: list[str]) -> Schema:
    """`if` and `then` instead of `oneOf`: an editor then complains of the kind that was meant, not of all."""
    return {
        "type": "object",
        "description": "The checks by name.",
        "propertyNames": {"pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", "maxLength": LONGEST_NAME},
        "additionalProperties": {
            "type": "object",
            "properties": {"kind": {"enum": kinds}},
            "required": ["kind"],
            "allOf": [
                {
                    "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                    "then": {"$ref": f"#/$defs/{kind}"},
                }
                for kind in kinds
            ],
        },
    }


def _of_model(model: type[BaseModel], name: str, definitions: Schema) -> Schema:
    """A model's schema as people write it; what it refers to goes into `definitions`, below its name."""
    described = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}", schema_generator=_Described)
    for inner, definition in described.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = _as_written(definition)
    described["properties"].pop("name", None)
    return _as_written(described)


def _as_written(described: Schema) -> Schema:
    """Without what only pydantic means, defaults with their unit, variables where a value is more than any text."""
    written = {key: _inside(key, inner) for key, inner in described.items() if key not in _OF_PYDANTIC}
    if "default" in written:
        written["default"] = _default(written["default"], described)
        if written["default"] is None or isinstance(written["default"], dict):
            del written["default"]  # it says no more than the fields below, or the description
    if written.get("type") == "string":
        written = {key: inner for key, inner in written.items() if key not in _BOUNDS}
    if "anyOf" in written:
        written["anyOf"] = _flat(written["anyOf"])
    return _or_variable(written) if _is_narrow(written) else written


def _inside(key: str, inner: Any) -> Any:
    """What stands at a key of a schema: schemas by name, several, one, or a value that is none."""
    if key in ("properties", "patternProperties"):
        return {name: _as_written(schema) for name, schema in inner.items()}
    if key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return [_as_written(schema) for schema in inner]
    return _as_written(inner) if key in ("items", "additionalProperties") and isinstance(inner, dict) else inner


def _is_narrow(written: Schema) -> bool:
    """Whether it is one value that a text with a variable would not fit."""
    if written.get("type") == "string":
        return any(key in written for key in ("pattern", "enum", "const", "minLength", "maxLength"))
    return written.get("type") in ("number", "integer", "boolean") or "const" in written or "enum" in written


def _or_variable(written: Schema) -> Schema:
    outside = {key: inner for key, inner in written.items() if key in ("description", "default")}
    value = {key: inner for key, inner in written.items() if key not in outside}
    return {**outside, "anyOf": [value, {"$ref": f"#/$defs/{VARIABLE}"}]}


def _flat(branches: list[Schema]) -> list[Schema]:
    """The branches of a union, those of unions in it included, each once."""
    flat: list[Schema] = []
    for branch in branches:
        inner = branch["anyOf"] if branch.keys() == {"anyOf"} else [branch]
        flat += (one for one in inner if one not in flat)
    return flat


def _default(value: Any, described: Mapping[str, Any]) -> Any:
    """A default in the unit that its type is written in."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    patterns = {described.get("pattern"), *(branch.get("pattern") for branch in described.get("anyOf", ()))}
    if _DURATION in patterns:
        return write_seconds(value)
    return write_size(value) if _SIZE in patterns else value


def write_seconds(value: float) -> str:
    """A duration as a config has it: `15s`, `1h30m`, `500ms`."""
    milliseconds, parts = round(value * 1000), ""
    for unit in ("d", "h", "m", "s", "ms"):
        amount, milliseconds = divmod(milliseconds, round(SECONDS[unit] * 1000))
        parts += f"{amount}{unit}" if amount else ""
    return parts or "0s"


def write_size(value: float) -> str:
    """A size as a config has it: `10MiB`, in the largest unit that divides it."""
    for unit in sorted(BYTES, key=lambda unit: (-BYTES[unit], unit)):
        if value and value % BYTES[unit] == 0:
            return f"{value / BYTES[unit]:.0f}{unit}"
    return f"{value:g}B"
