"""Our numbers beside blackbox_exporter's own, asked about the same servers and faults.

Debian's blackbox_exporter 0.23 is older than the families that it lacks, which `NEWER` names.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from probe.demo.process import Process, accepts, free_port
from probe.kinds.http import Http
from probe.kinds.tcp import Tcp
from probe.model import Result
from tests import faults
from tests.exchange import web
from tests.harness import run

pytestmark = pytest.mark.service("prometheus-blackbox-exporter")

NEWER = {"probe_tls_cipher_info"}
"""Families of newer versions."""

RUNNERS = {"probe_success", "probe_duration_seconds"}
"""What the agent adds to every kind."""

MEASURED = {"probe_http_duration_seconds", "probe_dns_lookup_time_seconds"}
"""Times, which differ from run to run; here it counts whether they are 0."""

Series = dict[tuple[str, str], float]
"""Values by metric and last label."""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def http(**settings: Any) -> dict[str, Any]:
        return {"prober": "http", "timeout": "1s", "http": {"preferred_ip_protocol": "ip4", **settings}}

    def tcp(**settings: Any) -> dict[str, Any]:
        return {"prober": "tcp", "timeout": "1s", "tcp": {"preferred_ip_protocol": "ip4", **settings}}

    talk = [{"send": "PING"}, {"expect": "^.PONG"}]
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    faults.authority().cert_pem.write_to_path(str(ca))
    path = tmp_path_factory.mktemp("blackbox") / "blackbox.yml"
    path.write_text(
        json.dumps(
            {
                "modules": {
                    "http": http(tls_config={"ca_file": str(ca)}),
                    "http_stay": http(follow_redirects=False),
                    "http_head": http(method="HEAD"),
                    "http_insecure": http(tls_config={"insecure_skip_verify": True}),
                    "http_body": http(fail_if_body_not_matches_regexp=["no such text"]),
                    "http_gzip": http(compression="gzip", headers={"Accept-Encoding": "gzip"}),
                    "tcp": tcp(),
                    "tcp_tls": tcp(tls=True, tls_config={"ca_file": str(ca)}),
                    "tcp_talk": tcp(query_response=talk),
                }
            }
        )
    )
    return path


@asynccontextmanager
async def blackbox(modules: Path) -> AsyncIterator[Callable[[str, str], Any]]:
    """Asks blackbox_exporter about a place, with a module."""
    port = free_port()
    command = ["prometheus-blackbox-exporter", f"--config.file={modules}", f"--web.listen-address=127.0.0.1:{port}"]
    process = Process(command, log=modules.with_suffix(".log"))
    await process.start(lambda: accepts(port))
    try:
        async with aiohttp.ClientSession() as session:

            async def ask(module: str, place: str) -> Series:
                query = {"module": module, "target": place}
                async with session.get(f"http://127.0.0.1:{port}/probe", params=query) as answer:
                    families = text_string_to_metric_families(await answer.text())
                    return {
                        (sample.name, _last(sample.labels)): sample.value
                        for family in families
                        for sample in family.samples
                    }

            yield ask
    finally:
        await process.stop()


def _last(labels: dict[str, str]) -> str:
    """The label that tells series of a family apart; of a certificate its fingerprint."""
    return labels.get("fingerprint_sha256") or labels.get("phase") or labels.get("version") or ""


def ours(result: Result) -> Series:
    return {
        (sample.metric.name, _last(dict(zip(sample.metric.labels, sample.labels, strict=True)))): sample.value
        for sample in result.samples
        if sample.metric.name not in NEWER
    }


def comparable(series: Series) -> Series:
    return {
        key: float(value > 0) if key[0] in MEASURED else value for key, value in series.items() if key[0] not in RUNNERS
    }


BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
Place = Callable[[], AbstractAsyncContextManager[Any]]


@pytest.mark.parametrize(
    ("module", "place", "path", "fields"),
    [
        ("http", web.serving, "/health", {}),
        ("http", web.serving, "/down", {}),
        ("http", web.serving, "/chunked", {}),
        ("http", web.serving, "/modified", {}),
        ("http", web.serving, "/hops/3", {}),
        ("http", web.serving, "/cookie-wall", {}),
        ("http", web.serving, "/status/204", {}),
        ("http_head", web.serving, "/bytes/1000", {"method": "HEAD"}),
        ("http_body", web.serving, "/health", {"expect": {"body": {"contains": "no such text"}}}),
        ("http_gzip", web.serving, "/gzip", {"headers": {"Accept-Encoding": "gzip"}}),
        ("http", faults.refused, "/", {}),
        ("http", faults.closing, "/", {}),
        ("http", faults.black_hole, "/", {}),
        ("http", faults.silent, "/", {}),
        ("http", faults.resetting, "/", {}),
        ("http", lambda: faults.answering(BODY), "/", {}),
        ("http", lambda: faults.answering(BODY, closes=False), "/", {}),
        ("http", lambda: faults.resetting(BODY), "/", {}),
    ],
)
async def test_http(module: str, place: Place, path: str, fields: dict[str, Any], modules: Path) -> None:
    async with blackbox(modules) as ask, place() as where:
        url = (where if isinstance(where, str) else f"http://127.0.0.1:{where}") + path
        theirs, result = await asyncio.gather(ask(module, url), run(Http(name="a", url=url, timeout="1s", **fields)))
    assert comparable(ours(result)) == comparable(theirs)
    assert result.ok == theirs["probe_success", ""], result.message


async def test_http_without_an_address(modules: Path) -> None:
    url = "http://nowhere.invalid/"
    async with blackbox(modules) as ask:
        theirs, result = await asyncio.gather(ask("http", url), run(Http(name="a", url=url)))
    assert comparable(ours(result)) == comparable(theirs)


async def test_https(modules: Path) -> None:
    async with (
        faults.tls_server() as files,
        web.serving(tls=faults.server_context("localhost", "127.0.0.1", "a.example")) as url,
        blackbox(modules) as ask,
    ):
        theirs, result = await asyncio.gather(
            ask("http", f"{url}/health"), run(Http(name="a", url=f"{url}/health", tls={"ca": files.ca}))
        )
        assert result.ok, result.message
        assert comparable(ours(result)) == comparable(theirs)
        theirs, result = await asyncio.gather(
            ask("http_insecure", f"{url}/health"), run(Http(name="a", url=f"{url}/health", tls={"insecure": True}))
        )
        assert result.ok, result.message
        assert comparable(ours(result)) == comparable(theirs)


async def test_a_chain_that_does_not_verify_is_the_difference(modules: Path) -> None:
    async with faults.tls_expired() as server, blackbox(modules) as ask:
        url = f"https://127.0.0.1:{server.port}/"
        theirs, result = await asyncio.gather(ask("http", url), run(Http(name="a", url=url, tls={"ca": server.ca})))
    numbers = comparable(ours(result))
    assert numbers.pop(("probe_ssl_earliest_cert_expiry", "")) == 1580515200
    assert numbers == comparable(theirs)


@pytest.mark.parametrize(
    ("module", "place", "fields"),
    [
        ("tcp", faults.silent, {}),
        ("tcp", faults.refused, {}),
        ("tcp", faults.black_hole, {}),
        ("tcp_talk", faults.silent, {"dialogue": [{"send": "PING"}, {"expect": "^.PONG"}]}),
        ("tcp_talk", lambda: faults.answering(b"+PONG\r\n"), {"dialogue": [{"send": "PING"}, {"expect": "^.PONG"}]}),
        ("tcp_talk", lambda: faults.answering(b"-ERR\r\n"), {"dialogue": [{"send": "PING"}, {"expect": "^.PONG"}]}),
        ("tcp_tls", faults.tls_server, {}),
    ],
)
async def test_tcp(module: str, place: Place, fields: dict[str, Any], modules: Path) -> None:
    async with blackbox(modules) as ask, place() as where:
        port = where if isinstance(where, int) else where.port
        tls = {} if isinstance(where, int) else {"tls": {"ca": where.ca}}
        address = f"127.0.0.1:{port}"
        theirs, result = await asyncio.gather(
            ask(module, address), run(Tcp(name="a", address=address, timeout="1s", **tls, **fields))
        )
    assert comparable(ours(result)) == comparable(theirs)
    assert result.ok == theirs["probe_success", ""], result.message
