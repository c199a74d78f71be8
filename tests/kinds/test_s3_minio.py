"""What the kind s3 reads of MinIO: of a real one where there is one, and of a stand-in.

The stand-in is not MinIO; it says what a real one can't be made to say, in the words of MinIO's source and of a real
server (see s3_servers).
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from probe.demo import s3 as demo
from probe.kinds.s3 import S3
from probe.model import Reason, Result
from tests.harness import run
from tests.kinds.s3_servers import FakeMinio, check, fake_minio, started

DATA_USAGE = "/minio/admin/v3/datausageinfo"
V3_USAGE = "/minio/metrics/v3/cluster/usage"
NOT_COUNTED = (
    '{"lastUpdate":"0001-01-01T00:00:00Z","objectsCount":0,"versionsCount":0,"deleteMarkersCount":0,'
    '"objectsTotalSize":0,"objectsReplicationInfo":null,"bucketsCount":0,"bucketsUsageInfo":null,"bucketsSizes":null}'
)


def counted(**buckets: int) -> str:
    """datausageinfo once the scanner has counted; 100 bytes an object, one delete marker a bucket."""
    told = {
        name: {"size": count * 100, "objectsCount": count, "versionsCount": count + 1, "deleteMarkersCount": 1}
        for name, count in buckets.items()
    }
    return json.dumps({"lastUpdate": "2026-11-20T11:46:58.110505014Z", "bucketsUsageInfo": told})


@pytest.fixture
async def minio() -> AsyncIterator[FakeMinio]:
    async with fake_minio() as fake:
        yield fake


async def test_healthy_with_the_numbers_of_its_health(minio: FakeMinio) -> None:
    minio.health["cluster"] = (200, {"X-Minio-Write-Quorum": "3", "X-Minio-Healing-Drives": "2"})
    result = await run(minio.check(buckets=["uploads"]))
    assert (result.reason, result.message) == (Reason.OK, "")
    assert {(sample.metric.key, sample.labels): sample.value for sample in result.samples} == {
        ("buckets", ()): 1,
        ("bucket_exists", ("uploads",)): 1,
        ("minio_write_quorum", ()): 3,
        ("minio_healing_drives", ()): 2,
        ("flavour_info", ("minio",)): 1,
    }


@pytest.mark.parametrize("word", ["live", "ready"])
async def test_offline_with_status_200_is_unhealthy(minio: FakeMinio, word: str) -> None:
    minio.health[word] = (200, {"X-Minio-Server-Status": "offline"})
    result = await run(minio.check(buckets=["uploads"]))
    assert (result.reason, result.message) == (
        Reason.UNHEALTHY,
        f"MinIO's {word} says 200, and X-Minio-Server-Status: offline",
    )


@pytest.mark.parametrize(
    ("word", "answer", "message"),
    [
        ("ready", (503, {}), "MinIO's ready says 503"),
        (
            "cluster",
            (503, {"X-Minio-Server-Status": "iam-offline"}),
            "MinIO's cluster says 503, and X-Minio-Server-Status: iam-offline",
        ),
        (
            "cluster",
            (503, {"X-Minio-Write-Quorum": "3"}),
            "fewer than 3 drives take writes; reads still work",
        ),
    ],
)
async def test_health_that_says_no(minio: FakeMinio, word: str, answer: Any, message: str) -> None:
    minio.health[word] = answer
    result = await run(minio.check(buckets=["uploads"]))
    assert (result.reason, result.message) == (Reason.UNHEALTHY, message)


async def test_neither_writes_nor_reads(minio: FakeMinio) -> None:
    minio.health["cluster"] = minio.health["cluster/read"] = (503, {"X-Minio-Write-Quorum": "3"})
    result = await run(minio.check(buckets=["uploads"]))
    assert result.message == "fewer than 3 drives take writes; reads fail too"


async def test_a_store_of_another_kind_is_not_asked_for_minio_s_health(minio: FakeMinio) -> None:
    result = await run(minio.check(buckets=["uploads"], flavour="generic"))
    assert result.value("flavour_info", flavour="generic") == 1
    assert minio.asked == ["/uploads"]


async def test_usage_by_minio_s_own_count(minio: FakeMinio) -> None:
    minio.pages[DATA_USAGE] = (200, counted(uploads=5, backups=0))
    result = await run(minio.check(buckets=["uploads", "backups", "new"]), "usage")
    assert (result.reason, result.notes) == (Reason.OK, ('datausageinfo has no figures of bucket "new"',))
    assert {(sample.metric.key, sample.labels): sample.value for sample in result.samples} == {
        ("usage_source_info", ("datausageinfo",)): 1,
        ("usage_collected_timestamp_seconds", ()): pytest.approx(1795175218.110505),
        ("bucket_objects", ("uploads",)): 5,
        ("bucket_size_bytes", ("uploads",)): 500,
        ("bucket_versions", ("uploads",)): 6,
        ("bucket_delete_markers", ("uploads",)): 1,
        ("bucket_objects", ("backups",)): 0,
        ("bucket_size_bytes", ("backups",)): 0,
        ("bucket_versions", ("backups",)): 1,
        ("bucket_delete_markers", ("backups",)): 1,
    }


async def test_what_minio_has_not_counted_is_no_zero(minio: FakeMinio) -> None:
    minio.pages[DATA_USAGE] = (200, NOT_COUNTED)
    result = await run(minio.check(), "usage")
    assert (result.reason, result.unfinished, result.samples) == (Reason.OK, True, ())
    assert result.message == "MinIO's scanner has not counted the objects yet"


@pytest.mark.parametrize(
    "body", ["{}", "[]", "<html>", '{"lastUpdate": "today"}', counted(a=1).replace("100", '"many"')]
)
async def test_a_count_that_is_none(minio: FakeMinio, body: str) -> None:
    minio.pages[DATA_USAGE] = (200, body)
    result = await run(minio.check(usage_source="datausageinfo"), "usage")
    assert result.reason is Reason.PROTOCOL


async def test_usage_by_the_third_generation_of_metrics(minio: FakeMinio) -> None:
    minio.pages[f"{V3_USAGE}/objects"] = (200, "minio_cluster_usage_objects_since_last_update_seconds 9.5\n")
    minio.pages[f"{V3_USAGE}/buckets"] = (
        200,
        'minio_cluster_usage_buckets_objects_count{bucket="uploads"} 50\n'
        'minio_cluster_usage_buckets_total_bytes{bucket="uploads"} 1225\n',
    )
    result = await run(minio.check(), "usage")
    assert result.notes == (
        "MinIO refuses admin:DataUsageInfo (403 AccessDenied): usage does not come from datausageinfo",
    )
    assert result.value("usage_source_info", source="metrics") == 1
    assert result.value("usage_collected_timestamp_seconds") == pytest.approx(result.at - 9.5, abs=1)
    assert result.values("bucket_objects") == {("uploads",): 50}
    assert result.values("bucket_delete_markers") == {("uploads",): 0}  # MinIO leaves out what is 0 there


async def test_metrics_before_the_first_count(minio: FakeMinio) -> None:
    minio.pages[f"{V3_USAGE}/objects"] = minio.pages[f"{V3_USAGE}/buckets"] = (200, "")
    result = await run(minio.check(usage_source="metrics"), "usage")
    assert (result.unfinished, result.samples) == (True, ())


async def test_usage_by_the_second_generation_of_metrics(minio: FakeMinio) -> None:
    lines = ["minio_usage_last_activity_nano_seconds 9.5e+09"]
    for number in range(100):
        labels = f'{{bucket="b{number:02}",server="127.0.0.1:9000"}}'
        lines += [f"minio_bucket_usage_object_total{labels} 3", f"minio_bucket_usage_total_bytes{labels} {number}"]
    minio.pages["/minio/v2/metrics/bucket"] = (200, "\n".join(lines) + "\n")
    result = await run(minio.check(usage_source="metrics", most_buckets=2), "usage")
    assert result.reason is Reason.OK
    assert result.values("bucket_size_bytes") == {("b99",): 99, ("b98",): 98}
    assert result.values("bucket_versions") == {}
    assert result.value("usage_buckets_left_out") == 98
    assert result.value("usage_collected_timestamp_seconds") == pytest.approx(result.at - 9.5, abs=1)
    assert result.notes == ("MinIO tells no more than the first 100 buckets here; grant admin:DataUsageInfo",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("datausageinfo", "MinIO refuses admin:DataUsageInfo (403 AccessDenied)"),
        ("metrics", "MinIO refuses admin:Prometheus (403 AccessDenied)"),
    ],
)
async def test_a_source_that_is_not_permitted(minio: FakeMinio, source: str, message: str) -> None:
    result = await run(minio.check(usage_source=source, secret_key="not-that-one"), "usage")
    assert (result.reason, result.message, result.samples) == (Reason.AUTH, message, ())


async def test_a_minio_without_metrics(minio: FakeMinio) -> None:
    usage = await run(minio.check(usage_source="metrics"), "usage")
    drives = await run(minio.check(), "drives")
    message = "MinIO has no metrics at /minio/metrics/v3 or /minio/v2/metrics"
    assert (usage.reason, usage.message) == (drives.reason, drives.message) == (Reason.UNHEALTHY, message)


async def test_drives_by_the_third_generation_of_metrics(minio: FakeMinio) -> None:
    minio.pages["/minio/metrics/v3/cluster/health"] = (
        200,
        "minio_cluster_health_capacity_usable_free_bytes 2.5e+10\n"
        "minio_cluster_health_capacity_usable_total_bytes 1e+11\n"
        "minio_cluster_health_drives_count 4\n"
        "minio_cluster_health_drives_offline_count 1\n"
        "minio_cluster_health_drives_online_count 3\n"
        "minio_cluster_health_nodes_online_count 1\n",
    )
    result = await run(minio.check(), "drives")
    assert {sample.metric.key: sample.value for sample in result.samples} == {
        "minio_drives_online": 3,
        "minio_drives_offline": 1,
        "minio_nodes_online": 1,
        "minio_nodes_offline": 0,  # MinIO leaves out what is 0 there
        "minio_usable_total_bytes": 1e11,
        "minio_usable_free_bytes": 2.5e10,
        "minio_used_ratio": 0.75,
    }


async def test_drives_by_the_second_generation_of_metrics(minio: FakeMinio) -> None:
    minio.pages["/minio/v2/metrics/cluster"] = (
        200,
        'minio_cluster_drive_online_total{server="127.0.0.1:9000"} 4\n'
        'minio_cluster_drive_offline_total{server="127.0.0.1:9000"} 0\n',
    )
    result = await run(minio.check(), "drives")
    assert {sample.metric.key: sample.value for sample in result.samples} == {
        "minio_drives_online": 4,
        "minio_drives_offline": 0,
    }


async def test_drives_that_a_permission_hides_are_absent_and_said_so(minio: FakeMinio) -> None:
    result = await run(minio.check(secret_key="not-that-one"), "drives")
    assert (result.reason, result.samples) == (Reason.OK, ())
    assert result.notes == (
        "MinIO refuses admin:Prometheus (403 AccessDenied): "
        "no drives, servers and free space; grant it to the access key",
    )


async def test_metrics_that_are_none(minio: FakeMinio) -> None:
    minio.pages["/minio/metrics/v3/cluster/health"] = (200, "<html>Hello</html>")
    result = await run(minio.check(), "drives")
    assert result.reason is Reason.PROTOCOL
    assert result.message.endswith("did not answer with metrics: <html>Hello</html>")


@pytest.mark.service("minio")
async def test_a_real_minio(tmp_path: Path) -> None:
    server = demo.S3(tmp_path, {"uploads": {f"a/{n} ä+": b"x" * n for n in range(5)}, "backups": {}})
    await server.start()
    try:
        whole = await run(check(server, buckets=["uploads", "backups"]))
        missing = await run(check(server, buckets=["nosuch"]))
        every = await run(check(server))
        wrong = await run(check(server, buckets=["uploads"], secret_key="not-that-one"))
        nobody = await run(check(server, access_key="nobody"))
        usage = await run(check(server), "usage")
        metrics = await run(check(server, usage_source="metrics"), "usage")
        listed = await run(check(server, usage_source="listing"), "usage")
        newest = await run(check(server, newest=["uploads/a/"]), "newest_objects")
        drives = await run(check(server), "drives")
    finally:
        await server.stop()
    after = await run(check(server, buckets=["uploads"]))

    assert (whole.reason, whole.message) == (Reason.OK, "")
    assert whole.value("flavour_info", flavour="minio") == 1
    assert (whole.value("minio_write_quorum"), whole.value("minio_healing_drives")) == (1, 0)
    assert every.values("bucket_exists") == {("backups",): 1, ("uploads",): 1}
    assert (missing.reason, missing.message) == (Reason.UNHEALTHY, 'bucket "nosuch" does not exist (404 NoSuchBucket)')
    assert (wrong.reason, wrong.message) == (
        Reason.AUTH,
        'bucket "uploads": the secret key is wrong (403 SignatureDoesNotMatch)',
    )
    assert (nobody.reason, nobody.message) == (
        Reason.AUTH,
        "the list of buckets: there is no such access key (403 InvalidAccessKeyId)",
    )
    assert [usage.reason, metrics.reason, usage.unfinished, metrics.unfinished] == [Reason.OK, Reason.OK, True, True]
    assert listed.values("bucket_size_bytes") == {("uploads",): 10, ("backups",): 0}
    assert newest.values("newest_object_timestamp_seconds") == {("uploads", "a/"): pytest.approx(newest.at, abs=60)}
    assert (drives.value("minio_drives_online"), drives.value("minio_drives_offline")) == (1, 0)
    assert after.reason is Reason.CONNECT


@pytest.mark.service("minio")
async def test_what_a_real_minio_has_counted(tmp_path: Path) -> None:
    """Its scanner, which counts once a minute, is told to hurry."""
    hurry = {"MINIO_SCANNER_CYCLE": "1s", "MINIO_SCANNER_SPEED": "fastest"}
    server = demo.S3(tmp_path, {"uploads": {"a": b"abc", "b": b"de"}}, settings=hurry)
    async with started(server):
        for source in ("datausageinfo", "metrics"):
            result = await when_counted(check(server, buckets=["uploads"], usage_source=source))
            assert result.ok, result.message
            numbers = {sample.metric.key: sample.value for sample in result.samples if sample.labels == ("uploads",)}
            assert numbers == {
                "bucket_objects": 2,
                "bucket_size_bytes": 5,
                "bucket_versions": 0,  # it keeps none of this bucket
                "bucket_delete_markers": 0,
            }
            assert abs(result.value("usage_collected_timestamp_seconds") - time.time()) < 60


async def when_counted(asked: S3) -> Result:
    """The usage, once the scanner has come by."""
    async with asyncio.timeout(30):
        while not (result := await run(asked, "usage")).samples:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.2)
    return result
