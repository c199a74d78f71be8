"""Our numbers beside blackbox_exporter's own, asked about the same servers, healthy and in every fault of the table."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from probe.check import Check
from probe.kinds.http import Http
from probe.kinds.tcp import Tcp
from tests import faults
from tests.exchange import web
from tests.fault_table import dead_dns
from tests.fault_table.bed import DEADLINE, Bed, deadline_of, made
from tests.fault_table.table import DEAD_DNS, Row, table
from tests.harness import run
from tests.kinds.blackbox import Blackbox, differing, ours
from tests.kinds.blackbox_cases import HTTP, TCP

pytestmark = pytest.mark.service("prometheus-blackbox-exporter")


class Difference(NamedTuple):
    """Series that have another value on purpose. `seen`: in which cases, by their names here or in the fault table."""

    series: set[str]
    seen: set[str]
    why: str


UNTRUSTED = ("TLS expired", "TLS for another host", "TLS of an unknown CA")
DIFFERENCES = (
    Difference(
        {"probe_ssl_earliest_cert_expiry"},
        {f"{kind}: {fault}" for kind in ("http", "tcp") for fault in UNTRUSTED},
        "**`probe_ssl_earliest_cert_expiry` is there when the chain does not verify.** blackbox_exporter leaves it out "
        "then, which is when the certificate that expired matters most.",
    ),
    Difference(
        {"probe_http_status_code", "probe_http_version"},
        {"a redirect to ftp"},
        "**`probe_http_status_code` and `probe_http_version` are those of a redirect that leads nowhere** "
        "(`Location: ftp://…`). blackbox_exporter shows 0, as if nothing had answered.",
    ),
    Difference(
        {"probe_http_duration_seconds{transfer}"},
        {"eleven redirects"},
        '**`probe_http_duration_seconds{phase="transfer"}` is 0 after too many redirects.** None of their bodies was '
        "read.",
    ),
    Difference(
        {"probe_http_uncompressed_body_length"},
        {"gzip, unasked"},
        "**`probe_http_uncompressed_body_length` is that of the unpacked body, always.** blackbox_exporter unpacks "
        "only where `compression` is configured; of a server that packs unasked it shows, and matches, the packed "
        "bytes.",
    ),
    Difference(
        {"probe_http_uncompressed_body_length"},
        {"http: an answer without end"},
        "**A body is read to 10 MiB, and a longer one is a failure** (`protocol`). blackbox_exporter reads on to its "
        "deadline, unless `body_size_limit` is configured.",
    ),
    Difference(
        {"probe_failed_due_to_regex"},
        {"lines that are no text, and the end"},
        "**The wait for a line ends with bytes that are no text** (`protocol`), and `probe_failed_due_to_regex` is 0 "
        "then, as it is after a deadline. blackbox_exporter waits on for the end or its deadline.",
    ),
)
"""All of them, as docs/blackbox.md tells them. A case that differs in more fails, and one that does in less."""

WAITED_OUT = ("an answer without end", "garbage")
"""Faults that blackbox_exporter waits out, where we do not."""

UNSTEADY = {
    "http: garbage": "unasked: Go sees it before it has asked, or after; see garbage when asked",
    "http: resets at once": "Go's connect sees it, or its first read; see resets when asked",
    "tcp: resets at once": "the same",
    "tcp: closes at once": "what is said then is answered by a reset, before or after the end is read; see a "
    "connection that ends without a word",
}
"""Faults of the table that are seen now in this way and now in that, and what stands for them."""


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def blackbox(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blackbox]:
    exporter = Blackbox(tmp_path_factory.mktemp("blackbox"))
    loop.run(exporter.start())
    yield exporter
    loop.run(exporter.stop())


@pytest.fixture(scope="module")
def bed(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    making = made(sorted({row.kind for row in table()}), tmp_path_factory.mktemp("bed"))
    yield loop.run(making.__aenter__())
    loop.run(making.__aexit__(None, None, None))


async def agree(case: str, check: Check, blackbox: Blackbox) -> None:
    """Both say the same of what the check asks, but for what differs on purpose in this case."""
    result, theirs = await asyncio.gather(run(check), blackbox.beside(check))
    on_purpose = set[str]().union(*(each.series for each in DIFFERENCES if case in each.seen))
    assert differing(ours(result), theirs) == on_purpose, (result.message, ours(result), theirs)


ROWS = [row for row in table() if row.kind in ("http", "tcp") and row.fault != DEAD_DNS]


def named(row: Row) -> str:
    return f"{row.kind}: {row.fault}"


@pytest.mark.parametrize("row", [pytest.param(row, id=named(row)) for row in ROWS if named(row) not in UNSTEADY])
def test_in_every_fault(row: Row, bed: Bed, blackbox: Blackbox, loop: asyncio.Runner) -> None:
    async def story() -> None:
        async with bed.broken(row) as check:
            timeout = DEADLINE if row.fault in WAITED_OUT else deadline_of(row)
            await agree(named(row), check.model_copy(update={"timeout": timeout}), blackbox)

    loop.run(story())


@pytest.mark.service("namespaces")
def test_with_a_dns_server_that_answers_nothing(tmp_path: Path) -> None:
    with dead_dns.started(tmp_path, "tests.kinds.blackbox", str(tmp_path)) as child:
        told, _ = child.communicate(timeout=60)
    assert told.splitlines()[-1] == "[('http', set()), ('tcp', set())]", told


@pytest.mark.parametrize("case", HTTP)
def test_http(case: str, blackbox: Blackbox, loop: asyncio.Runner) -> None:
    place, path, fields = HTTP[case]

    async def story() -> None:
        async with place() as where:
            url = (where if isinstance(where, str) else f"http://127.0.0.1:{where}") + path
            await agree(case, Http(name="a", url=url, **fields), blackbox)

    loop.run(story())


@asynccontextmanager
async def https(version: ssl.TLSVersion) -> AsyncIterator[tuple[str, str]]:
    """A web server of one version of TLS, and the file of its CA."""
    context = faults.server_context("localhost", "127.0.0.1", "a.example")
    context.minimum_version = context.maximum_version = version
    async with faults.tls_server() as files, web.serving(tls=context) as url:
        yield url, files.ca


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("path", ["/health", "/to?where=/chunked", "/down", "/gzip"])
@pytest.mark.parametrize("trust", [{}, {"insecure": True}, {"server_name": "a.example"}])
def test_https(
    path: str, trust: dict[str, Any], version: ssl.TLSVersion, blackbox: Blackbox, loop: asyncio.Runner
) -> None:
    async def story() -> None:
        async with https(version) as (url, ca):
            asks_for_gzip = {"Accept-Encoding": "gzip"} if path == "/gzip" else {}
            check = Http(name="a", url=url + path, headers=asks_for_gzip, tls={"ca": ca, **trust})
            await agree("https", check, blackbox)

    loop.run(story())


def test_a_redirect_from_http_to_https(blackbox: Blackbox, loop: asyncio.Runner) -> None:
    async def story() -> None:
        async with https(ssl.TLSVersion.TLSv1_3) as (url, ca), web.serving() as plain:
            check = Http(name="a", url=f"{plain}/to?where={url}/health", tls={"ca": ca})
            await agree("from http to https", check, blackbox)

    loop.run(story())


@pytest.mark.parametrize("case", TCP)
def test_tcp(case: str, blackbox: Blackbox, loop: asyncio.Runner) -> None:
    place, fields = TCP[case]

    async def story() -> None:
        async with faults.tls_server() as files, place() as where:
            trusts = isinstance(where, faults.TlsServer) or "tls" in fields
            port = where.port if isinstance(where, faults.TlsServer) else where
            trust = {"tls": {"ca": files.ca}} if trusts else {}
            await agree(case, Tcp(name="a", address=f"127.0.0.1:{port}", **{**fields, **trust}), blackbox)

    loop.run(story())


def test_the_docs_say_what_differs_and_why() -> None:
    text = (Path(__file__).parents[2] / "docs" / "blackbox.md").read_text()
    told = re.findall(
        r"^- (.*?)(?=\n\n|\n- |\Z)", text.partition("What differs on purpose")[2], re.MULTILINE | re.DOTALL
    )
    assert [" ".join(each.split()) for each in told] == [each.why for each in DIFFERENCES]
