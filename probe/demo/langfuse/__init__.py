"""A stand-in for Langfuse: a small server that answers as Langfuse's OpenAPI says. It is not Langfuse, and says so.

Langfuse itself needs ClickHouse, Redis, PostgreSQL, S3 and two Node processes, so the demo and the tests ask this.
It has the web server's health and metrics endpoints, of either generation of the API, and the worker's health on
the same port. What it counts is made up; how it counts is Langfuse's way (rows, names, numbers as strings).
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

from aiohttp import web

from probe.demo.langfuse.counting import BadQuery, Observation, answer_query, steady_traffic

VERSIONS = {"v3": "3.225.11", "v4": "4.59.0"}
PAGE = (
    "<!doctype html><title>Stand-in</title><p>This is a stand-in for Langfuse, a part of <code>probe demo</code>.</p>"
)
OTHER_GENERATION = {
    "v3": "The metrics v2 API is only available in a Langfuse v4 write mode.",
    "v4": "This endpoint is not available on deployments running in Langfuse v4 events_only mode.",
}


class Langfuse:
    """The server. Its attributes may be changed while it runs: that is how tests and the demo make it ill."""

    def __init__(
        self,
        generation: Literal["v3", "v4"] = "v4",
        traffic: Callable[[float, float], Iterable[Observation]] = steady_traffic,
    ) -> None:
        """`traffic` yields the observations that began between two unix times."""
        self.public_key = "pk-lf-demo"
        self.secret_key = "sk-lf-demo-0c5a"  # noqa: S105  # of a server that holds nothing
        self.generation = generation
        self.ill = ""
        """What the web server says in its 503 when it is asked about its database; empty: all is well."""
        self.worker_ill = ""
        """What the worker says in its 503; empty: all is well."""
        self.metrics_left: int | None = None
        """Queries that are answered before 429 (None: no limit, as a self-hosted Langfuse)."""
        self.retry_after = "60"
        self.asked: Counter[str] = Counter()
        """Requests by path."""
        self.port = 0
        self._traffic = traffic
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the port of the first start. Does nothing when it runs."""
        if self._runner is not None:
            return
        app = web.Application()
        app.on_response_prepare.append(self._count)
        app.router.add_get("/", self._page)
        app.router.add_get("/api/public/health", self._health)
        app.router.add_get("/api/public/v2/metrics", self._metrics)
        app.router.add_get("/api/public/metrics", self._metrics)
        app.router.add_get("/api/health", self._worker_health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections. Does nothing when it does not run."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _count(self, request: web.Request, answer: web.StreamResponse) -> None:
        self.asked[request.path] += 1
        answer.headers["Server"] = "probe demo, a stand-in for Langfuse"

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _health(self, request: web.Request) -> web.Response:
        fails = bool(self.ill) and request.query.get("failIfDatabaseUnavailable") == "true"
        told = {"status": self.ill if fails else "OK", "version": VERSIONS[self.generation]}
        return web.json_response(told, status=503 if fails else 200)

    async def _worker_health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": self.worker_ill or "ok"}, status=503 if self.worker_ill else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        if not self._may_enter(request):
            return _refusal(401, "UnauthorizedError", "Invalid credentials. Confirm that you've configured the host.")
        if (self.generation == "v4") != ("/v2/" in request.path):
            return _refusal(404, "LangfuseNotFoundError", OTHER_GENERATION[self.generation])
        if self.metrics_left is not None:
            if self.metrics_left < 1:
                return _refusal(429, "RateLimitError", "Rate limit exceeded", {"Retry-After": self.retry_after})
            self.metrics_left -= 1
        try:
            rows = answer_query(json.loads(request.query.get("query", "null")), self.generation, self._traffic)
        except (BadQuery, json.JSONDecodeError) as error:
            return _refusal(400, "InvalidRequestError", str(error))
        return web.json_response({"data": rows})

    def _may_enter(self, request: web.Request) -> bool:
        login = base64.b64encode(f"{self.public_key}:{self.secret_key}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {login}"


def _refusal(status: int, error: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"message": message, "error": error}, status=status, headers=headers)
