"""A kind whose fields declare metrics."""

from collections.abc import Mapping
from functools import cached_property

from pydantic import Field

from probe.check import Check, Run
from probe.model import Metric, gauge, named


class Sql(Check):
    """One number by a query."""

    gauges: Mapping[str, str] = Field(default_factory=dict)
    """Name of a metric to its label, or an empty text."""
    help: str = "By a query."
    """What the numbers are."""

    @cached_property
    def metrics_declared(self) -> Mapping[str, Metric]:  # made once
        own = {name: gauge(self.help, *([label] if label else [])) for name, label in self.gauges.items()}
        return {**self.declared, **named(own, "probe_sql_")}

    async def run(self, run: Run) -> None:
        run.note("nothing")
