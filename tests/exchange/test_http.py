"""One HTTP exchange against a real server: what is asked, what is read, what is measured, and how it fails."""

import asyncio
import base64
from typing import Any

import aiohttp
import pytest
from aiohttp import client_exceptions

from probe.check import Denied, Failure, Garbled, Unhealthy, Unreachable, Untrusted
from probe.exchange import FAILURES, Tls, Trace, fetch, get_json, get_text
from probe.exchange.request import basic
from tests import faults
from tests.exchange import web
from tests.exchange.runs import new_run, steps


async def test_an_answer_is_read_whole() -> None:
    run, trace = new_run(), Trace()
    async with web.serving() as url:
        answer = await fetch(run, f"{url}/health", trace=trace)
    assert (answer.status, answer.reason, answer.version, answer.url) == (200, "OK", "1.1", f"{url}/health")
    assert answer.json() == web.HEALTHY
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert steps(run) == ["resolve", "connect", "processing", "transfer"]
    assert set(trace.phases) == {"resolve", "connect", "tls", "processing", "transfer"}
    assert trace.phases["tls"] == 0
    assert trace.head is not None
    assert trace.head.content_length == trace.body_length == len(answer.body)


async def test_runs_at_the_same_time_do_not_mix() -> None:
    async with web.serving() as url:

        async def length(count: int) -> int:
            return len(await get_text(new_run(), f"{url}/bytes/{count}"))

        assert await asyncio.gather(*map(length, range(50))) == list(range(50))


async def test_what_is_sent() -> None:
    async with web.serving() as url:
        asked = await get_json(
            new_run(), f"{url}/echo", method="put", headers={"Content-Type": "text/x", "Host": "a.example"}, body=b"hi"
        )
    assert asked["method"] == "PUT"
    assert asked["body"] == "hi"
    headers = asked["headers"]
    assert headers.pop("Accept") == "*/*"
    assert headers == {
        "Host": "a.example",
        "User-Agent": "stackprobe",
        "Connection": "close",
        "Content-Type": "text/x",
        "Content-Length": "2",
    }


async def test_a_login_in_the_url() -> None:
    async with web.serving() as url:
        asked = await fetch(new_run(), url.replace("//", "//app:s%3Acret@") + "/echo")
    assert asked.json()["headers"]["Authorization"] == "Basic " + base64.b64encode(b"app:s:cret").decode()
    assert "cret" not in asked.url


@pytest.mark.parametrize(
    ("path", "text", "content_length"),
    [("/chunked", "one two three", -1), ("/gzip", "unpacked " * 100, len(web.PACKED)), ("/latin", "naïve", 5)],
)
async def test_bodies(path: str, text: str, content_length: int) -> None:
    trace = Trace()
    async with web.serving() as url:
        assert await get_text(new_run(), url + path, headers={"Accept-Encoding": "gzip"}, trace=trace) == text
    assert trace.head is not None
    assert trace.head.content_length == content_length
    assert trace.body_length == len(text.encode("latin-1"))


async def test_head_has_a_length_and_no_body() -> None:
    trace = Trace()
    async with web.serving() as url:
        answer = await fetch(new_run(), f"{url}/bytes/1000", method="HEAD", trace=trace)
    assert (answer.status, answer.body) == (200, b"")
    assert trace.head is not None
    assert (trace.head.content_length, trace.body_length) == (1000, 0)


async def test_no_more_than_max_body() -> None:
    trace = Trace()
    async with web.serving() as url:
        assert len((await fetch(new_run(), f"{url}/bytes/2048", max_body=2048)).body) == 2048
        with pytest.raises(Garbled, match=r"^the answer is longer than 2 KiB$"):
            await fetch(new_run(), f"{url}/bytes/2049", max_body=2048, trace=trace)
    assert trace.head is not None


async def test_ipv6() -> None:
    async with web.serving(host="::1") as url:
        assert (await get_json(new_run(), f"{url}/health"))["ready"] is True


async def test_statuses_that_are_no_success() -> None:
    async with web.serving() as url:
        with pytest.raises(Unhealthy, match=r'got 503: {"detail": "Database connection failed"}$'):
            await get_text(new_run(), f"{url}/down")
        with pytest.raises(Denied, match=r"^expected status 2xx, got 401 Unauthorized$"):
            await get_text(new_run(), f"{url}/status/401")
        with pytest.raises(Garbled, match=r"/html did not answer in JSON: <html> <title>Sign in</title> </html>$"):
            await get_json(new_run(), f"{url}/html")


async def test_redirects_are_counted_and_followed() -> None:
    run, trace = new_run(), Trace()
    async with web.serving() as url:
        answer = await fetch(run, f"{url}/hops/3", redirects=True, trace=trace)
        assert (answer.text, answer.url, trace.redirects) == ("arrived", f"{url}/hops/0", 3)
        assert trace.body_length == len("arrived")
        assert trace.first is not trace.link
        stays = Trace()
        assert (await fetch(new_run(), f"{url}/hops/3", trace=stays)).status == 302
        assert stays.redirects == 1


async def test_ten_redirects_are_enough() -> None:
    trace = Trace()
    async with web.serving() as url:
        assert (await fetch(new_run(), f"{url}/hops/10", redirects=True)).text == "arrived"
        with pytest.raises(Unhealthy, match=r"^redirected more than 10 times, at last to /hops/0$"):
            await fetch(new_run(), f"{url}/hops/11", redirects=True, trace=trace)
    assert trace.redirects == 11
    assert trace.head is not None
    assert trace.head.status == 302


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(301, "POST", "GET"), (302, "PUT", "GET"), (303, "POST", "GET"), (307, "POST", "POST"), (308, "PUT", "PUT")],
)
async def test_what_a_redirect_makes_of_the_method(status: int, method: str, then: str) -> None:
    async with web.serving() as url:
        answer = await fetch(
            new_run(), f"{url}/to?where=/echo&status={status}", method=method, body=b"hi", redirects=True
        )
    assert answer.json()["method"] == then
    assert answer.json()["body"] == ("hi" if then == method else "")


async def test_a_redirect_takes_no_keys_to_a_stranger() -> None:
    sent = {"Authorization": "Bearer secret", "X-Api-Key": "secret", "Accept": "application/json"}
    async with web.serving() as url, web.serving() as stranger:
        there = await fetch(new_run(), f"{url}/to?where={stranger}/echo", headers=sent, redirects=True)
        same = await fetch(new_run(), f"{url}/to?where=/echo", headers=sent, redirects=True)
    assert "secret" not in there.text
    assert there.json()["headers"]["Accept"] == "application/json"
    assert same.json()["headers"]["X-Api-Key"] == "secret"


async def test_cookies_live_through_redirects() -> None:
    async with web.serving() as url:
        assert (await fetch(new_run(), f"{url}/cookie-wall", redirects=True)).text == "inside"


@pytest.mark.parametrize("where", ["ftp://127.0.0.1/", "http://[::1", "mailto:x"])
async def test_a_redirect_to_nowhere(where: str) -> None:
    async with web.serving() as url:
        with pytest.raises(Garbled, match=r"^redirected to .*, which is "):
            await fetch(new_run(), f"{url}/to?where={where}", redirects=True)


async def test_https_is_measured_too() -> None:
    run, trace = new_run(), Trace()
    async with faults.tls_server() as files, web.serving(tls=faults.server_context()) as url:
        answer = await fetch(run, f"{url}/health", tls=Tls(ca=files.ca), trace=trace)
    assert answer.status == 200
    assert steps(run) == ["resolve", "connect", "tls", "processing", "transfer"]
    assert all(trace.phases[phase] > 0 for phase in ("connect", "tls", "processing", "transfer"))


async def test_the_host_header_is_the_name_to_check() -> None:
    async with faults.tls_wrong_host() as files, web.serving(tls=faults.server_context("a.example")) as url:
        tls = Tls(ca=files.ca)
        assert (await fetch(new_run(), f"{url}/health", tls=tls, headers={"Host": "a.example"})).status == 200
        with pytest.raises(Untrusted, match=r"^certificate is for a\.example, not for 127\.0\.0\.1$"):
            await fetch(new_run(), f"{url}/health", tls=tls)


async def test_a_server_name_is_for_the_first_host_only() -> None:
    async with (
        faults.tls_server() as files,
        web.serving(tls=faults.server_context("a.example")) as url,
        web.serving(tls=faults.server_context()) as other,
    ):
        tls = Tls(ca=files.ca, server_name="a.example")
        answer = await fetch(new_run(), f"{url}/to?where={other}/health", tls=tls, redirects=True)
        assert answer.status == 200


async def test_http_through_a_proxy() -> None:
    async with Proxied(login=basic("user", "pw")) as proxy, web.serving() as url:
        answer = await fetch(new_run(), f"{url}/echo", proxy=f"http://user:pw@127.0.0.1:{proxy.port}")
        assert proxy.asked == [f"GET {url}/echo HTTP/1.1"]
        assert answer.status == 200
        with pytest.raises(Denied, match="got 407"):
            await get_text(new_run(), f"{url}/echo", proxy=f"http://127.0.0.1:{proxy.port}")


async def test_https_through_a_proxy() -> None:
    run = new_run()
    async with (
        Proxied(login=basic("user", "pw")) as proxy,
        faults.tls_server() as files,
        web.serving(tls=faults.server_context()) as url,
    ):
        through = f"http://user:pw@127.0.0.1:{proxy.port}"
        assert (await fetch(run, f"{url}/health", tls=Tls(ca=files.ca), proxy=through)).status == 200
        assert proxy.asked == [f"CONNECT {url.removeprefix('https://')} HTTP/1.1"]
        assert steps(run) == ["resolve", "connect", "tls", "processing", "transfer"]
        with pytest.raises(Denied, match=r"refused to connect to .*: 407 Proxy Authentication Required$"):
            await fetch(new_run(), f"{url}/health", proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Untrusted, match="signed by an unknown CA"):
            await fetch(new_run(), f"{url}/health", proxy=through)


async def test_a_proxy_that_can_not_connect() -> None:
    async with Proxied(status=502) as proxy:
        with pytest.raises(Unreachable, match=r"could not connect to 127\.0\.0\.1:1: 502 No Luck$"):
            await fetch(new_run(), "https://127.0.0.1:1/", proxy=f"http://127.0.0.1:{proxy.port}")


@pytest.mark.parametrize(
    ("fault", "cause", "says"),
    [
        (faults.closing, Unreachable, "closed the connection without an answer"),
        (faults.resetting, Unreachable, "broke the connection off"),
        (faults.garbage, Garbled, "did not answer in HTTP"),
    ],
)
async def test_a_proxy_that_is_none(fault: Any, cause: type[Failure], says: str) -> None:
    async with fault() as port:
        with pytest.raises(cause, match=says):
            await fetch(new_run(), "https://127.0.0.1:1/", proxy=f"http://127.0.0.1:{port}")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize(
    ("fault", "cause", "says"),
    [
        (faults.refused, Unreachable, r"^connection refused by 127\.0\.0\.1:\d+$"),
        (faults.closing, Unreachable, "^the server (closed|reset) the connection without an answer$"),
        (lambda: faults.closing(when_asked=True), Unreachable, "^the server closed the connection without an answer$"),
        (faults.resetting, Unreachable, "^the server reset the connection without an answer$"),
        (lambda: faults.resetting(b"HTTP/1.1 20"), Garbled, "^the server reset the connection in the middle"),
        (lambda: faults.answering(b"HTTP/1.1 20"), Garbled, "^the server closed the connection in the middle"),
        (lambda: faults.answering(HEAD + b"half"), Garbled, "^the answer was cut off after 4 of 100 bytes of its body"),
        (lambda: faults.resetting(HEAD + b"half"), Garbled, "^the answer was cut off after 4 of 100 bytes"),
        (lambda: faults.answering(CHUNKED), Garbled, "^the answer was cut off after 5 bytes of its body$"),
        (faults.garbage, Garbled, "^the answer is not HTTP; it begins with "),
        (lambda: faults.answering(b"-ERR unknown command\r\n"), Garbled, "begins with '-ERR unknown command"),
        (
            lambda: faults.answering(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"),
            Garbled,
            "^the answer is not proper HTTP: ",
        ),
        (
            lambda: faults.answering(b"\x15\x03\x03\x00\x02\x02\x32"),
            Garbled,
            "^the server speaks TLS there; write https",
        ),
    ],
)
async def test_failures_by_their_cause(fault: Any, cause: type[Failure], says: str) -> None:
    async with fault() as port:
        for method in ("GET", "POST"):  # aiohttp would ask for one of them twice
            with pytest.raises(cause, match=says):
                await fetch(new_run(), f"http://127.0.0.1:{port}/", method=method)


async def test_a_body_that_is_not_packed_as_it_says() -> None:
    async with web.serving() as url:
        with pytest.raises(Garbled, match=r"^the body is not in the gzip that the answer says it is in$"):
            await fetch(new_run(), f"{url}/wrong-gzip")


async def test_plain_text_where_tls_is_due() -> None:
    async with web.serving() as url:
        with pytest.raises(Untrusted, match=r"^no TLS there: the server answered in plain text$"):
            await fetch(new_run(), url.replace("http", "https"))


async def test_a_missing_client_certificate() -> None:
    async with faults.tls_client_refused() as server:
        with pytest.raises(Untrusted, match=r"^the server refused the TLS connection: certificate required$"):
            await fetch(new_run(), f"https://127.0.0.1:{server.port}/", tls=Tls(ca=server.ca))


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (faults.black_hole, "connect"),
        (faults.silent, "processing"),
        (lambda: faults.trickling(b"HTTP/1.1 200"), "processing"),
        (lambda: faults.trickling(HEAD), "processing"),
        (lambda: faults.answering(HEAD, closes=False), "transfer"),
    ],
)
async def test_what_hangs_is_known_by_its_step(fault: Any, step: str) -> None:
    run = new_run()
    async with fault() as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fetch(run, f"http://127.0.0.1:{port}/"), 0.3)
    assert run.at_step == step


INHERITED = {"UploadAbortedError"}
"""Newer than the oldest aiohttp that we run on; its base class ClientError stands for it."""


def exceptions_of_aiohttp() -> list[type[BaseException]]:
    found = {name: getattr(aiohttp, name) for name in aiohttp.__all__} | vars(client_exceptions)
    return sorted(
        {
            member
            for name, member in found.items()
            if isinstance(member, type)
            and issubclass(member, BaseException)
            and member.__module__.startswith("aiohttp")
            if name not in INHERITED and not issubclass(member, Warning)
        },
        key=lambda member: member.__name__,
    )


@pytest.mark.parametrize("error", exceptions_of_aiohttp(), ids=lambda error: error.__name__)
def test_every_exception_of_aiohttp_has_a_reason(error: type[BaseException]) -> None:
    assert error in FAILURES


class Proxied:
    """A proxy for as long as a block."""

    def __init__(self, **settings: Any) -> None:
        self._running = web.Proxy(**settings).running()

    async def __aenter__(self) -> web.Proxy:
        return await self._running.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:
        await self._running.__aexit__(*raised)
