"""Regular expressions in a config: compiled when it is read, and refused there when they are none."""

import re
import warnings
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


def compiled(text: str) -> re.Pattern[str]:
    """A regular expression. Raises re.error, also for one that a future Python would take otherwise (`[[a]`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            return re.compile(text)
        except FutureWarning as warning:
            raise re.error(f"{str(warning).lower()}; put a backslash before a bracket that is meant") from None


def _compiled(value: object) -> re.Pattern[str]:
    if isinstance(value, re.Pattern):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("regex", f"{value!r} is no regular expression; write it as a text")
    try:
        return compiled(value)
    except re.error as error:
        raise PydanticCustomError("regex", "{told}", {"told": f"{value!r} is no regular expression: {error}"}) from None


Regex = Annotated[re.Pattern[str], BeforeValidator(_compiled), WithJsonSchema({"type": "string", "format": "regex"})]
"""A regular expression in Python's syntax; it is searched for, so anchor it with ^ and $ where that matters."""
