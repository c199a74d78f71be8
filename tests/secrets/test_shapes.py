"""Secrets of every shape, on servers that say them back: quoted, of several lines, long, short, in each other."""

import base64
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from probe.api import run_checks
from probe.check import Check
from probe.registry import Registry
from tests import faults
from tests.secrets.echoes import HTTP, REDIS, echoing
from tests.secrets.leaks import Detector, nasty, plain

ONE, TWO = plain("shape-one"), plain("shape-two").upper()
SHAPES: Mapping[str, str] = {
    "quotes": f"{ONE}\"'`{TWO}'\"",
    "spaces": f" {ONE}  {TWO}\t ",
    "percents": f"%{ONE}%41%2541%%{TWO}%",
    "pluses": f"+{ONE}++{TWO}+",
    "backslashes": rf"\n{ONE}\u0041\\{TWO}\x41\"",
    "entities": f"<b>&amp;{ONE}&lt;&#65;{TWO}",
    "letters of all the world": f"pä𝄞ß{ONE}漢字\u202e{TWO}é",
    "lines": f"-----BEGIN KEY-----\n{ONE}\r\n{TWO}\n-----END KEY-----\n",
    "long": "".join(nasty(f"long-{number}") for number in range(40)),
    "base64": base64.b64encode(f"{ONE}?>{TWO}".encode()).decode(),
    "a URL": f"ws://{ONE}:{TWO}@h/?a={ONE}#b",
    "stars": f"***{ONE}***{TWO}",
    "JSON": f'{{"key": "{ONE}", "other": ["{TWO}"]}}',
}


async def told(checks: Mapping[str, Check]) -> str:
    """All that is told of one run of each."""
    board = await run_checks(checks)
    return "\n".join(repr(board[name]) for name in checks)


def of_kind(kind: str, name: str, **fields: Any) -> Check:
    return Registry().find(kind)(name=name, interval="8s", timeout="8s", **fields)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_secret_of_any_shape(shape: str) -> None:
    secret = SHAPES[shape]
    login, query = {"username": "visitor", "password": secret}, f"?token={quote(secret, safe='')}"
    async with AsyncExitStack() as stack:
        web = {say: await stack.enter_async_context(echoing(HTTP[say])) for say in HTTP}
        cache = {say: await stack.enter_async_context(echoing(REDIS[say])) for say in REDIS}
        checks: dict[str, dict[str, Any]] = {
            **{f"http-{say}": {"kind": "http", "url": f"http://127.0.0.1:{web[say]}/{query}"} for say in web},
            **{f"basic-{say}": {"kind": "http", "url": f"http://127.0.0.1:{web[say]}", "basic": login} for say in web},
            **{f"redis-{say}": {"kind": "redis", "host": "127.0.0.1", "port": cache[say]} | login for say in cache},
        }
        said = await told({name: of_kind(name=name, **fields) for name, fields in checks.items()})
    assert Detector({shape: [ONE, TWO, secret]}).leaks(said) == []
    assert said.count("***") > len(checks) / 2


@pytest.mark.parametrize("secret", ["pw", "abc", "hunter2"])
async def test_a_short_one_is_no_login_that_could_be_decoded(secret: str) -> None:
    async with echoing(HTTP["text"]) as port:
        basic = {"username": "visitor", "password": secret}
        said = await told({"a": of_kind("http", "a", url=f"http://127.0.0.1:{port}/", basic=basic)})
    assert "Basic ***" in said
    assert base64.b64encode(f"visitor:{secret}".encode()).decode() not in said


async def test_one_secret_in_another() -> None:
    longer = f"{ONE}{TWO}"
    async with echoing(HTTP["html"]) as port:
        login, headers = {"username": "visitor", "password": ONE}, {"x_key": longer, "Cookie": TWO}
        said = await told({"a": of_kind("http", "a", url=f"http://127.0.0.1:{port}/", basic=login, headers=headers)})
    assert "***" in said
    assert Detector({"a": [longer]}).leaks(said) == []


@pytest.mark.parametrize("label", ["PRIVATE KEY", "CERTIFICATE", ""])
async def test_what_stands_in_files_of_keys(tmp_path: Path, label: str) -> None:
    file = tmp_path / "file.pem"
    file.write_text(f"-----BEGIN {label}-----\n{ONE}\n-----END {label}-----\n" if label else ONE)
    ways: list[dict[str, str]] = [{"ca": str(file)}, {"cert": str(file)}, {"cert": str(file), "key": str(file)}]
    async with faults.tls_expired() as server:
        url = f"https://127.0.0.1:{server.port}/"
        checks = {str(number): of_kind("http", str(number), url=url, tls=tls) for number, tls in enumerate(ways)}
        said = await told(checks)
    assert said.count("file.pem") >= len(ways)
    assert Detector({"file": [ONE]}).leaks(said) == []
