"""Whatever a server puts into a header, a body or a proxy's answer: a failure with a reason, or a value; in no time."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from probe.check import Failure, Garbled
from probe.exchange.answer import LONGEST_EXCERPT, Answer, excerpt, excerpt_of_bytes
from probe.exchange.blackbox import _http_date, iana_cipher
from probe.exchange.certificates import distinguished_name
from probe.exchange.proxy import _check
from probe.exchange.request import is_redirect, redirected, request
from probe.kinds.langfuse.answers import seconds_to_wait

HEADERS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30) | st.text(
    "ab:/?#[]@%=;,. \t-_0", max_size=30
)
SOME = {"Location": "http://a/", "Set-Cookie": "a=b", "Content-Type": "text/html; charset=utf-8", "Host": "b"}


def headers(**values: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in values.items()}))


@example("//xn--a/", "", 302)
@example("//[]@", "", 302)
@given(location=HEADERS, cookie=HEADERS, status=st.sampled_from([301, 302, 303, 307, 308]))
def test_a_redirect(location: str, cookie: str, status: int) -> None:
    asked = request("http://a/b?c", method="POST", headers=SOME, body=b"x", tls=None, family="any", proxy=None)
    told = headers(Location=location, Set_Cookie=cookie)
    assert is_redirect(status, told)

    async def follow() -> None:
        with suppress(Garbled):
            following = redirected(asked, status, told)
            assert following.url.host
            assert "\n" not in following.place

    asyncio.run(follow())


@given(content_type=HEADERS, body=st.binary(max_size=50))
def test_a_body(content_type: str, body: bytes) -> None:
    answer = Answer("http://a/", 200, "", "1.1", headers(Content_Type=content_type), body)
    assert isinstance(answer.text, str)
    assert len(answer.shown) <= LONGEST_EXCERPT
    assert isinstance(answer.refusal("2xx"), Failure)
    with suppress(Garbled):
        answer.json()


@pytest.mark.parametrize("codec", ["zlib", "hex", "rot13", "base64", "idna", "undefined", "unicode_escape", "punycode"])
def test_a_charset_that_is_none_for_texts(codec: str) -> None:
    answer = Answer("http://a/", 200, "", "1.1", headers(Content_Type=f"text/plain; charset={codec}"), b"\\x41 a")
    assert answer.text == "\\x41 a"


@given(st.binary(max_size=80) | st.binary(max_size=20).map(lambda rest: b"HTTP/1.1 407 " + rest))
def test_what_a_proxy_says(said: bytes) -> None:
    with suppress(Failure):
        _check(said, "the proxy a:1", "b:2")


YEARS = st.sampled_from(["2026", "0001", "9999", "-1", "9" * 30])
ZONES = st.sampled_from(["GMT", "-0000", "+2359", "-2359", "+" + "9" * 20, ""])


@given(HEADERS | st.builds("Thu, 01 Jan {} 00:00:00 {}".format, YEARS, ZONES))
def test_a_date_and_a_cipher(text: str) -> None:
    assert _http_date(text) is None or isinstance(_http_date(text), float)
    assert 0 <= min(seconds_to_wait(text, 1e9), 60) <= 60
    assert isinstance(iana_cipher(text), str)


@given(
    st.lists(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple), max_size=3).map(
        tuple
    )
)
def test_a_name_in_a_certificate(parts: tuple[tuple[tuple[str, str], ...], ...]) -> None:
    assert isinstance(distinguished_name(parts), str)


@given(st.text(max_size=400), st.binary(max_size=400))
def test_an_excerpt_is_one_short_line(text: str, raw: bytes) -> None:
    for shown in (excerpt(text, 50), excerpt_of_bytes(raw, 48)):
        assert len(shown) <= 50
        assert shown.splitlines() in ([], [shown])
