"""The kind langfuse against a stand-in for Langfuse, which answers as Langfuse's OpenAPI says; it is not Langfuse."""

import functools
import inspect
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import jsonschema
import langfuse.api
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from langfuse.api.core import ApiError

from probe.check import reason_of
from probe.demo.langfuse import Langfuse as StandIn
from probe.demo.langfuse.counting import Observation
from probe.demo.process import Process, accepts, free_port
from probe.exchange.request import basic
from probe.kinds.langfuse import Langfuse
from probe.kinds.langfuse.usage import CUTS, LATENCY, SPENDING, Window
from probe.model import Clock, Reason, Result
from probe.runner import Runner
from tests import faults
from tests.fault_table.rows import Own, Rows, Trust
from tests.harness import run

NOON = 1_800_000_000.0
SECRET = "sk-lf-a-secret/of+ours"
RECORDED = (
    Observation(NOON - 300, root=True, latency=1000),
    Observation(NOON - 300, model="gpt", latency=800, input_tokens=100, output_tokens=20, cost=0.5),
    Observation(NOON - 200, root=True, latency=3000),
    Observation(NOON - 200, model="gpt", latency=200, input_tokens=50, cost=0.25, level="ERROR"),
    Observation(NOON - 100, root=True, latency=2000, environment="staging"),
    Observation(
        NOON - 100, model="claude", latency=400, input_tokens=10, output_tokens=5, cost=0.125, environment="staging"
    ),
)
WHOLE = {
    "traces": 3,
    "observations": 6,
    "errors": 1,
    "error_ratio": 1 / 6,
    "tokens": 185,
    "input_tokens": 160,
    "output_tokens": 25,
    "cost_usd": 0.875,
    "latency_p50_seconds": 2.0,
    "latency_p95_seconds": 2.9,
    "window_seconds": 3600,
}


def recorded(since: float, until: float) -> list[Observation]:
    return [seen for seen in RECORDED if since <= seen.at < until]


@asynccontextmanager
async def standing_in(server: StandIn) -> AsyncIterator[StandIn]:
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture(params=["v4", "v3"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[StandIn]:
    async with standing_in(StandIn(request.param, recorded)) as server:
        yield server


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    async with standing_in(StandIn("v4", recorded)) as server:
        yield server


class Agent:
    """A runner on a clock of its own, so that the next survey knows what the last one left."""

    def __init__(self) -> None:
        self.now = NOON
        self.runner = Runner(Clock(wall=lambda: self.now))

    async def usage(self, check: Langfuse) -> Result:
        return await self.runner.run(check, "usage")


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent()
    yield agent
    await agent.runner.close()


def with_keys(server: StandIn, **fields: Any) -> Langfuse:
    keys = {"public_key": server.public_key, "secret_key": server.secret_key}
    return Langfuse(**{"name": "llm", "url": server.url, **keys, **fields})


def numbers(result: Result) -> dict[str, float]:
    """Values of the metrics without labels."""
    return {sample.metric.key: sample.value for sample in result.samples if not sample.labels}


# The fault table


def pointed_at(host: str, port: int, tls: Trust) -> Langfuse:
    scheme = "http" if tls is None else "https"
    keys = {"public_key": "pk-lf-demo", "secret_key": "sk-lf-demo-0c5a"}  # the stand-in's
    return Langfuse(name="llm", url=f"{scheme}://{host}:{port}", tls=tls, **keys)


@asynccontextmanager
async def healthy(_: Path) -> AsyncIterator[int]:
    async with standing_in(StandIn()) as server:
        yield server.port


@asynccontextmanager
async def with_another_key(_: Path) -> AsyncIterator[Langfuse]:
    async with standing_in(StandIn()) as server:
        yield with_keys(server, secret_key=SECRET)


@asynccontextmanager
async def behind_a_proxy_that_forbids(_: Path) -> AsyncIterator[Langfuse]:
    async with json_page("403 Forbidden", '{"message":"no access"}')() as port:
        yield pointed_at("127.0.0.1", port, None)


@asynccontextmanager
async def limited(_: Path) -> AsyncIterator[Langfuse]:
    async with standing_in(StandIn()) as server:
        server.metrics_left = 0
        yield with_keys(server)


@asynccontextmanager
async def without_its_database(_: Path) -> AsyncIterator[Langfuse]:
    async with standing_in(StandIn()) as server:
        server.ill = "Database not available"
        yield with_keys(server)


ROWS = Rows(
    pointed_at,
    healthy,
    endless=(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[", b"0,"),
    own={
        "wrong password": Own(with_another_key, {"": Reason.OK, "usage": Reason.AUTH}),
        "missing permission": Own(behind_a_proxy_that_forbids, Reason.AUTH),
        "too many connections": Own(limited, {"": Reason.OK, "usage": Reason.UNHEALTHY}),
        "starting up": Own(without_its_database, {"": Reason.UNHEALTHY, "usage": Reason.OK}),
        "read-only": "it is only asked",
    },
    strangers={
        "http": Reason.UNHEALTHY,  # 404
        "tcp": Reason.UNHEALTHY,  # lines, but not the awaited one
        "s3": {"": Reason.PROTOCOL, "drives": Reason.OK},  # no MinIO has none
    },
)


# The run: health and version


async def test_reports_the_version_without_any_key(either: StandIn) -> None:
    result = await run(Langfuse(url=either.url + "/"))
    assert (result.reason, result.message) == (Reason.OK, "")
    assert list(result.values("version_info")) == [({"v4": "4.59.0", "v3": "3.225.11"}[either.generation],)]
    assert [step.name for step in result.steps if step.name in ("connect", "processing")] == ["connect", "processing"]


async def test_says_what_langfuse_says_when_its_database_is_gone(server: StandIn) -> None:
    server.ill = "Database not available"
    result = await run(Langfuse(url=server.url))
    assert result.reason is Reason.UNHEALTHY
    assert result.message == "Langfuse answers 503: Database not available"

    blind = await run(Langfuse(url=server.url, fail_if_database_unavailable=False))
    assert blind.reason is Reason.OK


async def test_a_worker_belongs_to_the_health_when_its_address_is_given(server: StandIn) -> None:
    assert (await run(Langfuse(url=server.url, worker_url=server.url, fail_if_queue_stuck=True))).ok

    server.worker_ill = "Queue consumption stuck"
    result = await run(Langfuse(url=server.url, worker_url=server.url))
    assert result.reason is Reason.UNHEALTHY
    assert result.message == "the worker: Langfuse answers 503: Queue consumption stuck"
    assert result.step == "worker"
    assert result.values("version_info")

    async with json_page("200 OK", '{"pong":true}')() as port:
        result = await run(Langfuse(url=server.url, worker_url=f"http://127.0.0.1:{port}"))
    assert result.reason is Reason.PROTOCOL
    assert result.message == "the worker: not a Langfuse worker's health: pong"

    async with faults.refused() as port:
        result = await run(Langfuse(url=server.url, worker_url=f"http://127.0.0.1:{port}"))
    assert result.reason is Reason.CONNECT
    assert str(port) in result.message


def page(status: str, body: str, *headers: str) -> Callable[[], AbstractAsyncContextManager[int]]:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return lambda: faults.answering(f"{head}\r\n\r\n{body}".encode())


def json_page(status: str, body: str, *headers: str) -> Callable[[], AbstractAsyncContextManager[int]]:
    return page(status, body, "Content-Type: application/json", *headers)


LOGIN_PAGE = "<!DOCTYPE html><title>Sign in</title>"
BROKEN: dict[str, tuple[Callable[[], AbstractAsyncContextManager[int]], Reason, str]] = {
    "reset mid-answer": (
        lambda: faults.resetting(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"),
        Reason.PROTOCOL,
        "",
    ),
    "login page": (page("200 OK", LOGIN_PAGE, "Content-Type: text/html"), Reason.PROTOCOL, "is a login page in front"),
    "redirect": (page("302 Found", "", "Location: https://sso.example/"), Reason.PROTOCOL, "302: sent elsewhere"),
    "list": (json_page("200 OK", "[1]"), Reason.PROTOCOL, "JSON that is no object: [1]"),
    "another service": (json_page("200 OK", '{"ok":true}'), Reason.PROTOCOL, "which has a status and a version: ok"),
    "says no at 200": (
        json_page("200 OK", '{"status":"DOWN","version":"4.1.0"}'),
        Reason.UNHEALTHY,
        "Langfuse says 'DOWN'",
    ),
    "wordless": (json_page("500 Oops", '{"message":""}'), Reason.UNHEALTHY, 'Langfuse answers 500: {"message":""}'),
    "not found": (page("404 Not Found", "nope"), Reason.PROTOCOL, "no such endpoint (404: nope)"),
    "proxy without it": (page("502 Bad Gateway", "bad gateway"), Reason.UNHEALTHY, "answers 502: bad gateway"),
    "login wanted": (page("401 Unauthorized", ""), Reason.AUTH, "refused (401: without a word)"),
    "limited by a proxy": (page("429 Too Many Requests", "slow down"), Reason.UNHEALTHY, "rate limited (429"),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_tells_what_is_wrong_instead_of_langfuse(fault: str) -> None:
    broken, reason, words = BROKEN[fault]
    async with broken() as port:
        patience = "500ms" if reason is Reason.TIMEOUT else "10s"
        result = await run(Langfuse(url=f"http://127.0.0.1:{port}", timeout=patience))
    assert (result.reason, words in result.message) == (reason, True), result.message
    assert not result.samples or fault == "says no at 200"


# The survey: usage


async def test_counts_the_window_and_says_which_generation_answered(either: StandIn, agent: Agent) -> None:
    result = await agent.usage(with_keys(either))
    assert (result.reason, result.message) == (Reason.OK, "")
    assert numbers(result) == pytest.approx(WHOLE)
    assert result.value("api_info", generation=either.generation) == 1

    narrow = await agent.usage(with_keys(either, window="150s"))
    assert (narrow.value("traces"), narrow.value("tokens"), narrow.value("window_seconds")) == (1, 15, 150)


async def test_breaks_the_usage_down_when_asked(either: StandIn, agent: Agent) -> None:
    result = await agent.usage(with_keys(either, by=["environment", "model"]))
    assert result.reason is Reason.OK
    assert numbers(result) == pytest.approx(WHOLE)
    assert result.values("environment_traces") == {("production",): 2, ("staging",): 1}
    assert result.values("environment_latency_p95_seconds") == {("production",): 2.9, ("staging",): 2.0}
    assert result.values("model_observations") == {("gpt",): 2, ("claude",): 1}
    assert result.values("model_error_ratio") == {("gpt",): 0.5, ("claude",): 0}
    assert result.values("model_cost_usd") == {("gpt",): 0.75, ("claude",): 0.125}
    assert result.values("model_latency_p50_seconds") == {("gpt",): 0.5, ("claude",): 0.4}
    assert result.values("parts_left_out") == {("environment",): 0, ("model",): 0}
    assert sum(either.asked.values()) == 6 + (either.generation == "v3")


async def test_counts_the_parts_that_get_no_series(agent: Agent) -> None:
    crowd = [Observation(NOON - 60, environment=f"pr-{nth}") for nth in range(30)]
    busy = [Observation(NOON - 60, root=True, environment="production")] * 3
    async with standing_in(StandIn("v4", lambda since, until: crowd + busy)) as server:
        result = await agent.usage(with_keys(server, by=["environment", "environment"], most_parts=2))
    assert result.values("environment_observations") == {("production",): 3, ("pr-0",): 1}
    assert result.value("parts_left_out", by="environment") == 29
    assert result.value("observations") == 33


async def test_says_when_langfuse_cut_its_answer(agent: Agent) -> None:
    crowd = [Observation(NOON - 60, environment=f"pr-{nth}") for nth in range(1001)]
    async with standing_in(StandIn("v4", lambda since, until: crowd)) as server:
        result = await agent.usage(with_keys(server, by=["environment"]))
    assert result.notes == ("Langfuse cut its answer by environment at 1000 rows; the smallest are missing",)
    assert result.value("observations") == 1001


async def test_a_window_without_traffic_counts_zero_and_has_no_latency(agent: Agent) -> None:
    async with standing_in(StandIn("v4", lambda since, until: [])) as server:
        result = await agent.usage(with_keys(server))
    assert result.reason is Reason.OK
    zeros = dict.fromkeys(
        ["traces", "observations", "errors", "tokens", "input_tokens", "output_tokens", "cost_usd"], 0
    )
    assert numbers(result) == zeros | {"window_seconds": 3600}


async def test_the_generation_is_found_once(agent: Agent) -> None:
    async with standing_in(StandIn("v3", recorded)) as server:
        check = with_keys(server)
        await agent.usage(check)
        assert server.asked == {"/api/public/v2/metrics": 1, "/api/public/metrics": 2}
        await agent.usage(check)
        assert server.asked == {"/api/public/v2/metrics": 1, "/api/public/metrics": 4}

        server.generation = "v4"  # it was upgraded
        result = await agent.usage(check)
    assert result.value("api_info", generation="v4") == 1


def test_without_keys_there_is_no_usage_to_ask_for() -> None:
    assert Langfuse(url="http://langfuse", public_key="pk", secret_key="sk").active_surveys == ("usage",)
    assert Langfuse(url="http://langfuse").active_surveys == ()
    assert [message for _, message in Langfuse(url="http://langfuse", warn={"traces": "< 1"}).problems()] == [
        'traces is never measured: it comes from the survey "usage", which nothing in this check asks for'
    ]


async def test_wrong_keys_fail_the_survey_and_leave_the_health(either: StandIn, agent: Agent) -> None:
    check = with_keys(either, secret_key=SECRET)
    survey = await agent.usage(check)
    assert survey.reason is Reason.AUTH
    assert survey.message.startswith("refused (401: Invalid credentials.")
    assert (await agent.runner.run(check)).ok


async def test_a_rate_limit_is_kept_and_leaves_the_health(either: StandIn, agent: Agent) -> None:
    check = with_keys(either)
    await agent.usage(check)
    either.metrics_left, either.retry_after = 1, "90"
    limited = await agent.usage(check)
    assert limited.reason is Reason.UNHEALTHY
    assert limited.message == "rate limited (429: Rate limit exceeded), until 2027-01-15 08:01:30 UTC"
    assert (await agent.runner.run(check)).ok

    asked = either.asked.copy()
    agent.now += 89
    waiting = await agent.usage(check)
    assert waiting.message == "rate limited until 2027-01-15 08:01:30 UTC; not asked before"
    assert either.asked - asked == {}

    agent.now += 1
    either.metrics_left = None
    assert (await agent.usage(check)).ok


async def test_a_rate_limit_may_end_at_a_date(server: StandIn, agent: Agent) -> None:
    server.metrics_left, server.retry_after = 0, formatdate(NOON + 30, usegmt=True)
    assert (await agent.usage(with_keys(server))).message.endswith("until 2027-01-15 08:00:30 UTC")


@pytest.mark.parametrize("retry_after", ["", "soon"])
async def test_a_rate_limit_without_an_end_is_asked_about_again(
    server: StandIn, agent: Agent, retry_after: str
) -> None:
    check = with_keys(server)
    server.metrics_left, server.retry_after = 0, retry_after
    assert (await agent.usage(check)).message == "rate limited (429: Rate limit exceeded)"
    server.metrics_left = None
    assert (await agent.usage(check)).ok


async def test_a_clock_that_was_set_back_does_not_silence_the_survey_for_long(server: StandIn, agent: Agent) -> None:
    check = with_keys(server)
    server.metrics_left = 0
    await agent.usage(check)
    agent.now -= 86_400
    server.metrics_left = None
    assert (await agent.usage(check)).ok


@pytest.mark.parametrize(
    ("broken", "reason", "words"),
    [
        (page("404 Not Found", "nope"), Reason.PROTOCOL, "neither /api/public/v2/metrics nor /api/public/metrics"),
        (json_page("403 Forbidden", '{"message":"no access"}'), Reason.AUTH, "refused (403: no access)"),
        (json_page("400 Bad Request", '{"message":"bad view"}'), Reason.UNHEALTHY, "answers 400: bad view"),
        (page("200 OK", LOGIN_PAGE, "Content-Type: text/html"), Reason.PROTOCOL, "is a login page in front"),
        (json_page("200 OK", '{"rows":[]}'), Reason.PROTOCOL, "not the answer of a metrics query"),
        (json_page("200 OK", '{"data":[1]}'), Reason.PROTOCOL, "not the answer of a metrics query"),
        (json_page("200 OK", '{"data":[{"count_count":"many"}]}'), Reason.PROTOCOL, "count_count of a metrics query"),
    ],
)
async def test_a_failed_survey_tells_why(
    broken: Callable[[], AbstractAsyncContextManager[int]], reason: Reason, words: str
) -> None:
    async with broken() as port:
        keys = {"public_key": "pk-lf-demo", "secret_key": SECRET}
        patience = "500ms" if reason is Reason.TIMEOUT else "10s"
        result = await run(Langfuse(url=f"http://127.0.0.1:{port}", **keys, usage_timeout=patience), "usage")
    assert (result.reason, words in result.message) == (reason, True), result.message


@pytest.mark.parametrize("body", ['{"data":"none"}', '{"data":[1]}', '{"data":null}'])
async def test_rows_of_the_old_generation_are_read_as_carefully(body: str, agent: Agent) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        found = request.path == "/api/public/metrics"
        return web.Response(text=body, content_type="application/json") if found else web.Response(status=404)

    async with RawTestServer(answer) as server:
        keys = {"public_key": "pk-lf-demo", "secret_key": SECRET}
        result = await agent.usage(Langfuse(name="llm", url=str(server.make_url("/")), **keys))
    assert (result.reason, result.message) == (Reason.PROTOCOL, "not the answer of a metrics query: no rows in data")


async def test_a_key_shows_nowhere(server: StandIn) -> None:
    check = with_keys(server, secret_key=SECRET)
    assert SECRET not in repr(check)
    login = basic(server.public_key, SECRET)
    body = f'{{"message":"bad login {SECRET} {login}"}}'
    async with json_page("401 Unauthorized", body)() as port:
        result = await run(check.model_copy(update={"url": f"http://127.0.0.1:{port}"}), "usage")
    assert result.reason is Reason.AUTH
    assert SECRET not in result.message
    assert login.removeprefix("Basic ") not in result.message


async def test_starts_no_thread_of_the_tracing_client(server: StandIn) -> None:
    before = {thread.name for thread in threading.enumerate()}
    assert (await run(with_keys(server), "usage")).ok
    started = {thread.name for thread in threading.enumerate()} - before
    assert not [name for name in started if "Otel" in name or "Consumer" in name or "Refresh" in name]


async def test_goes_through_no_proxy_that_the_environment_names(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert (await run(with_keys(server), "usage")).ok


# What the config may say


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"public_key": "pk-lf-1"}, ("secret_key",), "secret_key is missing"),
        ({"secret_key": "sk-lf-1"}, ("public_key",), "public_key is missing"),
        ({"public_key": "sk-lf-1", "secret_key": "pk-lf-1"}, ("public_key",), "were the two swapped?"),
        ({"url": "langfuse:3000"}, ("url",), "write http://"),
        ({"worker_url": "langfuse-worker:3030"}, ("worker_url",), "write http://"),
    ],
)
def test_what_cannot_hold_together_is_told(fields: dict[str, str], place: tuple[str, ...], words: str) -> None:
    [(where, told)] = Langfuse(**{"url": "http://langfuse:3000", **fields}).problems()
    assert where == place
    assert words in told


# Every exception that its libraries export

LANGFUSE_ERRORS = {
    "AccessDeniedError": Reason.AUTH,
    "BadRequestError": Reason.UNHEALTHY,
    "ConflictError": Reason.UNHEALTHY,
    "Error": Reason.UNHEALTHY,
    "EvaluationAccessDeniedError": Reason.AUTH,
    "EvaluationMethodNotAllowedError": Reason.PROTOCOL,
    "EvaluationNotFoundError": Reason.PROTOCOL,
    "EvaluationUnauthorizedError": Reason.AUTH,
    "FeedbackNotConfiguredError": Reason.UNHEALTHY,
    "InternalServerError": Reason.UNHEALTHY,
    "MethodNotAllowedError": Reason.PROTOCOL,
    "NotFoundError": Reason.PROTOCOL,
    "PreconditionFailedError": Reason.UNHEALTHY,
    "ServiceUnavailableError": Reason.UNHEALTHY,
    "TooManyRequestsError": Reason.UNHEALTHY,
    "UnauthorizedError": Reason.AUTH,
}
HTTPX_ERRORS = {
    "CloseError": Reason.CONNECT,
    "ConnectError": Reason.CONNECT,
    "ConnectTimeout": Reason.TIMEOUT,
    "CookieConflict": Reason.INTERNAL,
    "DecodingError": Reason.PROTOCOL,
    "HTTPError": Reason.PROTOCOL,
    "HTTPStatusError": Reason.PROTOCOL,
    "InvalidURL": Reason.INTERNAL,
    "LocalProtocolError": Reason.INTERNAL,
    "NetworkError": Reason.CONNECT,
    "PoolTimeout": Reason.TIMEOUT,
    "ProtocolError": Reason.PROTOCOL,
    "ProxyError": Reason.CONNECT,
    "ReadError": Reason.CONNECT,
    "ReadTimeout": Reason.TIMEOUT,
    "RemoteProtocolError": Reason.PROTOCOL,
    "RequestError": Reason.PROTOCOL,
    "RequestNotRead": Reason.INTERNAL,
    "ResponseNotRead": Reason.INTERNAL,
    "StreamClosed": Reason.INTERNAL,
    "StreamConsumed": Reason.INTERNAL,
    "StreamError": Reason.INTERNAL,
    "TimeoutException": Reason.TIMEOUT,
    "TooManyRedirects": Reason.PROTOCOL,
    "TransportError": Reason.PROTOCOL,
    "UnsupportedProtocol": Reason.INTERNAL,
    "WriteError": Reason.CONNECT,
    "WriteTimeout": Reason.TIMEOUT,
}


def exported_errors(module: Any) -> dict[str, Any]:
    found = {name: getattr(module, name) for name in dir(module)}
    return {name: error for name, error in found.items() if inspect.isclass(error) and issubclass(error, Exception)}


def made(error: type[Exception]) -> Exception:
    """An instance, whatever its constructor wants (an `__init__` of these only stores)."""
    wanted = [
        each for each in inspect.signature(error).parameters.values() if each.default is each.empty and each.kind < 2
    ]
    return error(*["" for _ in wanted])


@pytest.mark.parametrize("name", exported_errors(langfuse.api))
def test_every_error_of_langfuses_client_has_its_reason(name: str) -> None:
    error = made(exported_errors(langfuse.api)[name])
    assert isinstance(error, ApiError)
    assert reason_of(error, Langfuse.failures) is LANGFUSE_ERRORS[name]


@pytest.mark.parametrize("name", exported_errors(httpx))
def test_every_error_of_httpx_has_its_reason(name: str) -> None:
    error = exported_errors(httpx)[name]
    assert reason_of(error.__new__(error), Langfuse.failures) is HTTPX_ERRORS[name]


# The stand-in against Langfuse's own description of its API

OPENAPI = Path(
    os.environ.get("PROBE_LANGFUSE_OPENAPI")
    or Path(__file__).parents[2].parent / "shared" / "data" / "langfuse-openapi.yml"
)


@asynccontextmanager
async def described_by_prism(server: StandIn, folder: Path) -> AsyncIterator[str]:
    """Stoplight's Prism as a proxy of the stand-in; yields its address."""
    port = free_port()
    place = ("--errors", "--host", "127.0.0.1", "--port", str(port))
    prism = Process(["prism", "proxy", OPENAPI, server.url, *place], log=folder / "prism.log")
    await prism.start(lambda: accepts(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await prism.stop()


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


@functools.cache
def api_description() -> Any:
    return yaml.load(OPENAPI.read_bytes(), yaml.CSafeLoader)


@pytest.mark.skipif(
    not OPENAPI.is_file(),
    reason="PROBE_LANGFUSE_OPENAPI names no file; get it from your Langfuse: /generated/api/openapi.yml",
)
class TestAgainstTheOpenApi:
    async def test_the_stand_in_answers_as_described(self, either: StandIn) -> None:
        described = api_description()
        metrics = {"v4": "/api/public/v2/metrics", "v3": "/api/public/metrics"}[either.generation]
        query = json.dumps(Window(NOON - 600, NOON).spending("environment"))
        login = {"Authorization": basic(either.public_key, either.secret_key)}
        async with aiohttp.ClientSession(either.url, headers=login) as session:
            for path, params in (("/api/public/health", {}), (metrics, {"query": query})):
                async with session.get(path, params=params) as answer:
                    assert answer.status == 200
                    content = described["paths"][path]["get"]["responses"]["200"]["content"]
                    schema = {"components": described["components"], **content["application/json"]["schema"]}
                    jsonschema.Draft202012Validator(schema).validate(await answer.json())

    @pytest.mark.service("prism")
    async def test_prism_has_nothing_against_our_requests(self, either: StandIn, tmp_path: Path) -> None:
        """Prism stands between and refuses what is not as described, on the way there and on the way back."""
        async with described_by_prism(either, tmp_path) as url:
            asked = with_keys(either, url=url, by=["environment", "model"])
            health, usage = await run(asked), await run(asked, "usage")
            elsewhere = await run(with_keys(either, url=url, worker_url=url))
            without_key = await status_of(f"{url}/api/public/v2/metrics?query=")
        assert (health.reason, usage.reason) == (Reason.OK, Reason.OK), (health.message, usage.message)
        assert usage.notes == ()
        assert "no path matched" in elsewhere.message, "the worker's health is no part of the description"
        assert without_key == 401

    def test_the_queries_name_what_the_api_has(self) -> None:
        text = api_description()["paths"]["/api/public/v2/metrics"]["get"]["description"]
        named = {"level", "isRootObservation", *CUTS.values(), *dict(SPENDING), *dict(LATENCY)}
        assert not [name for name in named if f"`{name}` - " not in text]
        assert not [aggregation for _, aggregation in SPENDING + LATENCY if f"`{aggregation}`" not in text]
