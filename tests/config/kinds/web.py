"""Every shape of field that a kind may have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator

from probe.check import Check, Duration, Problem, Ratio, Run, Secret, Size, Url, survey
from probe.model import Level, counter, gauge


class Expect(BaseModel, extra="forbid", frozen=True):
    status: int | Literal["2xx", "3xx"] | tuple[int, ...] = 200
    json_: Any = Field(default=None, alias="json")
    body: str | None = None

    @field_validator("body")
    @classmethod
    def _is_regex(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{text!r} is no regular expression: {error}") from None
        return text


class Login(BaseModel, extra="forbid", frozen=True):
    username: str
    password: Secret


class Web(Check):
    """A page."""

    url: Url
    """Address of the page."""
    method: Literal["GET", "POST"] = "GET"
    """Method of the request."""
    headers: Mapping[str, Secret] = Field(default_factory=dict)
    """Headers of the request."""
    login: Login | None = None
    """Whom to log in as."""
    token: Secret | None = Field(default=None, min_length=8)
    """Bearer token."""
    max_body: Size = Field(default=10 * 1024.0**2, gt=0)
    """Largest body."""
    share: Ratio = Field(default=0.5, ge=0, le=1)
    """A ratio."""
    max_duration: Duration | None = None
    """Short for a limit on the duration."""
    expect: Expect = Expect()
    """What must come."""
    logins: tuple[Login, ...] = ()
    """More of them."""
    by_name: Mapping[str, Login] = Field(default_factory=dict)
    """More of them, by name."""
    tags: tuple[str, ...] = Field(default=(), max_length=3)
    """Words."""
    usage_interval: Duration = Field(default=300.0, ge=1)
    """Time between surveys."""
    usage_timeout: Duration = 60.0
    """Deadline of a survey."""

    class metrics:
        status = gauge("Status of the answer.", warn=None)
        used_ratio = gauge("Share in use.", "bucket", warn="> 0.8")
        size_bytes = gauge("Size.", "datname", survey="usage")
        newest_timestamp_seconds = gauge("When the newest came.")
        requests_total = counter("Requests.")

    async def run(self, run: Run) -> None:
        run.emit(self.metrics.status, 200)

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        run.emit(self.metrics.size_bytes, 1, datname="app")

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.method == "POST" and self.login is not None:
            password = self.login.password.get_secret_value()
            yield ("login", "password"), f"POST needs no password, and {password} is one"
        if self.url.startswith("$"):
            yield ("url",), "the url has no scheme"
        for index, tag in enumerate(self.tags):
            if tag == self.url:
                yield ("tags", index), f"{tag} is the url"

    def shorthands(self) -> Mapping[Level, Mapping[str, str]]:
        if self.max_duration is None:
            return {}
        return {"fail": {"probe_duration_seconds": f"> {self.max_duration}s"}}
