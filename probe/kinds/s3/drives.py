"""MinIO's drives, servers and space, from whichever generation of its metrics there is."""

from typing import NamedTuple

from probe.check import Run, Unfinished
from probe.kinds.s3.minio import Absent, Series, metrics, single
from probe.kinds.s3.store import Store


class Drives(NamedTuple):
    """What MinIO tells of its cluster; None for what it does not. `usable`: bytes, less what redundancy takes."""

    drives_online: float | None
    drives_offline: float | None
    nodes_online: float | None
    nodes_offline: float | None
    usable_total: float | None
    usable_free: float | None

    @property
    def used_ratio(self) -> float | None:
        if not self.usable_total or self.usable_free is None:
            return None
        return 1 - self.usable_free / self.usable_total


async def read_drives(run: Run, store: Store) -> Drives:
    """How they are now. Raises Denied, Unhealthy, Garbled, Unfinished (MinIO does not know it yet)."""
    told = await metrics(run, store, "/minio/metrics/v3/cluster/health")
    if told is not None:
        found = _third_generation(told)
    else:
        told = await metrics(run, store, "/minio/v2/metrics/cluster")
        if told is None:
            raise Absent("MinIO has no metrics at /minio/metrics/v3 or /minio/v2/metrics")
        found = _second_generation(told)
    if found.drives_online is None:
        raise Unfinished("MinIO has not looked at its drives yet")
    return found


def _third_generation(told: dict[str, list[Series]]) -> Drives:
    def value(name: str) -> float | None:
        return single(told.get(f"minio_cluster_health_{name}", ()))

    # What is 0 is left out there.
    return Drives(
        value("drives_online_count"),
        value("drives_offline_count") or 0.0,
        value("nodes_online_count"),
        value("nodes_offline_count") or 0.0,
        value("capacity_usable_total_bytes"),
        value("capacity_usable_free_bytes") or 0.0,
    )


def _second_generation(told: dict[str, list[Series]]) -> Drives:
    def value(name: str) -> float | None:
        return single(told.get(f"minio_cluster_{name}", ()))

    return Drives(
        value("drive_online_total"),
        value("drive_offline_total"),
        value("nodes_online_total"),
        value("nodes_offline_total"),
        value("capacity_usable_total_bytes"),
        value("capacity_usable_free_bytes"),
    )
