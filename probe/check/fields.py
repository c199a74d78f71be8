"""Types for the fields of a kind: what a user writes is text with a unit; what the kind gets is a number.

Each carries its JSON Schema, so editors know it too.
"""

from math import isfinite
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from probe import units
from probe.redact import MASK


class Secret(SecretStr):
    """A text that leaves probe only towards the service it is for; shows as `***` everywhere else."""

    def _display(self) -> str:
        return MASK


class Part(BaseModel):
    """A field that has fields itself (`tls`, `expect`), documented like those of a kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself, as it is frozen: pydantic would copy a default for each of ten thousand checks."""
        return self


class UrlText(str):
    """Marks a field whose userinfo and query are secret (see `Url`)."""

    __slots__ = ()


def _quantity(parse: Any, example: str) -> BeforeValidator:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise PydanticCustomError("unit", f"{value!r} is no quantity; write {example}")
        if not isinstance(value, str):
            if parse is units.ratio and isfinite(value):
                return float(value)
            lacks = "is no ratio" if parse is units.ratio else "lacks a unit"
            raise PydanticCustomError("unit", f"{value} {lacks}; write {example}")
        try:
            return float(parse(value))
        except units.UnitError as error:
            raise PydanticCustomError("unit", "{told}", {"told": str(error)}) from None

    return BeforeValidator(read)


Duration = Annotated[
    float,
    _quantity(units.seconds, "15s, 5m or 1h30m"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$", "examples": ["15s", "5m", "1h30m"]}
    ),
]
"""Written `15s`, `5m`, `1h30m`; seconds to the kind."""

Size = Annotated[
    float,
    _quantity(units.size, "512MiB or 50GB"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?([KMGTP]i?|k)?B$", "examples": ["512MiB", "50GB"]}),
]
"""Written `50GiB`, `10MB`; bytes to the kind."""

Ratio = Annotated[
    float,
    _quantity(units.ratio, "0.8 or 80%"),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?%?$"}]}),
]
"""Written `0.8` or `80%`; a fraction to the kind."""

Url = Annotated[str, UrlText()]
"""A URL or DSN. Its userinfo and query are masked wherever it is shown."""
