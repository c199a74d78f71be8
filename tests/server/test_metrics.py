"""/metrics, as scrapers ask for it."""

import gzip
from dataclasses import replace

import pytest

from probe.exporter import Format
from probe.server.aside import takes_gzip
from probe.server.metrics import negotiated
from tests.exporter.reading import read_openmetrics, read_text
from tests.server.conftest import Serving
from tests.server.scene import Agent, ran

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


async def test_prometheus_gets_openmetrics(serving: Serving) -> None:
    client = await serving()
    async with client.get("/metrics", headers={"Accept": PROMETHEUS_3}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        names = {family.name for family in read_openmetrics(await answer.text())}
    assert {"probe_success", "probe_runs", "probe_caused_by", "probe_limit"} <= names


async def test_anybody_else_gets_text(serving: Serving) -> None:
    client = await serving()
    async with client.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "probe_health" in {family.name for family in read_text(await answer.text())}


async def test_is_packed_for_who_unpacks(serving: Serving) -> None:
    client = await serving()
    async with client.get("/metrics", headers={"Accept-Encoding": "deflate, gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = gzip.decompress(await answer.read())
    async with client.get("/metrics", headers={"Accept-Encoding": "gzip;q=0"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert await answer.read() == packed


async def test_head_has_the_headers_alone(serving: Serving) -> None:
    client = await serving()
    async with client.get("/metrics") as answer:
        length = len(await answer.read())
    async with client.head("/metrics") as answer:
        assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (200, str(length), b"")


async def test_each_scrape_shows_the_board_of_its_moment(serving: Serving) -> None:
    agent = Agent()
    client = await serving(agent)

    async def health_of_db() -> str:
        async with client.get("/metrics") as answer:
            return next(line for line in (await answer.text()).splitlines() if 'probe_health{check="db"' in line)[-3:]

    assert await health_of_db() == await health_of_db() == "3.0"
    agent.board = agent.board.put(replace(ran(agent.board["db"], 0.1), causes=()))
    assert await health_of_db() == "0.0"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5", Format.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.5", Format.TEXT),
        ("application/openmetrics-text;version=0.0.1", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=nonsense", Format.TEXT),
        (PROMETHEUS_3, Format.OPENMETRICS),
    ],
)
def test_the_format_is_what_is_liked_best(accept: str, form: Format) -> None:
    assert negotiated(accept) is form


@pytest.mark.parametrize(
    ("accept_encoding", "takes"),
    [("", False), ("gzip", True), ("br, GZIP;q=0.1", True), ("gzip;q=0, *", False), ("*", True), ("identity", False)],
)
def test_gzip_is_for_who_names_it(accept_encoding: str, takes: bool) -> None:
    assert takes_gzip(accept_encoding) is takes
