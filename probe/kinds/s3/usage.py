"""How much is in each bucket, from the cheapest source that tells: the ladder.

Each source either knows (also: that nothing was counted yet), or is not to be had and the next one is asked.
"""

import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from probe.check import Denied, Garbled, Run, Unfinished
from probe.exchange.answer import excerpt
from probe.kinds.s3.buckets import Buckets, all_buckets
from probe.kinds.s3.cloudwatch import daily_figures
from probe.kinds.s3.listing import Place, list_all
from probe.kinds.s3.minio import Absent, Series, data_usage, is_minio, metrics, single
from probe.kinds.s3.store import Store

Source = Literal["datausageinfo", "metrics", "cloudwatch", "listing"]
NOT_COUNTED = "MinIO's scanner has not counted the objects yet"
V2_MOST_BUCKETS = 100
"""MinIO's second generation of metrics tells the first 100 buckets only, by name."""


class Stored(NamedTuple):
    """What is in one bucket; `size` in bytes, None for what the source does not tell."""

    objects: float | None
    size: float | None
    versions: float | None = None
    delete_markers: float | None = None


class Usage(NamedTuple):
    """What a source told. `collected` is the unix time that the numbers are of."""

    source: Source
    collected: float
    buckets: Mapping[str, Stored]


async def measure(
    run: Run, store: Store, wanted: Literal[Source, "auto", "off"], buckets: Buckets, pages: int
) -> Usage:
    """The usage of these buckets (none: of all) by the wanted source, or by the first that can be had.

    Raises Denied, Unhealthy, Garbled, Unfinished (not counted yet, or not to the end).
    """
    sources: dict[Source, Callable[[], Awaitable[Usage]]] = {
        "datausageinfo": lambda: _from_data_usage(run, store),
        "metrics": lambda: _from_metrics(run, store),
        "cloudwatch": lambda: _from_cloudwatch(run, store, buckets),
        "listing": lambda: _from_listing(run, store, buckets, pages),
    }
    if wanted in sources:
        return await sources[wanted]()
    for source in await _cheaper_sources(run, store):
        try:
            return await sources[source]()
        except (Denied, Absent, Garbled) as error:
            run.note(f"{error}: usage does not come from {source}")
    return await sources["listing"]()


async def _cheaper_sources(run: Run, store: Store) -> tuple[Source, ...]:
    """What to try before listing."""
    if await is_minio(run, store):
        return ("datausageinfo", "metrics")
    return ("cloudwatch",) if store.flavour == "aws" else ()


async def _from_data_usage(run: Run, store: Store) -> Usage:
    told = await data_usage(run, store)
    try:
        updated = datetime.fromisoformat(told["lastUpdate"])
        if updated.year == 1:  # Go's zero time; all counts are 0 then
            raise Unfinished(NOT_COUNTED)
        names = ("objectsCount", "size", "versionsCount", "deleteMarkersCount")
        buckets = {
            bucket: Stored(*(_finite(each[name]) for name in names))
            for bucket, each in (told["bucketsUsageInfo"] or {}).items()
        }
        return Usage("datausageinfo", updated.timestamp(), buckets)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Garbled(f"MinIO's data usage is not as documented: {excerpt(repr(error))}") from None


def _finite(value: Any) -> float:
    """Raises TypeError, ValueError, OverflowError."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(number)
    return number


async def _from_metrics(run: Run, store: Store) -> Usage:
    return await _from_third_generation(run, store) or await _from_second_generation(run, store)


async def _from_third_generation(run: Run, store: Store) -> Usage | None:
    prefix = "minio_cluster_usage_buckets_"
    whole = await metrics(run, store, "/minio/metrics/v3/cluster/usage/objects")
    each = await metrics(run, store, "/minio/metrics/v3/cluster/usage/buckets")
    if whole is None or each is None:
        return None
    age = single(whole.get("minio_cluster_usage_objects_since_last_update_seconds", ()))
    if age is None:
        raise Unfinished(NOT_COUNTED)
    names = ("objects_count", "total_bytes", "versions_count", "delete_markers_count")
    # What is 0 is left out there, so a bucket with any number has them all.
    columns = [_by_bucket(each.get(prefix + name, ())) for name in names]
    known = {bucket for column in columns for bucket in column}
    buckets = {bucket: Stored(*(column.get(bucket, 0.0) for column in columns)) for bucket in known}
    return Usage("metrics", run.now - age, buckets)


async def _from_second_generation(run: Run, store: Store) -> Usage:
    told = await metrics(run, store, "/minio/v2/metrics/bucket")
    if told is None:
        raise Absent("MinIO has no metrics at /minio/metrics/v3 or /minio/v2/metrics")
    age = single(told.get("minio_usage_last_activity_nano_seconds", ()))
    if age is None:
        raise Unfinished(NOT_COUNTED)
    names = ("object_total", "total_bytes", "version_total", "deletemarker_total")
    columns = [_by_bucket(told.get(f"minio_bucket_usage_{name}", ())) for name in names]
    if len(columns[0]) >= V2_MOST_BUCKETS:
        run.note(f"MinIO tells no more than the first {V2_MOST_BUCKETS} buckets here; grant admin:DataUsageInfo")
    buckets = {bucket: Stored(*(column.get(bucket) for column in columns)) for bucket in columns[0]}
    return Usage("metrics", run.now - age / 1e9, buckets)


async def _from_cloudwatch(run: Run, store: Store, buckets: Buckets) -> Usage:
    figures = await daily_figures(run, store, buckets)
    if not figures:
        raise Absent(f"CloudWatch has no daily figures of these buckets in {store.region}")
    collected = min(figure.at for figure in figures.values())
    return Usage(
        "cloudwatch", collected, {bucket: Stored(figure.objects, figure.size) for bucket, figure in figures.items()}
    )


async def _from_listing(run: Run, store: Store, buckets: Buckets, pages: int) -> Usage:
    names = buckets or await all_buckets(store)
    complete = await list_all(run, store.client, tuple(Place(name) for name in names), pages)
    counted = {place.bucket: Stored(tally.objects, tally.size) for place, tally in complete.tallies()}
    return Usage("listing", complete.began, counted)


def _by_bucket(series: Collection[Series]) -> dict[str, float]:
    return {labels["bucket"]: value for labels, value in series if "bucket" in labels}
