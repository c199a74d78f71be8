"""langfuse: does it answer, does its worker work, and what did the project's traces, errors, tokens and cost amount to?

The run asks the health endpoints, which need no keys. The survey asks the metrics API, which has no counters: its
numbers are gauges over a window that ends now, and go down when what they counted leaves it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar, Literal, NamedTuple

import httpx
from langfuse.api.core import ApiError
from pydantic import Field, ValidationError

from probe.check import Check, Denied, Duration, Failures, Garbled, Problem, Run, Secret, Unhealthy, Url, survey
from probe.exchange.answer import excerpt
from probe.exchange.http import FAILURES, fetch
from probe.exchange.request import is_address
from probe.exchange.tls import Tls
from probe.kinds.langfuse.answers import RateLimited, proper, seconds_to_wait
from probe.kinds.langfuse.generations import Api
from probe.kinds.langfuse.usage import MOST_ROWS, Usage, Window, read
from probe.model import Metric, Reason, gauge

LONGEST_WAIT = 86400.0
"""Seconds; the longest of Langfuse's rate limits is one for a day. A later end is a clock that was set back."""


class Memory(NamedTuple):
    """What a survey leaves for the next: the generation that it found, and the unix time before which none may ask."""

    generation: str = ""
    not_before: float = 0.0


def by_status(error: ApiError) -> Reason:
    """The reason that an error of Langfuse's own client stands for."""
    status = error.status_code or 0
    if status in (401, 403):
        return Reason.AUTH
    return Reason.PROTOCOL if status < 400 or status in (404, 405) else Reason.UNHEALTHY


def windowed(what: str, *labels: str) -> Metric:
    """A number of the survey."""
    return gauge(f"{what}, in the last `window` (metrics API).", *labels, survey="usage")


class Langfuse(Check):
    """Langfuse's health, its worker's, and a project's traces, errors, tokens, cost and latency (v3 and v4)."""

    url: Url
    """Where Langfuse is, for example `http://langfuse:3000` or `https://cloud.langfuse.com`."""
    public_key: Secret | None = None
    """Public key of the project, by reference: `${LANGFUSE_PUBLIC_KEY}`. Without keys only health is watched."""
    secret_key: Secret | None = None
    """Secret key of the project, by reference: `${LANGFUSE_SECRET_KEY}`."""
    tls: Tls | None = None
    """Whom to trust and as whom to appear, for an https `url` and `worker_url`."""
    fail_if_database_unavailable: bool = True
    """Have Langfuse ask its PostgreSQL too: without it, health says only that the web server answers."""
    fail_if_no_recent_events: bool = False
    """Have Langfuse fail when nothing was traced for three minutes: for a project that is never quiet."""
    worker_url: Url | None = None
    """Where Langfuse's worker is, for example `http://langfuse-worker:3030`: its health becomes a part of this one."""
    fail_if_queue_stuck: bool = False
    """Have the worker fail when it took no job for an hour (Langfuse's failIfQueueConsumptionStuck)."""
    window: Duration = Field(default=3600.0, ge=60)
    """How far back the usage is counted."""
    by: frozenset[Literal["environment", "model"]] = frozenset()
    """What to break the usage down by, besides the whole. Each costs two more requests a survey."""
    most_parts: int = Field(default=20, ge=1, le=200)
    """Environments, and models, that get series: those with most observations. The others are counted."""
    usage_interval: Duration = Field(default=300.0, ge=60)
    """Time from one survey of the usage to the next: two requests and more. Langfuse Cloud's Hobby plan allows 100 a
    day (write `30m`), its Core plan 100 an hour; a self-hosted Langfuse has no limit."""
    usage_timeout: Duration = Field(default=30.0, gt=0)
    """The deadline of one survey."""

    class metrics:
        """Those of the survey are gauges over the window: a total of it that falls is no reset."""

        version_info = gauge("Always 1; the version that Langfuse says it has (health endpoint).", "version")
        api_info = gauge("Always 1; the generation of the metrics API that answers.", "generation", survey="usage")
        window_seconds = gauge("How far back the usage is counted (the check's `window`).", survey="usage")
        parts_left_out = gauge("Environments or models without series (beyond `most_parts`).", "by", survey="usage")

        traces = windowed("Traces that began")
        observations = windowed("Observations that began")
        errors = windowed("Observations of level ERROR")
        error_ratio = windowed("Observations of level ERROR to all; absent when there were none")
        tokens = windowed("Tokens used, of whatever kind")
        input_tokens = windowed("Tokens read by models")
        output_tokens = windowed("Tokens written by models")
        cost_usd = windowed("What models cost in US dollars; those that Langfuse knows no price of count 0")
        latency_p50_seconds = windowed("How long half of the traces took at most; absent when there were none")
        latency_p95_seconds = windowed("How long 95 % of the traces took at most; absent when there were none")

        environment_traces = windowed("Traces that began", "environment")
        environment_observations = windowed("Observations that began", "environment")
        environment_errors = windowed("Observations of level ERROR", "environment")
        environment_error_ratio = windowed("Observations of level ERROR to all", "environment")
        environment_tokens = windowed("Tokens used, of whatever kind", "environment")
        environment_input_tokens = windowed("Tokens read by models", "environment")
        environment_output_tokens = windowed("Tokens written by models", "environment")
        environment_cost_usd = windowed("What models cost in US dollars", "environment")
        environment_latency_p50_seconds = windowed("How long half of the traces took at most", "environment")
        environment_latency_p95_seconds = windowed("How long 95 % of the traces took at most", "environment")

        model_observations = windowed("Calls of the model", "model")
        model_errors = windowed("Calls of the model that are of level ERROR", "model")
        model_error_ratio = windowed("Calls of the model that are of level ERROR to all", "model")
        model_tokens = windowed("Tokens used, of whatever kind", "model")
        model_input_tokens = windowed("Tokens read by the model", "model")
        model_output_tokens = windowed("Tokens written by the model", "model")
        model_cost_usd = windowed("What the model cost in US dollars", "model")
        model_latency_p50_seconds = windowed("How long half of the model's calls took at most", "model")
        model_latency_p95_seconds = windowed("How long 95 % of the model's calls took at most", "model")

    failures: ClassVar[Failures] = {
        **FAILURES,
        ApiError: by_status,
        ValidationError: Reason.PROTOCOL,
        # Our transport raises the exchange's errors instead; should httpx ever raise its own:
        httpx.TimeoutException: Reason.TIMEOUT,
        httpx.NetworkError: Reason.CONNECT,
        httpx.ProxyError: Reason.CONNECT,
        httpx.HTTPError: Reason.PROTOCOL,
        httpx.LocalProtocolError: Reason.INTERNAL,
        httpx.UnsupportedProtocol: Reason.INTERNAL,
        httpx.InvalidURL: Reason.INTERNAL,
        httpx.CookieConflict: Reason.INTERNAL,
        httpx.StreamError: Reason.INTERNAL,
    }
    example: ClassVar[str] = """\
checks:
  langfuse:
    kind: langfuse
    url: http://langfuse:3000
    worker_url: http://langfuse-worker:3030
    public_key: ${LANGFUSE_PUBLIC_KEY}
    secret_key: ${LANGFUSE_SECRET_KEY}
    by: [model]
    warn: {error_ratio: "> 5%", latency_p95_seconds: "> 30s"}
"""
    reasons: ClassVar = {
        Reason.AUTH: "A proxy before the health endpoint wants a login. Refused keys fail the survey, not the health.",
        Reason.PROTOCOL: "Not Langfuse: a login page, a redirect, another service, no health endpoint (404).",
        Reason.UNHEALTHY: "Langfuse or its worker says no: 503 with its own words, 429, 500.",
    }
    permissions: ClassVar = (
        "Health needs no keys. Usage needs a project's API keys (Project Settings, API Keys); Langfuse has no "
        "read-only ones, so make a pair for probe alone, to be able to revoke it:\n"
        "    public_key: ${LANGFUSE_PUBLIC_KEY}\n"
        "    secret_key: ${LANGFUSE_SECRET_KEY}"
    )

    async def run(self, run: Run) -> None:
        asked = {
            "failIfDatabaseUnavailable": self.fail_if_database_unavailable,
            "failIfNoRecentEvents": self.fail_if_no_recent_events,
        }
        told = proper(await fetch(run, _address(self.url, "/api/public/health", asked), tls=self.tls))
        status, version = told.get("status"), told.get("version")
        if not isinstance(status, str) or not isinstance(version, str):
            raise Garbled(
                f"not Langfuse's health, which has a status and a version: {excerpt(', '.join(told)) or 'nothing'}"
            )
        run.emit(self.metrics.version_info, 1, version=version)
        if status != "OK":
            raise Unhealthy(f"Langfuse says {excerpt(status)!r} of itself")
        if self.worker_url is not None:
            await self._ask_worker(run, self.worker_url)

    @property
    def active_surveys(self) -> tuple[str, ...]:
        return tuple(self.surveys) if self.public_key and self.secret_key else ()

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        memory: Memory = run.memory or Memory()
        if 0 < memory.not_before - run.now <= LONGEST_WAIT:
            raise Unhealthy(f"rate limited until {_shown(memory.not_before)}; not asked before")
        try:
            run.memory = await self._survey(run, self._api(run), memory.generation)
        except RateLimited as error:
            wait = min(LONGEST_WAIT, seconds_to_wait(error.retry_after, run.now))
            run.memory = memory._replace(not_before=run.now + wait)
            raise Unhealthy(f"{error}, until {_shown(run.now + wait)}" if wait else str(error)) from None

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        for field in ("url", "worker_url"):
            text = getattr(self, field)
            if text is not None and not is_address(text):
                yield (field,), f"{field} is no http address; write http:// or https://, a host and perhaps a port"
        missing = [field for field in ("public_key", "secret_key") if getattr(self, field) is None]
        if len(missing) == 1:
            yield (missing[0],), f"{missing[0]} is missing; give both keys, or none to watch health alone"
        if self.public_key is not None and self.public_key.get_secret_value().startswith("sk-"):
            yield ("public_key",), "public_key holds a secret key (sk-…); were the two swapped?"

    async def _ask_worker(self, run: Run, url: str) -> None:
        asked = {"failIfQueueConsumptionStuck": self.fail_if_queue_stuck}
        with run.step("worker"):
            try:
                told = proper(await fetch(run, _address(url, "/api/health", asked), tls=self.tls))
            except (Denied, Garbled, Unhealthy) as error:
                raise type(error)(f"the worker: {error}") from None
            if told.get("status") != "ok":
                raise Garbled(f"the worker: not a Langfuse worker's health: {excerpt(', '.join(told)) or 'nothing'}")

    def _api(self, run: Run) -> Api:
        if self.public_key is None or self.secret_key is None:
            raise AssertionError("without keys the survey is not active")
        public, secret = self.public_key.get_secret_value(), self.secret_key.get_secret_value()
        return Api(run, self.url.rstrip("/"), public, secret, self.tls)

    async def _survey(self, run: Run, api: Api, known: str) -> Memory:
        window = Window(run.now - self.window, run.now)
        generation, spent = await api.find(window.spending(), known)
        latency = await api.rows(generation, window.latency(generation))
        run.emit(self.metrics.api_info, 1, generation=generation.name)
        run.emit(self.metrics.window_seconds, self.window)
        self._emit_usage(run, read(spent, latency).get("", Usage()))
        for by in sorted(self.by):
            spent = await api.rows(generation, window.spending(by))
            latency = await api.rows(generation, window.latency(generation, by))
            if MOST_ROWS in (len(spent), len(latency)):
                run.note(f"Langfuse cut its answer by {by} at {MOST_ROWS} rows; the smallest are missing")
            self._emit_parts(run, by, read(spent, latency, by))
        return Memory(generation.name)

    def _emit_usage(self, run: Run, usage: Usage, prefix: str = "", **labels: str) -> None:
        for name, value in usage.numbers():
            run.emit(getattr(self.metrics, prefix + name), value, **labels)

    def _emit_parts(self, run: Run, by: str, parts: dict[str, Usage]) -> None:
        largest = sorted(parts.items(), key=lambda part: (-part[1].observations, part[0]))
        for part, usage in largest[: self.most_parts]:
            self._emit_usage(run, usage, f"{by}_", **{by: part})
        run.emit(self.metrics.parts_left_out, max(0, len(parts) - self.most_parts), by=by)


def _address(url: str, path: str, asked: dict[str, bool]) -> str:
    query = "&".join(f"{name}=true" for name, wanted in asked.items() if wanted)
    return f"{url.rstrip('/')}{path}{'?' if query else ''}{query}"


def _shown(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S} UTC"
