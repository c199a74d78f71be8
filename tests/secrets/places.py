"""Every place of every kind's config that can hold a secret, found from the types of the fields."""

from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from probe.check import Check
from probe.check.fields import UrlText
from probe.registry import Registry

Sort = Literal["secret", "url", "text"]
Build = Callable[[Any], Any]
FILLED = "filled"
"""What stands in the required fields beside a secret one."""


class Leaf(NamedTuple):
    """A field, however deep, that holds one value. `build` makes of a value what stands at the check's key."""

    path: tuple[str, ...]
    sort: Sort
    build: Build


def leaves_of(kind: str) -> Iterator[Leaf]:
    """Every leaf of a kind's own fields."""
    yield from (leaf for leaf in _of_model(Registry().find(kind)) if leaf.path[0] not in Check.model_fields)


def leaves_of_every_kind() -> Iterator[Leaf]:
    """Every leaf of the fields that all kinds share."""
    yield from _of_model(Check)


def _of_model(model: type[BaseModel]) -> Iterator[Leaf]:
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        is_url = any(isinstance(mark, UrlText) for mark in field.metadata)
        key = field.alias or name
        beside = {} if issubclass(model, Check) else _required_beside(model, name)
        for path, sort, build in _of_type(field.annotation, is_url):
            yield Leaf((key, *path), sort, _within(key, build, beside))


def _of_type(annotation: Any, is_url: bool) -> Iterator[Leaf]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _of_type(inner[0], is_url or any(isinstance(mark, UrlText) for mark in inner[1:]))
    elif origin in (Union, UnionType):
        for branch in inner:
            yield from _of_type(branch, is_url)
    elif isinstance(annotation, type) and origin is None and issubclass(annotation, BaseModel):
        yield from _of_model(annotation)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        for path, sort, build in _of_type(inner[1], is_url):
            key = "_".join(["x", *path])  # its own, as a query's name becomes that of a metric
            yield Leaf((key, *path), sort, _within(key, build, {}))
    elif origin in (tuple, list, frozenset):
        for path, sort, build in _of_type(inner[0], is_url):
            yield Leaf(("0", *path), sort, _listed(build))
    elif annotation is not type(None):
        is_secret = isinstance(annotation, type) and origin is None and issubclass(annotation, SecretStr)
        yield Leaf((), "secret" if is_secret else "url" if is_url else "text", lambda value: value)


def _within(key: str, build: Build, beside: Mapping[str, Any]) -> Build:
    return lambda value: {**beside, key: build(value)}


def _listed(build: Build) -> Build:
    return lambda value: [build(value)]


def _required_beside(model: type[BaseModel], name: str) -> dict[str, Any]:
    return {
        field.alias or other: FILLED
        for other, field in model.model_fields.items()
        if field.is_required() and other != name
    }
