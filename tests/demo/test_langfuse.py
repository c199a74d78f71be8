"""The stand-in for Langfuse, as the demo uses it. tests/kinds/test_langfuse.py holds it against Langfuse's OpenAPI."""

import json
from typing import Any

import aiohttp
import pytest

from probe.demo.langfuse import Langfuse
from probe.demo.langfuse.counting import Observation, steady_traffic
from probe.exchange.request import basic

DAY = 1_800_000_000.0, 1_800_086_400.0


async def asked(server: Langfuse, path: str, **params: str) -> tuple[int, Any]:
    login = {"Authorization": basic(server.public_key, server.secret_key)}
    async with aiohttp.ClientSession(headers=login) as session, session.get(server.url + path, params=params) as answer:
        assert answer.headers["Server"] == "probe demo, a stand-in for Langfuse"
        return answer.status, await (answer.json() if "json" in answer.content_type else answer.text())


async def test_says_that_it_is_a_stand_in_and_comes_back_on_its_port() -> None:
    server = Langfuse()
    await server.start()
    await server.start()
    status, page = await asked(server, "/")
    assert (status, "a stand-in for Langfuse" in page) == (200, True)
    address = server.url
    await server.stop()
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await asked(server, "/")
    await server.start()
    assert server.url == address
    await server.stop()


def test_its_traffic_is_steady_and_always_the_same() -> None:
    day = list(steady_traffic(*DAY))
    assert day == list(steady_traffic(*DAY))
    assert len(day) == 2 * (86_400 // 20 + 1)
    assert {seen.environment for seen in day} == {"production", "staging"}
    assert {seen.model for seen in day} == {None, "gpt-5-mini", "claude-sonnet-5"}
    assert 0 < sum(seen.level == "ERROR" for seen in day) / len(day) < 0.05
    assert len(list(steady_traffic(0, DAY[1]))) == 2 * 10_001


GOOD = {
    "view": "observations",
    "metrics": [{"measure": "latency", "aggregation": "p95"}],
    "fromTimestamp": "2027-01-15T08:00:00Z",
    "toTimestamp": "2027-01-15T09:00:00Z",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"view": "traces"},
        {"metrics": []},
        {"metrics": [{"measure": "latency", "aggregation": "median"}]},
        {"metrics": [{"measure": "mood", "aggregation": "sum"}]},
        {"dimensions": [{"field": "userId"}]},
        {"toTimestamp": "2027-01-15T08:00:00Z"},
        {"fromTimestamp": "yesterday"},
        {"config": {"row_limit": 1001}},
    ],
)
async def test_refuses_queries_that_langfuse_would_refuse(wrong: dict[str, object]) -> None:
    server = Langfuse(traffic=lambda since, until: [Observation(since, latency=7.0)])
    await server.start()
    try:
        assert await asked(server, "/api/public/v2/metrics", query=json.dumps(GOOD)) == (
            200,
            {"data": [{"p95_latency": 7.0}]},
        )
        status, told = await asked(server, "/api/public/v2/metrics", query=json.dumps({**GOOD, **wrong}))
        assert (status, told["error"]) == (400, "InvalidRequestError")
        assert (await asked(server, "/api/public/v2/metrics", query="{"))[0] == 400
    finally:
        await server.stop()
