"""Bucket sizes on AWS, for a few cents a month: CloudWatch's daily figures, which S3 writes for nothing."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from probe.check import Garbled, Run
from probe.exchange.answer import excerpt
from probe.kinds.s3.failures import MALFORMED, refusal
from probe.kinds.s3.store import Store

DAY = 86400
LOOKED_BACK = timedelta(days=4)
"""The figures come once a day, and one day may be late."""

MOST_PAGES = 20
"""Answers of ListMetrics that are read, of 500 metrics each."""

MOST_QUERIES = 500
"""As many as one GetMetricData takes."""


class Series(NamedTuple):
    """A metric of one bucket. `storage` is its StorageType: sizes have one series for each that is used."""

    name: str
    bucket: str
    storage: str


class Figure(NamedTuple):
    """What CloudWatch last told of a bucket; None: nothing of that. `at` is unix seconds."""

    objects: float | None
    size: float | None
    at: float


Point = tuple[datetime, float]


async def daily_figures(run: Run, store: Store, buckets: tuple[str, ...]) -> dict[str, Figure]:
    """The newest figures by bucket, of these or of all; those that CloudWatch does not know are absent.

    Raises Denied, Unhealthy.
    """
    client = store.session.client("cloudwatch", region_name=store.region, config=store.config)
    async with client as cloudwatch:
        try:
            series = [each async for each in _series(cloudwatch) if not buckets or each.bucket in buckets]
            points = await _newest_points(cloudwatch, series, datetime.fromtimestamp(run.now, UTC))
            return {
                bucket: _figure({each: point for each, point in points.items() if each.bucket == bucket})
                for bucket in {each.bucket for each in points}
            }
        except ClientError as error:
            raise refusal(error, "CloudWatch") from error
        except MALFORMED as error:
            raise Garbled(f"CloudWatch's answer is not as documented: {excerpt(repr(error))}") from error


async def _series(cloudwatch: Any) -> AsyncIterator[Series]:
    for name in ("BucketSizeBytes", "NumberOfObjects"):
        token: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = await cloudwatch.list_metrics(Namespace="AWS/S3", MetricName=name, **token)
            for metric in answer.get("Metrics", ()):
                dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
                if dimensions.keys() == {"BucketName", "StorageType"}:  # others are of request metrics
                    yield Series(name, dimensions["BucketName"], dimensions["StorageType"])
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}


async def _newest_points(cloudwatch: Any, series: list[Series], now: datetime) -> dict[Series, Point]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[Series, Point] = {}
    for asked in _chunks(series):
        answer = await cloudwatch.get_metric_data(
            MetricDataQueries=[_query(f"q{index}", each) for index, each in enumerate(asked)],
            StartTime=midnight - LOOKED_BACK,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
        for result in answer.get("MetricDataResults", ()):
            if result.get("Values"):
                each = asked[int(result["Id"].removeprefix("q"))]
                found[each] = (result["Timestamps"][0], _finite(result["Values"][0]))
    return found


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError(value)
    return value


def _query(name: str, series: Series) -> dict[str, Any]:
    dimensions = [{"Name": "StorageType", "Value": series.storage}, {"Name": "BucketName", "Value": series.bucket}]
    metric = {"Namespace": "AWS/S3", "MetricName": series.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": DAY, "Stat": "Average"}}


def _chunks(series: list[Series]) -> Iterator[list[Series]]:
    for start in range(0, len(series), MOST_QUERIES):
        yield series[start : start + MOST_QUERIES]


def _figure(points: dict[Series, Point]) -> Figure:
    objects, size = _newest_sum(points, "NumberOfObjects"), _newest_sum(points, "BucketSizeBytes")
    days = [told[0].timestamp() for told in (objects, size) if told]
    return Figure(objects[1] if objects else None, size[1] if size else None, min(days))


def _newest_sum(points: dict[Series, Point], name: str) -> Point | None:
    """Of one day over all storage types: one that is not used any more has older points only."""
    told = [point for each, point in points.items() if each.name == name]
    if not told:
        return None
    day = max(at for at, _ in told)
    return day, sum(value for at, value in told if at == day)
