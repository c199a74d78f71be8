"""Names of hosts: what nobody could look up or connect to is refused when the config is read."""

import ipaddress
import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_LONGEST = 253
"""Bytes of a name (RFC 1035); what is longer is not even encoded, which takes Python quadratic time."""

_NEVER = re.compile(r"[\x00-\x20\x7f/\\?#@:%\[\]]")


@lru_cache(maxsize=4096)
def can_be_host(text: str) -> bool:
    """Whether a text is an IP address, or a name to look up: underscores and a dot at the end may be in it."""
    if not 0 < len(text) <= _LONGEST:
        return False
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return not _NEVER.search(text) and _has_proper_labels(text)
    return True


def _has_proper_labels(text: str) -> bool:
    try:
        return len(text.encode("idna").decode("idna")) <= _LONGEST
    except UnicodeError:
        return False


def _host(value: str) -> str:
    if value and not can_be_host(value):
        raise PydanticCustomError("host", "no name of a host and no IP address; a port or a scheme is not part of it")
    return value


Host = Annotated[str, AfterValidator(_host)]
"""A name or an IP address; empty where a kind allows that."""
