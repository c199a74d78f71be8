"""The board as JSON."""

import math
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession

from probe.config.settings import Web
from probe.model import Limit
from probe.state import LimitState
from tests.exporter.boards import NOON
from tests.server.conftest import Serving
from tests.server.scene import Agent


async def got(client: ClientSession, path: str) -> Any:
    async with client.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        return await answer.json()


async def test_all_checks(serving: Serving) -> None:
    document = await got(await serving(), "/api/v1/checks")
    checks = document.pop("checks")
    assert document == {
        "version": 1,
        "agent": {"version": "1.2.3", "started_at": NOON - 86400 * 4},
        "at": NOON,
        "ready": True,
        "health": "unhealthy",
        "messages_hidden": False,
    }
    assert [check["name"] for check in checks] == list(Agent().board.checks)
    assert checks[1] == {
        "name": "api",
        "kind": "http",
        "labels": {"team": "core"},
        "interval": 15.0,
        "optional": False,
        "passive": False,
        "needs": ["db", "cache"],
        "dependants": ["website"],
        "health": "unhealthy",
        "counts": True,
        "reason": "unhealthy",
        "message": 'status 503, expected 200: {"detail":"no database"}',
        "since": NOON - 130,
        "causes": ["db"],
        "last_success": NOON - 20,
        "last_run": {
            "at": NOON - 3,
            "duration": checks[1]["last_run"]["duration"],
            "reason": "unhealthy",
            "step": "",
            "message": 'status 503, expected 200: {"detail":"no database"}',
            "steps": [],
            "notes": [],
        },
        "limits": [],
        "surveys": [],
    }


async def test_one_check_with_its_history(serving: Serving) -> None:
    document = await got(await serving(), "/api/v1/checks/db")
    check = document["check"]
    assert (document["version"], check["name"], check["dependants"]) == (1, "db", ["api"])
    assert [run["reason"] for run in check["runs"][-9:]] == ["timeout", *["connect"] * 8]
    assert len(check["runs"]) == 50
    assert [failure["step"] for failure in check["failures"]] == ["connect"] * 3
    assert check["limits"][2] == {
        "metric": "probe_postgres_database_size_bytes",
        "selector": {"datname": "app"},
        "op": ">",
        "bound": 40.0 * 2**30,
        "level": "warn",
        "value": 31.0 * 2**30,
        "crossed": False,
        "not_evaluated": False,
        "on_time": False,
    }
    [survey] = check["surveys"]
    assert survey["last_run"]["notes"] == ["two databases hidden: GRANT pg_monitor TO probe;"]
    assert {key: survey[key] for key in ("name", "interval", "unfinished", "last_success")} == {
        "name": "sizes",
        "interval": 300.0,
        "unfinished": False,
        "last_success": NOON - 100,
    }


async def test_what_has_not_run_is_null(serving: Serving) -> None:
    client = await serving()
    check = (await got(client, "/api/v1/checks/mailer"))["check"]
    assert (check["health"], check["reason"], check["last_run"], check["last_success"]) == (
        "unknown",
        "not run",
        None,
        None,
    )
    survey = (await got(client, "/api/v1/checks/reports-db"))["check"]["surveys"][0]
    assert (survey["last_run"], survey["last_success"]) == (None, None)


async def test_a_number_that_json_cannot_carry_is_null(serving: Serving) -> None:
    agent = Agent()
    limit = LimitState(Limit("probe_duration_seconds", ">", 1.0, "warn"), crossed=True, value=math.inf)
    agent.board = agent.board.put(replace(agent.board["cache"], limits=(limit,)))
    check = (await got(await serving(agent), "/api/v1/checks/cache"))["check"]
    assert (check["limits"][0]["value"], check["limits"][0]["crossed"]) == (None, True)


async def test_beyond_loopback_strangers_get_no_messages(serving: Serving) -> None:
    client = await serving(web=Web(listen=":10115"))
    document = await got(client, "/api/v1/checks")
    assert document["messages_hidden"] is True
    assert {check["message"] for check in document["checks"]} == {""}
    async with client.get("/api/v1/checks/db") as answer:
        text = await answer.text()
    assert "refused" not in text
    assert "GRANT" not in text


async def test_no_check_of_that_name_is_404(serving: Serving) -> None:
    client = await serving()
    async with client.get("/api/v1/checks/nobody") as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "no check has this name"})
