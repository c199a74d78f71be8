"""What of a check's fields is secret: texts that say so, with their users, and userinfo and query of URLs."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import product
from typing import get_args

from pydantic import BaseModel, SecretStr

from probe.check.fields import UrlText
from probe.redact import secrets_of_text, secrets_of_url


def secrets_in(value: object, is_url: bool = False) -> Iterator[tuple[set[str], set[tuple[str, str]]]]:
    """Secrets of a field's value, however deep: Secret texts, and the userinfo and query of URLs.

    A Secret may travel as Basic credentials with any text that stands beside it.
    """
    if isinstance(value, SecretStr):
        yield secrets_of_text(value.get_secret_value())
    elif isinstance(value, str) and is_url:
        yield secrets_of_url(value)
    elif isinstance(value, BaseModel):
        urls = _urls_of(type(value))
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        for name, field in fields.items():
            yield from secrets_in(field, name in urls)
        yield set(), _logins(fields.values())
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets_in(inner, is_url)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner, is_url)


def _logins(fields: Iterable[object]) -> set[tuple[str, str]]:
    """Each text of a model that may be a user's name (they have no colon), with each of its secrets."""
    texts = [field for field in fields if isinstance(field, str | SecretStr)]
    secrets = [text.get_secret_value() for text in texts if isinstance(text, SecretStr)]
    users = [*secrets, *(text for text in texts if isinstance(text, str) and ":" not in text)] if secrets else ()
    return set(product(users, secrets))


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
