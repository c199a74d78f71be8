"""Regular expressions in a config: compiled when it is read, and refused there when they are none."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


def _compiled(value: object) -> re.Pattern[str]:
    if isinstance(value, re.Pattern):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("regex", f"{value!r} is no regular expression; write it as a text")
    try:
        return re.compile(value)
    except re.error as error:
        raise PydanticCustomError("regex", f"{value!r} is no regular expression: {error}") from None


Regex = Annotated[re.Pattern[str], BeforeValidator(_compiled), WithJsonSchema({"type": "string", "format": "regex"})]
"""A regular expression in Python's syntax; it is searched for, so anchor it with ^ and $ where that matters."""
