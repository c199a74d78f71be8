"""The two generations of Langfuse's metrics API, asked in one way: a query in, rows out.

v4 is asked by Langfuse's own client, v3 (which that client no longer knows) by the same exchange without it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
from langfuse.api import AsyncLangfuseAPI
from pydantic import ValidationError

from probe.check import Garbled, Run
from probe.exchange.answer import excerpt
from probe.exchange.http import fetch
from probe.exchange.request import basic
from probe.exchange.tls import Tls
from probe.kinds.langfuse.answers import NotOffered, proper

Rows = Sequence[Mapping[str, Any]]


class Generation(NamedTuple):
    """What differs between the generations: where they answer, and what they count traces by."""

    name: str
    path: str
    traces_view: str
    traces_filters: tuple[Mapping[str, Any], ...] = ()


V4 = Generation(
    "v4",
    "/api/public/v2/metrics",
    "observations",
    ({"column": "isRootObservation", "operator": "=", "value": True, "type": "boolean"},),
)
V3 = Generation("v3", "/api/public/metrics", "traces")
GENERATIONS = {generation.name: generation for generation in (V4, V3)}
"""Newest first: the order in which an unknown server is asked."""


@dataclass(frozen=True)
class Api:
    """The metrics API of one project, during one survey."""

    run: Run
    url: str
    public_key: str
    secret_key: str
    tls: Tls | None

    async def find(self, query: Mapping[str, Any], known: str) -> tuple[Generation, Rows]:
        """The generation that answers, the `known` one asked first, and its rows. Raises Garbled when none does."""
        for generation in sorted(GENERATIONS.values(), key=lambda generation: generation.name != known):
            try:
                return generation, await self.rows(generation, query)
            except NotOffered:
                continue
        raise Garbled(f"neither {V4.path} nor {V3.path} is there (404); Langfuse has them from 3.57 on")

    async def rows(self, generation: Generation, query: Mapping[str, Any]) -> Rows:
        """The rows of one query. Raises what `proper` raises."""
        text = json.dumps(query, separators=(",", ":"))
        return await (self._rows_v4(text) if generation is V4 else self._rows_v3(text))

    async def _rows_v4(self, query: str) -> Rows:
        # trust_env: a proxy named in the environment would bypass our transport.
        async with httpx.AsyncClient(transport=_OverExchange(self.run, self.tls), trust_env=False) as client:
            api = AsyncLangfuseAPI(
                base_url=self.url, username=self.public_key, password=self.secret_key, httpx_client=client
            )
            try:
                # Its own two retries, with sleeps of up to a minute, would eat the deadline, which is the runner's.
                answer = await api.metrics.metrics(query=query, request_options={"max_retries": 0})
            except ValidationError as error:
                raise Garbled(f"not the answer of a metrics query: {error.errors()[0]['msg']}") from None
        rows: Rows = answer.data
        return rows

    async def _rows_v3(self, query: str) -> Rows:
        address = f"{self.url}{V3.path}?{urlencode({'query': query})}"
        login = {"Authorization": basic(self.public_key, self.secret_key)}
        told = proper(await fetch(self.run, address, headers=login, tls=self.tls))
        rows = told.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Garbled(f"not the answer of a metrics query: no rows in {excerpt(', '.join(told)) or 'it'}")
        return rows


class _OverExchange(httpx.AsyncBaseTransport):
    """Carries the client's requests over our exchange: its DNS, TLS, steps and reasons are ours.

    Answers that are not good raise here, so that no ApiError (whose text is headers and body) is ever made.
    """

    def __init__(self, run: Run, tls: Tls | None) -> None:
        self._run = run
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = {name: value for name, value in request.headers.items() if name == "authorization" or name[:2] == "x-"}
        answer = await fetch(self._run, str(request.url), method=request.method, headers=sent, tls=self._tls)
        proper(answer)
        return httpx.Response(answer.status, headers={"Content-Type": "application/json"}, content=answer.body)
