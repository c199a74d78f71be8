"""The kind http against a real web server and real faults."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from yarl import URL

from probe.kinds.http import Http
from probe.model import Reason, Result
from tests import faults
from tests.exchange import web
from tests.fault_table.rows import Own, Rows, Trust
from tests.harness import run


def pointed_at(host: str, port: int, tls: Trust) -> Http:
    scheme = "http" if tls is None else "https"
    return Http(name="api", url=f"{scheme}://{host}:{port}/health", tls=tls or {})


@asynccontextmanager
async def healthy(_: Path) -> AsyncIterator[int]:
    async with web.serving() as url:
        yield URL(url).port or 0


@asynccontextmanager
async def refusing(status: int) -> AsyncIterator[Http]:
    async with web.serving() as url:
        yield Http(name="api", url=f"{url}/status/{status}")


ROWS = Rows(
    pointed_at,
    healthy,
    endless=(b"HTTP/1.1 200 OK\r\n\r\n", b"endless"),
    own={
        "wrong password": Own(lambda _: refusing(401), Reason.AUTH),
        "missing permission": Own(lambda _: refusing(403), Reason.AUTH),
        "too many connections": Own(lambda _: refusing(429), Reason.UNHEALTHY),
        "starting up": Own(lambda _: refusing(503), Reason.UNHEALTHY),
        "read-only": "an answer to what is asked does not tell",
    },
    strangers={
        "tcp": Reason.UNHEALTHY,  # lines, but not the awaited one
        "s3": {"": Reason.PROTOCOL, "drives": Reason.OK},  # no MinIO has none
    },
)


async def ask(url: str, **fields: Any) -> Result:
    return await run(Http(name="api", url=url, **fields))


def seen(result: Result) -> dict[str, Any]:
    """Every number, by the metric's name; of one with labels a dict, by the last label."""
    found: dict[str, Any] = {}
    for sample in result.samples:
        if sample.metric.labels:
            found.setdefault(sample.metric.name, {})[sample.labels[-1]] = sample.value
        else:
            found[sample.metric.name] = sample.value
    return found


async def test_a_healthy_answer_whole() -> None:
    async with web.serving() as url:
        result = await ask(
            f"{url}/health",
            expect={
                "status": 200,
                "headers": {"content-type": "^application/json"},
                "body": {"contains": "healthy", "lacks": ["error", "stack"], "matches": r'"version": "2\.'},
                "json": {"status": "healthy", "checks.db": {"status": "ok"}, "queue.depth": "< 100"},
                "http_version": "1.1",
            },
        )
    assert (result.reason, result.message, result.step) == (Reason.OK, "", "")
    assert [step.name for step in result.steps] == ["resolve", "connect", "processing", "transfer"]
    numbers = seen(result)
    phases = numbers.pop("probe_http_duration_seconds")
    assert set(phases) == {"resolve", "connect", "tls", "processing", "transfer"}
    assert phases["tls"] == 0
    assert all(phases[phase] > 0 for phase in phases.keys() - {"tls"})
    assert sum(phases.values()) < result.duration
    assert 0 < numbers.pop("probe_dns_lookup_time_seconds") < 1
    assert numbers.pop("probe_http_content_length") == len(json.dumps(web.HEALTHY))
    assert numbers.pop("probe_http_uncompressed_body_length") == len(json.dumps(web.HEALTHY))
    assert numbers == {
        "probe_ip_protocol": 4,
        "probe_ip_addr_hash": 3668918509,
        "probe_http_status_code": 200,
        "probe_http_version": 1.1,
        "probe_http_redirects": 0,
        "probe_http_ssl": 0,
        "probe_failed_due_to_regex": 0,
    }


async def test_https_whole() -> None:
    async with faults.tls_server() as files, web.serving(tls=faults.server_context("a.example", "127.0.0.1")) as url:
        result = await ask(f"{url}/modified", tls={"ca": files.ca})
    assert result.reason is Reason.OK, result.message
    numbers = seen(result)
    assert numbers["probe_http_ssl"] == 1
    assert numbers["probe_http_last_modified_timestamp_seconds"] == 1785542400
    expires = numbers["probe_ssl_earliest_cert_expiry"]
    assert expires == numbers["probe_ssl_last_chain_expiry_timestamp_seconds"]
    assert numbers["probe_tls_version_info"] == {"TLS 1.3": 1}
    ((cipher, one),) = numbers["probe_tls_cipher_info"].items()
    assert (cipher[:8], one) == ("TLS_AES_", 1)
    ((labels, one),) = result.values("probe_ssl_last_chain_info").items()
    fingerprint, subject, issuer, names, serial = labels
    assert (len(fingerprint), names, one) == (64, "a.example", 1)
    assert "O=trustme" in subject
    assert issuer.endswith("O=Probe Tests CA")
    assert int(serial, 16) > 0


async def test_a_certificate_near_its_end_is_a_default_limit() -> None:
    check = Http(name="api", url="https://a.example")
    assert [(limit.metric, limit.op, limit.bound, limit.level) for limit in check.limits] == [
        ("probe_ssl_earliest_cert_expiry", "<", 14 * 86400, "warn")
    ]


async def test_max_duration_is_a_limit_and_no_failure() -> None:
    check = Http(name="api", url="https://a.example", expect={"max_duration": "500ms"})
    assert ("probe_duration_seconds", ">", 0.5, "fail") in [
        (limit.metric, limit.op, limit.bound, limit.level) for limit in check.limits
    ]


async def test_redirects_end_where_they_lead() -> None:
    async with web.serving() as url:
        followed, stayed = await ask(f"{url}/hops/2"), await ask(f"{url}/hops/2", redirects=False)
    assert followed.reason is Reason.OK
    assert followed.value("probe_http_redirects") == 2
    assert followed.value("probe_http_status_code") == 200
    assert (stayed.reason, stayed.message) == (Reason.UNHEALTHY, "expected status 2xx, got 302 Found")
    assert stayed.value("probe_http_redirects") == 1
    assert stayed.value("probe_http_status_code") == 302


async def test_head_and_ipv6() -> None:
    async with web.serving(host="::1") as url:
        result = await ask(f"{url}/bytes/1000", method="HEAD", ip_family="ip6")
    assert result.reason is Reason.OK
    assert result.value("probe_http_content_length") == 1000
    assert result.value("probe_http_uncompressed_body_length") == 0
    assert result.value("probe_ip_protocol") == 6


async def test_what_is_sent() -> None:
    sent = {"headers": {"X-Request": "7"}, "method": "POST", "body": "hi"}
    async with web.serving() as url:
        as_user = await ask(
            f"{url}/echo",
            basic={"username": "app", "password": "s3cret"},
            expect={"json": {"headers.Authorization": "Basic " + base64.b64encode(b"app:s3cret").decode()}},
            **sent,
        )
        as_bearer = await ask(
            f"{url}/echo",
            bearer="t0ken",
            expect={"json": {"headers": {"Authorization": "Bearer t0ken", "X-Request": "7"}, "body": "hi"}},
            **sent,
        )
    assert (as_user.reason, as_bearer.reason) == (Reason.OK, Reason.OK), (as_user.message, as_bearer.message)


async def test_no_secret_leaves_a_run() -> None:
    async with web.serving() as url:
        result = await ask(
            f"{url.replace('//', '//app:s3cret-pw@')}/echo?key=query-key",
            headers={"X-Api-Key": "api-key-value"},
            expect={"body": {"contains": "something else"}},
        )
    assert result.reason is Reason.UNHEALTHY
    assert result.message.startswith("expected the body to contain 'something else', got {")
    assert "***" in result.message
    for secret in ("s3cret-pw", "api-key-value", base64.b64encode(b"app:s3cret-pw").decode()):
        assert secret not in result.message


async def test_a_secret_is_masked_before_the_body_is_cut() -> None:
    async with web.serving() as url:
        # The echoed header begins some 20 characters before the message is cut.
        for before in range(0, 200, 7):
            result = await ask(
                f"{url}/echo",
                headers={"A": "x" * before, "B": "topsecrettopsecrettopsecret"},
                expect={"status": 500},
            )
            assert "topsecret" not in result.message


async def test_through_a_proxy() -> None:
    proxy = web.Proxy()
    async with proxy.running(), web.serving() as url:
        result = await ask(f"{url}/health", proxy=f"http://127.0.0.1:{proxy.port}")
    assert result.reason is Reason.OK
    assert proxy.asked == [f"GET {url}/health HTTP/1.1"]


@pytest.mark.parametrize(
    ("path", "expect", "reason", "message"),
    [
        (
            "/down",
            {"status": 200},
            Reason.UNHEALTHY,
            'expected status 200, got 503: {"detail": "Database connection failed"}',
        ),
        (
            "/status/404",
            {"status": ["2xx", 301]},
            Reason.UNHEALTHY,
            "expected status 2xx or 301, got 404 Not Found",
        ),
        ("/status/401", {}, Reason.AUTH, "expected status 2xx, got 401 Unauthorized"),
        ("/status/403", {"status": "200-299"}, Reason.AUTH, "expected status 200-299, got 403 Forbidden"),
        (
            "/html",
            {"headers": {"Content-Type": "^application/json$"}},
            Reason.UNHEALTHY,
            "expected header Content-Type to match ^application/json$, got text/html; charset=utf-8",
        ),
        (
            "/html",
            {"headers": {"X-Version": "."}},
            Reason.UNHEALTHY,
            "expected header X-Version to match ., it is missing",
        ),
        (
            "/html",
            {"body": {"contains": "Welcome"}},
            Reason.UNHEALTHY,
            "expected the body to contain 'Welcome', got <html> <title>Sign in</title> </html>",
        ),
        (
            "/html",
            {"body": {"lacks": ["x", "Sign in"]}},
            Reason.UNHEALTHY,
            "expected the body to lack 'Sign in', got <html> <title>Sign in</title> </html>",
        ),
        (
            "/bytes/0",
            {"body": {"matches": "^ok"}},
            Reason.UNHEALTHY,
            "expected the body to match ^ok, got an empty one",
        ),
        (
            "/echo",
            {"json": {"method": "POST"}},
            Reason.UNHEALTHY,
            'expected json method POST, got "GET": {"method": "GET", "headers": {"Host": "',
        ),
        ("/html", {"json": {"status": "ok"}}, Reason.PROTOCOL, "did not answer in JSON: <html> <title>Sign in</title>"),
        ("/html", {"http_version": 1.0}, Reason.UNHEALTHY, "expected HTTP/1.0, got HTTP/1.1"),
    ],
)
async def test_says_what_came_instead(path: str, expect: dict[str, Any], reason: Reason, message: str) -> None:
    async with web.serving() as url:
        result = await ask(url + path, expect=expect)
    assert result.reason is reason
    assert message in result.message
    regex = {"headers", "body"} & expect.keys()
    assert result.value("probe_failed_due_to_regex") == bool(regex)


async def test_a_status_may_be_expected_to_be_a_refusal() -> None:
    async with web.serving() as url:
        assert (await ask(f"{url}/status/401", expect={"status": 401})).reason is Reason.OK


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    ("fault", "reason", "step"),
    [
        (faults.refused, Reason.CONNECT, "connect"),
        (faults.black_hole, Reason.TIMEOUT, "connect"),
        (faults.silent, Reason.TIMEOUT, "processing"),
        (faults.closing, Reason.CONNECT, "processing"),
        (faults.resetting, Reason.CONNECT, "processing"),
        (lambda: faults.resetting(HEAD + b"half"), Reason.PROTOCOL, "transfer"),
        (lambda: faults.answering(HEAD + b"half"), Reason.PROTOCOL, "transfer"),
        (lambda: faults.answering(HEAD, closes=False), Reason.TIMEOUT, "transfer"),
        (faults.garbage, Reason.PROTOCOL, "processing"),
        (lambda: faults.trickling(HEAD), Reason.TIMEOUT, "processing"),
    ],
)
async def test_failures_by_their_cause(fault: Any, reason: Reason, step: str) -> None:
    async with fault() as port:
        result = await ask(f"http://127.0.0.1:{port}/", timeout="1s" if reason is Reason.TIMEOUT else "10s")
    assert (result.reason, result.step) == (reason, step), result.message
    numbers = seen(result)
    came = step == "transfer"
    assert numbers["probe_http_status_code"] == (200 if came else 0)
    assert numbers["probe_http_version"] == (1.1 if came else 0)
    assert numbers["probe_http_content_length"] == (100 if came else 0)
    assert numbers["probe_http_redirects"] == numbers["probe_http_ssl"] == numbers["probe_failed_due_to_regex"] == 0
    assert numbers["probe_ip_protocol"] == 4
    phases = numbers["probe_http_duration_seconds"]
    assert (phases["connect"] > 0) == (step != "connect")
    assert (phases["transfer"] > 0) == came


async def test_a_name_without_an_address() -> None:
    result = await ask("http://nowhere.invalid/")
    assert (result.reason, result.step) == (Reason.DNS, "resolve")
    numbers = seen(result)
    assert set(numbers["probe_http_duration_seconds"]) == {"resolve"}
    assert numbers["probe_ip_protocol"] == numbers["probe_ip_addr_hash"] == numbers["probe_http_status_code"] == 0
    assert numbers["probe_dns_lookup_time_seconds"] > 0


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.tls_expired, "certificate expired on 2020-02-01 ("),
        (faults.tls_wrong_host, "certificate is for a.example, b.example, not for 127.0.0.1"),
        (faults.tls_unknown_ca, "certificate is signed by an unknown CA (issuer "),
    ],
)
async def test_a_chain_that_does_not_verify(fault: Any, says: str) -> None:
    async with fault(HEAD) as server:
        result = await ask(f"https://127.0.0.1:{server.port}/", tls={"ca": server.ca})
    assert (result.reason, result.step) == (Reason.TLS, "tls")
    assert result.message.startswith(says)
    numbers = seen(result)
    assert numbers["probe_ssl_earliest_cert_expiry"] > 1_500_000_000
    assert numbers["probe_http_ssl"] == 0
    assert not {"probe_tls_version_info", "probe_ssl_last_chain_info"} & numbers.keys()
    assert numbers["probe_http_duration_seconds"]["connect"] == 0


async def test_insecure_shows_an_expired_certificate_and_does_not_mind() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    async with faults.tls_expired(answer) as server:
        result = await ask(f"https://127.0.0.1:{server.port}/", tls={"insecure": True})
    assert result.reason is Reason.OK
    assert result.value("probe_ssl_earliest_cert_expiry") == 1580515200
    assert result.value("probe_ssl_last_chain_expiry_timestamp_seconds") == -62135596800


async def test_plain_text_where_tls_is_due() -> None:
    async with web.serving() as url:
        result = await ask(url.replace("http", "https"))
    assert (result.reason, result.message) == (Reason.TLS, "no TLS there: the server answered in plain text")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"url": "ftp://a.example"}, "not a URL to ask; write http:// or https://, a host and perhaps a port"),
        ({"url": "a.example/health"}, "not a URL to ask"),
        ({"url": "http://a.example:99999/"}, "not a URL to ask"),
        ({"proxy": "https://proxy"}, "not a URL to ask; write http://, a host and perhaps a port"),
        ({"expect": {"status": "2x"}}, "'2x' is no status; write 200, 200-299, 2xx, or a list of these"),
        ({"expect": {"status": []}}, "no status at all would do"),
        ({"expect": {"headers": {"A": "("}}}, "'(' is no regular expression: missing ), unterminated subpattern"),
        ({"expect": {"body": {"matches": ["ok", "[a"]}}}, "'[a' is no regular expression"),
        ({"expect": {"body": {"match": "x"}}}, "Extra inputs are not permitted"),
        ({"expect": {"http_version": "2"}}, "String should match pattern"),
        ({"method": "GET /"}, "String should match pattern"),
    ],
)
def test_what_can_not_be_meant(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        Http(**{"url": "http://a.example", **fields})
    assert says in error.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("fields", "place", "says"),
    [
        ({"basic": {"username": "a", "password": "b"}, "bearer": "c"}, ("bearer",), "basic and bearer are both given"),
        ({"expect": {"json": {"a.b": "> many"}}}, ("expect", "json", "a.b"), "'many' is no number; write > and a"),
        ({"expect": {"json": {"a": {"b": "~ ("}}}}, ("expect", "json", "a", "b"), "'(' is no regular expression"),
    ],
)
def test_what_can_not_hold_together(fields: dict[str, Any], place: tuple[str, ...], says: str) -> None:
    ((where, what),) = Http(url="http://a.example", **fields).problems()
    assert where == place
    assert what.startswith(says)
