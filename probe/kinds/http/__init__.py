"""http: does it answer, in time, with what it should?

One request on a new connection, each phase measured; the whole certificate chain is read, also when it does not
verify. The metric families are blackbox_exporter's.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from probe.check import Check, Failures, Part, Problem, Run, Secret, Unhealthy, Url
from probe.exchange import FAILURES, Answer, Family, HttpMetrics, Request, Tls, Trace, ask, emit_http, request
from probe.exchange.request import basic, can_be_header, is_address
from probe.kinds.http.expect import Expect
from probe.kinds.http.json_rules import rule_problems
from probe.model import Level, Reason

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Login(Part):
    """A user and a password."""

    username: str
    """Who asks."""
    password: Secret
    """The password; better as `${API_PASSWORD}` or `${file:/run/secrets/…}`."""


class Http(Check):
    """Asks a URL and looks at the answer: status, headers, body, JSON, certificates, time."""

    url: Url
    """What to ask for, for example `https://api.example/health`."""
    method: Annotated[str, Field(pattern=r"^[A-Za-z]+$")] = "GET"
    """The request's method."""
    headers: Mapping[str, Secret] = Field(default_factory=dict)
    """Headers to send. To another host a redirect takes only harmless ones (Accept, User-Agent, …)."""
    body: str | None = None
    """What to send; its type is yours to say (`headers: {Content-Type: application/json}`)."""
    basic: Login | None = None
    """A login to send as Basic credentials."""
    bearer: Secret | None = None
    """A token to send as `Authorization: Bearer …`."""
    tls: Tls = Tls()
    """Whom to trust and as whom to appear, for https."""
    redirects: bool = True
    """Follow redirects, at most 10; otherwise a redirect is the answer."""
    ip_family: Family = "any"
    """Which addresses of the name to use: any, ip4 or ip6."""
    proxy: Url | None = None
    """A proxy to go through, for example `http://user:password@proxy:3128`; it resolves the name then."""
    expect: Expect = Expect()
    """What the answer must be like."""

    class metrics(HttpMetrics):
        """Those of blackbox_exporter, with its meanings."""

    failures: ClassVar[Failures] = FAILURES
    example: ClassVar[str] = """\
checks:
  api:
    kind: http
    url: https://api.example/health
    bearer: ${API_TOKEN}
    expect:
      status: 200
      json: {status: healthy, queue.depth: "< 100"}
      max_duration: 500ms
    warn: {probe_ssl_earliest_cert_expiry: "< 21d"}
"""
    reasons: ClassVar[Mapping[Reason, str]] = {
        Reason.AUTH: "status 401 or 403 where another was expected, or the proxy wants a login",
        Reason.PROTOCOL: "no HTTP, an answer cut off or longer than 10 MiB, no JSON where JSON is expected",
        Reason.UNHEALTHY: "another status than expected, or a header or body that is not as expected",
    }

    @field_validator("url", "proxy")
    @classmethod
    def _is_http(cls, value: str | None, info: Any) -> str | None:
        schemes = ("http",) if info.field_name == "proxy" else ("http", "https")
        if value is not None and not is_address(value, schemes):
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            raise PydanticCustomError("url", f"not a URL to ask; write {wanted}, a host and perhaps a port")
        return value

    async def run(self, run: Run) -> None:
        trace = Trace()
        not_as_expected = False
        try:
            answer = await ask(run, self._request, redirects=self.redirects, trace=trace)
            self._check_status(answer)
            problem = self.expect.text_problem(answer)
            not_as_expected = problem is not None
            self._check_rest(answer, problem)
        finally:
            emit_http(run, trace)
            run.emit(self.metrics.failed_due_to_regex, not_as_expected)

    def shorthands(self) -> Mapping[Level, Mapping[str, str]]:
        longest = self.expect.max_duration
        return {} if longest is None else {"fail": {"probe_duration_seconds": f"> {longest * 1000:.3f}ms"}}

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.basic and self.bearer:
            yield ("bearer",), "basic and bearer are both given; a request can carry one of them"
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                yield ("headers", name), f"{name!r} is no name of a header; letters, digits and - make one"
            elif not can_be_header(value.get_secret_value()):
                yield ("headers", name), "a header can't hold a line break or another control character"
        if self.bearer and not can_be_header(self.bearer.get_secret_value()):
            yield ("bearer",), "a token can't hold a line break or another control character"
        for path, problem in rule_problems(self.expect.json_):
            yield ("expect", "json", *path), problem

    @cached_property
    def _request(self) -> Request:
        return request(
            self.url,
            method=self.method,
            headers=self._headers_sent(),
            body=self.body.encode() if self.body is not None else None,
            tls=self.tls,
            family=self.ip_family,
            proxy=self.proxy,
        )

    def _headers_sent(self) -> Mapping[str, str]:
        sent = {name: value.get_secret_value() for name, value in self.headers.items()}
        if self.basic is not None:
            sent["Authorization"] = basic(self.basic.username, self.basic.password.get_secret_value())
        elif self.bearer is not None:
            sent["Authorization"] = f"Bearer {self.bearer.get_secret_value()}"
        return sent

    def _check_status(self, answer: Answer) -> None:
        if not self.expect.allows(answer.status):
            raise answer.refusal(" or ".join(self.expect.status))

    def _check_rest(self, answer: Answer, problem: str | None) -> None:
        expected = self.expect.http_version
        problem = problem or self.expect.json_problem(answer)
        if problem is None and expected and answer.version != expected:
            problem = f"expected HTTP/{expected}, got HTTP/{answer.version}"
        if problem is not None:
            raise Unhealthy(problem)
