"""What the types of a model's fields say: which keys a place may hold, and which fields hold secrets."""

from collections.abc import Iterator, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from probe.check.fields import UrlText


def key_of(name: str, field: FieldInfo) -> str:
    """How a field is written in a config."""
    return field.alias or name


def keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys of the model that stands at a path (as pydantic tells it) below another one."""
    places: list[Any] = [model]
    for step in path:
        places = [below for place in places for below in _below(place, step)]
    return sorted({key for place in places if _is_model(place) for key in _fields(place)})


@cache
def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """Keys of the fields that are, or hold, a Secret."""
    return frozenset(
        key for key, field in _fields(model).items() if any(_holds_secret(leaf) for leaf in _leaves(field.annotation))
    )


@cache
def url_fields(model: type[BaseModel]) -> frozenset[str]:
    """Keys of the fields that are marked as URL or DSN."""
    return frozenset(
        key for key, field in _fields(model).items() if any(isinstance(mark, UrlText) for mark in field.metadata)
    )


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {key_of(name, field): field for name, field in model.model_fields.items() if not field.exclude}


def _below(place: Any, step: str | int) -> Iterator[Any]:
    """Types of what a key or an index of a type leads to; the type itself for the name of a union's branch."""
    if _is_model(place):
        field = _fields(place).get(str(step))
        yield from _leaves(field.annotation) if field else [place]
    else:
        for inner in get_args(place):
            yield from _leaves(inner)


def _leaves(annotation: Any) -> Iterator[Any]:
    """The types that an annotation offers: unions and Annotated taken apart."""
    if get_origin(annotation) is Annotated:
        yield from _leaves(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for branch in get_args(annotation):
            yield from _leaves(branch)
    else:
        yield annotation


def _holds_secret(annotation: Any, above: frozenset[Any] = frozenset()) -> bool:
    """`above` are the models that it stands in, as one may hold itself."""
    if _is_model(annotation):
        return annotation not in above and any(
            _holds_secret(leaf, above | {annotation})
            for field in _fields(annotation).values()
            for leaf in _leaves(field.annotation)
        )
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return issubclass(annotation, SecretStr)
    return any(_holds_secret(leaf, above) for inner in get_args(annotation) for leaf in _leaves(inner))


def _is_model(place: Any) -> bool:
    return isinstance(place, type) and get_origin(place) is None and issubclass(place, BaseModel)
