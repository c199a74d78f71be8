"""Kinds made for the tests of the contract."""

from collections.abc import Iterator, Mapping

from probe.check import Check, Duration, Problem, Run, Secret, Url, survey
from probe.model import Level, counter, gauge


class Engine(Check, kind="engine"):
    """Fields of every type, metrics of every unit, a survey, a rule of its own, a field that stands for a limit."""

    url: Url = ""
    mirrors: Mapping[str, Url] = {}
    proxy: Url | None = None
    password: Secret | None = None
    max_heat: float | None = None
    usage_interval: Duration = 300.0
    usage_timeout: Duration = 60.0

    class metrics:
        heat_ratio = gauge("How hot.", "part", warn="> 0.8", fail="> 95%")
        oil_bytes = gauge("How much oil.")
        ready = gauge("Whether it runs.")
        turns_total = counter("Turns.")
        serviced_timestamp_seconds = gauge("When it was serviced.")
        certificate = gauge("When its certificate ends.", name="probe_ssl_earliest_cert_expiry")
        wear_seconds = gauge("Worn for so long.", survey="usage")

    async def run(self, run: Run) -> None:
        run.emit(self.metrics.ready, 1)

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        run.emit(self.metrics.wear_seconds, 60)

    def shorthands(self) -> Mapping[Level, Mapping[str, str]]:
        return {"fail": {"heat_ratio{part=head}": f"> {self.max_heat}"}} if self.max_heat else {}

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if not self.url:
            yield ("url",), "url is missing; write one"


class TurboEngine(Engine, kind="turbo"):
    """A kind that extends another: it has its metrics under its own name, and the fields."""

    class metrics(Engine.metrics):
        boost_ratio = gauge("How much it blows.")
