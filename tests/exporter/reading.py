"""Expositions as prometheus_client's parsers read them."""

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families


def read_text(text: str) -> list[Metric]:
    """The families of a text in format 0.0.4."""
    return list(text_string_to_metric_families(text))


def read_openmetrics(text: str) -> list[Metric]:
    """The families of an OpenMetrics text. Raises ValueError for whatever the standard forbids."""
    return list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]  # not annotated
