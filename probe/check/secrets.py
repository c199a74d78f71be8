"""What of a check's fields is secret: texts that say so, and what URLs have in userinfo and query."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import get_args

from pydantic import BaseModel, SecretStr

from probe.check.fields import UrlText
from probe.redact import secrets_of_text, secrets_of_url


def secrets_in(value: object, is_url: bool = False) -> Iterator[tuple[set[str], set[tuple[str, str]]]]:
    """Secrets of a field's value, however deep: Secret texts, and the userinfo and query of URLs."""
    if isinstance(value, SecretStr):
        yield secrets_of_text(value.get_secret_value())
    elif isinstance(value, str) and is_url:
        yield secrets_of_url(value)
    elif isinstance(value, BaseModel):
        urls = _urls_of(type(value))
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name), name in urls)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets_in(inner, is_url)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner, is_url)


def _parts_of(annotation: object) -> Iterator[object]:
    """What a type is made of, however deep: of `Url | None` also the mark that makes it a Url."""
    for part in get_args(annotation):
        yield part
        yield from _parts_of(part)


@cache
def _urls_of(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields whose texts are URLs."""
    fields = model.model_fields.items()
    parts = ((name, (*field.metadata, *_parts_of(field.annotation))) for name, field in fields)
    return frozenset(name for name, marks in parts if any(isinstance(mark, UrlText) for mark in marks))
