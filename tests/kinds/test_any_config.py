"""Whatever text stands in a field: a complaint about the config, or a run that is no bug of ours."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from probe.check import Check, LimitError
from probe.model import Reason, Result
from probe.registry import Registry
from probe.runner import Runner
from tests import faults
from tests.kinds.test_any_answer import LOCAL, SPOKEN
from tests.secrets.places import FILLED, Leaf, leaves_of

SCHEMES = ("", "http://", "https://", "http://u:p@", "redis://", "rediss://", "postgresql://u@")
HOSTS = ("a\0b", "a b", "a_b", "a..b", ".a", "-a", "xn--a", "\u200b", "é" * 70, "a" * 64, "[::1", "::1%1", "a%00b", "*")
TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.text("ab:/@?#[]%. -_\\\r\n\t\0", max_size=12)
    | st.sampled_from(
        ["http://", "http://a:b@c:0/", "http://[::1", "redis://a/b/c", "postgresql:///?host=/x", "a" * 300, "(", "$"]
    )
    | st.builds("{}{}{}".format, st.sampled_from(SCHEMES), st.sampled_from(HOSTS), st.sampled_from(["", "/", ":1"]))
)

VALUES = {"keys": "list", "capacity": "1GiB"}
"""What may stand under any key of these mappings, where not every text may."""


def fields_of(kind: str, leaf: Leaf, text: str, port: int, *, is_key: bool) -> dict[str, Any]:
    """A check that is good but for what the text makes of it, as a value or as the key of one."""
    base, key = SPOKEN[kind][1](port), leaf.path[0]
    if key == "tls":  # so that it is spoken
        base = {
            name: value.replace("http://", "https://") if isinstance(value, str) else value
            for name, value in base.items()
        }
    own = leaf.build(VALUES.get(key, FILLED) if is_key else text)[key]
    if is_key and isinstance(own, dict):
        own = {text: next(iter(own.values()))}
    if isinstance(own, dict) and isinstance(base.get(key), dict):
        own = base[key] | own
    return {**LOCAL, "timeout": "300ms", **base, key: own}


def check_of(kind: str, fields: dict[str, Any]) -> Check | None:
    """The check, if a config with it would be good."""
    try:
        check = Registry().find(kind).model_validate(fields)
        if list(check.problems()):
            return None
        _ = check.limits
    except (ValidationError, LimitError):
        return None
    return check


async def ran(kind: str, leaf: Leaf, text: str, *, is_key: bool) -> Result | None:
    runner = Runner()
    async with faults.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        check = check_of(kind, fields_of(kind, leaf, text, port, is_key=is_key))
        try:
            return await runner.run(check) if check else None
        finally:
            await runner.close()


@pytest.mark.parametrize("kind", Registry().names())
def test_a_text_never_is_a_bug(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", nobody)
    examples = 30 if kind == "s3" else 150

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(leaf=st.sampled_from(list(leaves_of(kind))), text=TEXTS, is_key=st.booleans())
    def never(leaf: Leaf, text: str, is_key: bool) -> None:
        result = asyncio.run(ran(kind, leaf, text, is_key=is_key))
        assert result is None or result.reason is not Reason.INTERNAL, f"{leaf.path}: {result.message}"

    never()


def nobody(host: str, *_: object, **__: object) -> list[object]:
    """In place of a look-up: a name that was made up here is to be asked of no DNS server."""
    host.encode("idna")
    raise OSError("no such name")
