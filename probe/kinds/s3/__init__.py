"""s3: does the object store answer, are the buckets there, how full are they, how old is the newest backup?

A run asks one HeadBucket a bucket. What is dear is surveyed: usage, from the cheapest source that tells; the newest
object under a prefix, by listing it; MinIO's drives, from its metrics.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Literal

from pydantic import Field

from probe.check import Check, Denied, Duration, Failures, Problem, Run, Secret, Size, Url, survey
from probe.exchange.request import can_be_header
from probe.exchange.tls import Tls
from probe.kinds.s3.buckets import all_buckets, look_at
from probe.kinds.s3.drives import read_drives
from probe.kinds.s3.failures import FAILURES, Missing
from probe.kinds.s3.listing import Place, list_all
from probe.kinds.s3.minio import cluster_health, is_minio
from probe.kinds.s3.naming import problems_of_address, problems_of_places
from probe.kinds.s3.permissions import PERMISSIONS, REASONS
from probe.kinds.s3.store import Store, opened
from probe.kinds.s3.usage import Stored, measure
from probe.kinds.s3.wire import carrying
from probe.model import gauge


class S3(Check):
    """Buckets of MinIO, AWS or any other S3: there, how full, and how old the newest object is."""

    endpoint: Url | None = None
    """Where the store is, for example `http://minio:9000`. Without it: AWS."""
    region: str | None = None
    """The region that requests are signed for. Default: what AWS' own configuration says, else `us-east-1`."""
    access_key: str | None = None
    """Access key. Without it AWS' usual chain: environment, shared files, the role of the machine."""
    secret_key: Secret | None = None
    """Secret key, by reference: `${S3_SECRET_KEY}`."""
    session_token: Secret | None = None
    """Session token, for temporary keys."""
    tls: Tls | None = None
    """Whom to trust and as whom to appear."""
    addressing: Literal["auto", "path", "virtual"] = "auto"
    """Where the bucket's name goes: in the path, or in the host's name. Auto: in the path of any `endpoint`."""
    flavour: Literal["auto", "minio", "aws", "generic"] = "auto"
    """What the store is. Auto: MinIO when it answers at /minio/health/live, AWS by its name."""
    buckets: tuple[str, ...] = ()
    """Buckets that must be there. None: all that the login may see."""
    most_buckets: int = Field(default=100, ge=1, le=1000)
    """Of all buckets, those that get series: the fullest. The others are counted."""
    capacity: Mapping[str, Size] = Field(default_factory=dict)
    """The size of a bucket that is meant to be enough, as `uploads: 100GiB`."""
    usage_source: Literal["auto", "datausageinfo", "metrics", "cloudwatch", "listing", "off"] = "auto"
    """Where sizes and counts come from. Auto: MinIO's own count, CloudWatch on AWS, else listing every object."""
    usage_pages: int = Field(default=100, ge=1)
    """Answers, of 1000 objects each, that one survey of the usage lists; the next goes on from there."""
    usage_interval: Duration = Field(default=900.0, ge=10)
    """Time from one survey of the usage to the next."""
    usage_timeout: Duration = Field(default=120.0, gt=0)
    """The deadline of one survey of the usage."""
    newest: tuple[str, ...] = ()
    """Where to look for the newest object, as `backups/daily/`: bucket, slash, the beginning of the keys."""
    newest_pages: int = Field(default=20, ge=1)
    """Answers, of 1000 objects each, that one survey of the newest objects lists; the next goes on from there."""
    newest_interval: Duration = Field(default=300.0, ge=10)
    """Time from one survey of the newest objects to the next."""
    newest_timeout: Duration = Field(default=60.0, gt=0)
    """The deadline of one survey of the newest objects."""
    drives_interval: Duration = Field(default=60.0, ge=10)
    """Time from one survey of MinIO's drives to the next."""
    drives_timeout: Duration = Field(default=10.0, gt=0)
    """The deadline of one survey of MinIO's drives."""

    class metrics:
        flavour_info = gauge("Always 1; what the store is: minio, aws or generic.", "flavour")
        buckets = gauge("Buckets that are watched: those of the config, or all that the login may see.")
        buckets_left_out = gauge("Buckets without series, beyond `most_buckets`.")
        bucket_exists = gauge("1 for a bucket that is there and may be listed, 0 for a missing one.", "bucket")
        bucket_capacity_bytes = gauge("Size that is meant to be enough (the check's `capacity`).", "bucket")
        minio_write_quorum = gauge("Drives that must work for a write (MinIO's cluster health).")
        minio_healing_drives = gauge("Drives that are being healed (MinIO's cluster health).")

        bucket_objects = gauge("Objects in the bucket.", "bucket", survey="usage")
        bucket_size_bytes = gauge("Size of the objects in the bucket.", "bucket", survey="usage")
        bucket_versions = gauge("Versions of objects in the bucket (MinIO only).", "bucket", survey="usage")
        bucket_delete_markers = gauge("Delete markers in the bucket (MinIO only).", "bucket", survey="usage")
        bucket_capacity_ratio = gauge(
            "Size of the objects to the check's `capacity`.", "bucket", survey="usage", warn="> 0.8"
        )
        usage_source_info = gauge("Always 1; where the usage comes from (see the field).", "source", survey="usage")
        usage_collected_timestamp_seconds = gauge(
            "When the usage was counted: by MinIO's scanner, by CloudWatch, or when the listing began.", survey="usage"
        )
        usage_buckets_left_out = gauge("Buckets without usage series, beyond `most_buckets`.", survey="usage")

        newest_object_timestamp_seconds = gauge(
            "When the newest object under the prefix was written.", "bucket", "prefix", survey="newest_objects"
        )
        newest_object_size_bytes = gauge(
            "Size of the newest object under the prefix.", "bucket", "prefix", survey="newest_objects"
        )
        prefix_objects = gauge(
            "Objects under the prefix; folder markers do not count.",
            "bucket",
            "prefix",
            survey="newest_objects",
            warn="< 1",
        )
        prefix_size_bytes = gauge("Size of the objects under the prefix.", "bucket", "prefix", survey="newest_objects")

        minio_drives_online = gauge("Drives that work (MinIO's metrics).", survey="drives")
        minio_drives_offline = gauge("Drives that do not work (MinIO's metrics).", survey="drives", warn="> 0")
        minio_nodes_online = gauge("Servers of the cluster that work (MinIO's metrics).", survey="drives")
        minio_nodes_offline = gauge("Servers that do not work (MinIO's metrics).", survey="drives", warn="> 0")
        minio_usable_total_bytes = gauge("What fits in, less redundancy (MinIO's metrics).", survey="drives")
        minio_usable_free_bytes = gauge("What still fits in, less redundancy (MinIO's metrics).", survey="drives")
        minio_used_ratio = gauge("Used to usable space (MinIO's metrics).", survey="drives", warn="> 0.8")

    failures: ClassVar[Failures] = FAILURES
    example: ClassVar[str] = """\
checks:
  bucket:
    kind: s3
    endpoint: http://minio:9000
    access_key: ${S3_ACCESS_KEY}
    secret_key: ${S3_SECRET_KEY}
    buckets: [uploads, backups]
    capacity: {uploads: 100GiB}
    newest: [backups/daily/]
    fail: {newest_object_timestamp_seconds: "> 26h"}
"""
    reasons: ClassVar = REASONS
    permissions: ClassVar = PERMISSIONS

    def session(self) -> AbstractAsyncContextManager[Store]:
        """The client: 100 ms for the first in a process, 10 for each further one."""
        return opened(
            endpoint=self.endpoint,
            region=self.region,
            access_key=self.access_key,
            secret_key=self.secret_key,
            session_token=self.session_token,
            addressing=self.addressing,
            flavour=self.flavour,
            tls=self.tls,
        )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if bool(self.access_key) != bool(self.secret_key) or (self.session_token and not self.secret_key):
            yield ("access_key",), "access_key and secret_key go together; give both, or neither for AWS' own chain"
        for field in ("access_key", "session_token"):
            value = getattr(self, field) or ""
            if not can_be_header(value if isinstance(value, str) else value.get_secret_value()):
                yield (field,), f"{field} can't hold a line break or another control character; it stands in a header"
        yield from problems_of_address(self.endpoint, self.region)
        yield from problems_of_places("buckets", self.buckets)
        yield from problems_of_places("newest", self.newest)
        for bucket in self.capacity if self.buckets else ():
            if bucket not in self.buckets:
                yield ("capacity", bucket), f'"{bucket}" is not in buckets; add it there, or remove it here'

    @property
    def active_surveys(self) -> tuple[str, ...]:
        wanted = {
            "usage": self.usage_source != "off",
            "newest_objects": bool(self.newest),
            "drives": self.flavour in ("auto", "minio"),
        }
        return tuple([name for name in self.surveys if wanted[name]])

    async def run(self, run: Run) -> None:
        store: Store = run.session
        for bucket, size in self.capacity.items():
            run.emit(self.metrics.bucket_capacity_bytes, size, bucket=bucket)
        with carrying(run):
            await (self._ask_for_each(run, store) if self.buckets else self._ask_for_all(run, store))
            if await is_minio(run, store):
                health = await cluster_health(run, store)
                run.emit(self.metrics.minio_healing_drives, health.healing_drives)
                if health.write_quorum is not None:
                    run.emit(self.metrics.minio_write_quorum, health.write_quorum)
        run.emit(self.metrics.flavour_info, 1, flavour=store.flavour)

    async def _ask_for_each(self, run: Run, store: Store) -> None:
        run.emit(self.metrics.buckets, len(self.buckets))
        found = await look_at(store, self.buckets)
        for bucket, failure in found.items():
            if failure is None or isinstance(failure, Missing):
                run.emit(self.metrics.bucket_exists, failure is None, bucket=bucket)
        failed = [failure for failure in found.values() if failure is not None]
        if len(failed) > 1:
            raise type(failed[0])(f"{failed[0]}; {len(failed) - 1} more of {len(found)} buckets fail too")
        if failed:
            raise failed[0]

    async def _ask_for_all(self, run: Run, store: Store) -> None:
        there = await all_buckets(store)
        run.emit(self.metrics.buckets, len(there))
        run.emit(self.metrics.buckets_left_out, max(0, len(there) - self.most_buckets))
        for bucket in there[: self.most_buckets]:
            run.emit(self.metrics.bucket_exists, 1, bucket=bucket)

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        """Objects and bytes in each bucket."""
        with carrying(run):
            told = await measure(run, run.session, self.usage_source, self.buckets, self.usage_pages)
        run.emit(self.metrics.usage_source_info, 1, source=told.source)
        run.emit(self.metrics.usage_collected_timestamp_seconds, told.collected)
        fullest = sorted(told.buckets, key=lambda bucket: -(told.buckets[bucket].size or 0))
        for bucket in self.buckets or fullest[: self.most_buckets]:
            if bucket in told.buckets:
                self._emit_stored(run, bucket, told.buckets[bucket])
            else:
                run.note(f'{told.source} has no figures of bucket "{bucket}"')
        if not self.buckets:
            run.emit(self.metrics.usage_buckets_left_out, max(0, len(fullest) - self.most_buckets))

    def _emit_stored(self, run: Run, bucket: str, stored: Stored) -> None:
        enough = self.capacity.get(bucket)
        for metric, value in (
            (self.metrics.bucket_objects, stored.objects),
            (self.metrics.bucket_size_bytes, stored.size),
            (self.metrics.bucket_versions, stored.versions),
            (self.metrics.bucket_delete_markers, stored.delete_markers),
            (self.metrics.bucket_capacity_ratio, stored.size / enough if enough and stored.size is not None else None),
        ):
            if value is not None:
                run.emit(metric, value, bucket=bucket)

    @survey(interval="newest_interval", timeout="newest_timeout")
    async def newest_objects(self, run: Run) -> None:
        """Time and size of the newest object in each place of `newest`."""
        with carrying(run):
            complete = await list_all(run, run.session.client, self._places(), self.newest_pages)
        for place, tally in complete.tallies():
            where = {"bucket": place.bucket, "prefix": place.prefix}
            run.emit(self.metrics.prefix_objects, tally.objects - tally.markers, **where)
            run.emit(self.metrics.prefix_size_bytes, tally.size, **where)
            if tally.newest_at:
                run.emit(self.metrics.newest_object_timestamp_seconds, tally.newest_at, **where)
                run.emit(self.metrics.newest_object_size_bytes, tally.newest_size, **where)
            else:
                run.note(f"there is no object in {place}")

    @survey(interval="drives_interval", timeout="drives_timeout")
    async def drives(self, run: Run) -> None:
        """MinIO's drives, servers and free space; nothing on any other store."""
        store: Store = run.session
        if not await is_minio(run, store):
            return
        try:
            told = await read_drives(run, store)
        except Denied as error:
            run.note(f"{error}: no drives, servers and free space; grant it to the access key")
            return
        for metric, value in (
            (self.metrics.minio_drives_online, told.drives_online),
            (self.metrics.minio_drives_offline, told.drives_offline),
            (self.metrics.minio_nodes_online, told.nodes_online),
            (self.metrics.minio_nodes_offline, told.nodes_offline),
            (self.metrics.minio_usable_total_bytes, told.usable_total),
            (self.metrics.minio_usable_free_bytes, told.usable_free),
            (self.metrics.minio_used_ratio, told.used_ratio),
        ):
            if value is not None:
                run.emit(metric, value)

    def _places(self) -> tuple[Place, ...]:
        return tuple(Place(*each.partition("/")[::2]) for each in self.newest)
