"""Who may look, and who may not."""

import asyncio
from base64 import b64encode

import pytest

from probe.check import Secret
from probe.config.settings import BasicAuth, Web
from probe.server.access import is_loopback, is_ours
from tests.server.conftest import Serving
from tests.server.scene import Agent

BASIC = Web(listen="0.0.0.0:10115", basic=BasicAuth(username="ann", password=Secret("s3:crét")))
TOKEN = Web(listen="0.0.0.0:10115", bearer_token=Secret("a-long-token"))
BOTH = Web(basic=BASIC.basic, bearer_token=TOKEN.bearer_token)
GUARDED = ("/", "/metrics", "/checks/db", "/api/v1/checks", "/api/v1/checks/db", "/static/style.css", "/nothing")


def basic(login: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("web", "schemes"),
    [
        (BASIC, ['Basic realm="probe", charset="UTF-8"']),
        (TOKEN, ['Bearer realm="probe"']),
        (BOTH, ['Basic realm="probe", charset="UTF-8"', 'Bearer realm="probe"']),
    ],
)
async def test_every_path_but_the_agents_health_asks_for_a_login(
    serving: Serving, web: Web, schemes: list[str]
) -> None:
    client = await serving(web=web)
    for path in GUARDED:
        async with client.get(path) as answer:
            assert (path, answer.status) == (path, 401)
            assert answer.headers.getall("WWW-Authenticate") == schemes
            assert await answer.text() == "401: log in\n"
    for path in ("/-/healthy", "/-/ready"):
        async with client.get(path) as answer:
            assert (path, answer.status) == (path, 200)


@pytest.mark.parametrize(
    ("web", "login"),
    [
        (BASIC, basic("ann:s3:crét")),
        (BASIC, {"Authorization": basic("ann:s3:crét")["Authorization"].replace("Basic", "basic ")}),
        (TOKEN, bearer("a-long-token")),
        (BOTH, basic("ann:s3:crét")),
        (BOTH, bearer("a-long-token")),
    ],
)
async def test_the_right_login_opens_and_shows_messages(serving: Serving, web: Web, login: dict[str, str]) -> None:
    client = await serving(web=web)
    async with client.get("/", headers=login) as answer:
        assert answer.status == 200
        assert "connection refused" in await answer.text()


@pytest.mark.parametrize(
    "login",
    [
        {},
        basic("ann:wrong"),
        basic("ann"),
        basic("bob:s3:crét"),
        basic(":"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic ann:s3:crét"},
        {"Authorization": "Digest a-long-token"},
        bearer("ann:s3:crét"),
        bearer(""),
        bearer("a-long-tokem"),
        {"Authorization": "a-long-token"},
    ],
)
async def test_no_other_login_opens(serving: Serving, login: dict[str, str]) -> None:
    client = await serving(web=BOTH)
    async with client.get("/metrics", headers=login) as answer:
        assert answer.status == 401


async def raw(serving: Serving, web: Web, request: str) -> str:
    """The first line of the answer to a request that no client would send."""
    client = await serving(web=web)
    async with client.get("/-/ready") as answer:
        address = (answer.url.host or "", answer.url.port or 0)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request.replace("\n", "\r\n").encode())
    line = (await reader.readline()).decode().strip()
    writer.close()
    await writer.wait_closed()
    return line


@pytest.mark.parametrize(
    "path",
    [
        "/heartbeat/../metrics",
        "/heartbeat/%2e%2e/metrics",
        "/-/healthy/../../metrics",
        "//-/healthy",
        "/-/healthy;/metrics",
        "/-/healthy/",
        "http://127.0.0.1/metrics",
        "http://elsewhere.example/-/../metrics",
    ],
)
async def test_no_spelling_of_a_path_leads_around_the_login(serving: Serving, path: str) -> None:
    line = await raw(serving, BOTH, f"GET {path} HTTP/1.1\nHost: x\nConnection: close\n\n")
    assert line == "HTTP/1.1 401 Unauthorized"


async def test_on_loopback_without_a_login_a_name_that_public_dns_can_give_is_refused(serving: Serving) -> None:
    for host, first_line in [
        ("127.0.0.1:10115", "HTTP/1.1 200 OK"),
        ("localhost", "HTTP/1.1 200 OK"),
        ("rebound.example:10115", "HTTP/1.1 421 Misdirected Request"),
        ("127.0.0.1.rebound.example", "HTTP/1.1 421 Misdirected Request"),
    ]:
        line = await raw(serving, Web(), f"GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n")
        assert (host, line) == (host, first_line)


async def test_with_a_login_or_beyond_loopback_any_name_will_do(serving: Serving) -> None:
    for web, headers in [(BOTH, bearer("a-long-token")), (Web(listen=":10115"), {})]:
        client = await serving(web=web)
        async with client.get("/", headers={"Host": "status.example.org", **headers}) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("10.1.2.3:10115", True),
        ("[::1]:10115", True),
        ("LOCALHOST.", True),
        ("app.localhost", True),
        ("host.docker.internal:10115", True),
        ("monitoring", True),
        ("", True),
        ("evil.com", False),
        ("localhost.evil.com", False),
        ("internal.evil.com:80", False),
        ("a:b:c", False),
        ("[]@", False),
    ],
)
def test_ours_is_what_no_public_dns_can_name(host: str, ours: bool) -> None:
    assert is_ours(host) is ours


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("0.0.0.0", False),
        ("db", False),
    ],
)
def test_loopback_is_reached_from_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


async def test_the_agents_own_health(serving: Serving) -> None:
    agent = Agent(ready=False)
    client = await serving(agent)

    async def asked(path: str) -> tuple[int, str]:
        async with client.get(path) as answer:
            return answer.status, await answer.text()

    assert await asked("/-/healthy") == (200, "healthy\n")
    assert await asked("/-/ready") == (503, "not ready: first runs have not ended yet\n")
    agent.ready, agent.sick = True, "no run has started for 60 s"
    assert await asked("/-/ready") == (200, "ready\n")
    assert await asked("/-/healthy") == (503, "no run has started for 60 s\n")
