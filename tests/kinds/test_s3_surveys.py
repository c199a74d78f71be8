"""The surveys of the kind s3 against moto's server: listing with a budget, the newest objects, CloudWatch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from probe.check import Garbled
from probe.demo import s3 as demo
from probe.kinds.s3.listing import page_of
from probe.model import Reason
from probe.runner import Runner
from tests import faults
from tests.harness import run
from tests.kinds.s3_servers import check, moto

UPLOADS = {f"images/ä {number:02}+.png": b"x" * number for number in range(25)}
CONTENTS = {
    "uploads": UPLOADS,
    "backups": {"daily/": b"", "daily/2026-11-19.tar": b"x" * 700, "weekly/": b""},
    "empty": {},
}
PAGE = 10
"""Objects in an answer of this server, 1000 elsewhere."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.S3]:
    with moto(tmp_path_factory.mktemp("moto"), CONTENTS, MOTO_S3_DEFAULT_MAX_KEYS=str(PAGE)) as started:
        yield started


async def test_usage_by_listing_every_object(server: demo.S3) -> None:
    result = await run(check(server, capacity={"uploads": "600B"}), "usage")
    assert (result.reason, result.message, result.notes) == (Reason.OK, "", ())
    assert {(sample.metric.key, sample.labels): sample.value for sample in result.samples} == {
        ("usage_source_info", ("listing",)): 1,
        ("usage_collected_timestamp_seconds", ()): pytest.approx(result.at, abs=1),
        ("bucket_objects", ("uploads",)): 25,
        ("bucket_size_bytes", ("uploads",)): 300,
        ("bucket_capacity_ratio", ("uploads",)): 0.5,
        ("bucket_objects", ("backups",)): 3,
        ("bucket_size_bytes", ("backups",)): 700,
        ("bucket_objects", ("empty",)): 0,
        ("bucket_size_bytes", ("empty",)): 0,
        ("usage_buckets_left_out", ()): 0,
    }


async def test_of_all_buckets_the_fullest_get_series(server: demo.S3) -> None:
    result = await run(check(server, most_buckets=1), "usage")
    assert result.values("bucket_size_bytes") == {("backups",): 700}
    assert result.value("usage_buckets_left_out") == 2


async def test_a_listing_goes_on_where_the_last_survey_stopped(server: demo.S3) -> None:
    runner, asked = Runner(), check(server, buckets=["uploads", "backups"], usage_pages=2)
    try:
        first = await runner.run(asked, "usage")
        second = await runner.run(asked, "usage")
        again = await runner.run(asked, "usage")
    finally:
        await runner.close()
    assert (first.reason, first.unfinished, first.samples) == (Reason.OK, True, ())
    assert first.message == "listed 20 objects so far; the next survey goes on from there"
    assert second.values("bucket_objects") == {("uploads",): 25, ("backups",): 3}
    assert second.value("usage_collected_timestamp_seconds") == pytest.approx(first.at, abs=0.5)
    assert again.unfinished  # a new pass, from the beginning


async def test_a_listing_begins_anew_when_the_buckets_changed(server: demo.S3) -> None:
    runner = Runner()
    try:
        await runner.run(check(server, buckets=["uploads"], usage_pages=1), "usage")
        result = await runner.run(check(server, buckets=["backups"], usage_pages=1), "usage")
    finally:
        await runner.close()
    assert result.values("bucket_objects") == {("backups",): 3}


async def test_a_bucket_that_went_fails_the_survey(server: demo.S3) -> None:
    result = await run(check(server, buckets=["uploads", "nosuch"]), "usage")
    assert (result.reason, result.message) == (
        Reason.UNHEALTHY,
        'bucket "nosuch" does not exist (404 NoSuchBucket)',
    )


async def test_no_usage_is_asked_for(server: demo.S3) -> None:
    assert check(server, usage_source="off").active_surveys == ("drives",)
    assert check(server, usage_source="off", flavour="generic", newest=["a/"]).active_surveys == ("newest_objects",)
    assert [*check(server, usage_source="off", warn={"bucket_size_bytes": "> 1GB"}).problems()] == [
        (
            ("warn", "bucket_size_bytes"),
            'bucket_size_bytes is never measured: it comes from the survey "usage", '
            "which nothing in this check asks for",
        )
    ]


async def test_the_newest_object_under_a_prefix(server: demo.S3) -> None:
    result = await run(check(server, newest=["backups/daily/", "backups/weekly/"]), "newest_objects")
    assert (result.reason, result.notes) == (Reason.OK, ("there is no object in backups/weekly/",))
    assert {(sample.metric.key, sample.labels[1]): sample.value for sample in result.samples} == {
        ("prefix_objects", "daily/"): 1,
        ("prefix_size_bytes", "daily/"): 700,
        ("newest_object_timestamp_seconds", "daily/"): pytest.approx(result.at, abs=120),
        ("newest_object_size_bytes", "daily/"): 700,
        ("prefix_objects", "weekly/"): 0,
        ("prefix_size_bytes", "weekly/"): 0,
    }


async def test_the_age_of_the_newest_backup_can_be_limited(server: demo.S3) -> None:
    written = {"newest_object_timestamp_seconds{prefix=daily/}": "> 26h"}
    asked = check(server, newest=["backups/daily/"], fail=written)
    assert list(asked.problems()) == []
    [limit] = [limit for limit in asked.limits if limit.by_user]
    assert (limit.metric, limit.selector) == (
        "probe_s3_newest_object_timestamp_seconds",
        (("prefix", "daily/"),),
    )
    assert (limit.on_time, limit.bound, limit.survey) == (True, 26 * 3600, "newest_objects")


def test_the_newest_is_not_the_last_by_name_and_no_folder_marker() -> None:
    page = page_of(
        b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<EncodingType>url</EncodingType><NextContinuationToken>more</NextContinuationToken>"
        b"<Contents><Key>a+b</Key><LastModified>2026-11-20T11:41:55.500Z</LastModified><Size>5</Size></Contents>"
        b"<Contents><Key>c</Key><LastModified>2026-11-19T11:41:55.000Z</LastModified><Size>7</Size></Contents>"
        b"<Contents><Key>d%2F</Key><LastModified>2026-11-21T11:41:55.000Z</LastModified><Size>0</Size></Contents>"
        b"<Contents><Key>e%20f</Key><LastModified>2026-11-18T11:41:55.000Z</LastModified><Size>1</Size></Contents>"
        b"</ListBucketResult>"
    )
    assert page.tally == (4, 13, 1, 1795174915.5, 5)
    assert (page.last_key, page.token) == ("e f", "more")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Hello</body></html>",
        b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>",
    ],
)
def test_what_is_no_listing(body: bytes) -> None:
    with pytest.raises(Garbled, match="the answer is no list of objects"):
        page_of(body)


async def _tell_cloudwatch(server: demo.S3, midnight: datetime) -> None:
    """What S3 writes to CloudWatch of a bucket whose objects all left the storage type GLACIER yesterday."""
    yesterday = midnight - timedelta(days=1)
    figures = [
        ("BucketSizeBytes", "StandardStorage", yesterday, 5000.0),
        ("BucketSizeBytes", "GlacierStorage", yesterday, 300.0),
        ("BucketSizeBytes", "StandardStorage", midnight, 6000.0),
        ("BucketSizeBytes", "StandardIAStorage", midnight, 500.0),
        ("NumberOfObjects", "AllStorageTypes", midnight, 42.0),
    ]
    async with server.client("cloudwatch") as cloudwatch:
        for name, storage, at, value in figures:
            names = {"StorageType": storage, "BucketName": "warehouse"}
            dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
            datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value}
            await cloudwatch.put_metric_data(Namespace="AWS/S3", MetricData=[datum])


async def test_usage_on_aws_comes_from_cloudwatch(server: demo.S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.endpoint)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    await _tell_cloudwatch(server, midnight)
    result = await run(check(server, flavour="aws", buckets=["warehouse", "unknown"]), "usage")
    assert (result.reason, result.notes) == (Reason.OK, ('cloudwatch has no figures of bucket "unknown"',))
    assert {(sample.metric.key, sample.labels): sample.value for sample in result.samples} == {
        ("usage_source_info", ("cloudwatch",)): 1,
        ("usage_collected_timestamp_seconds", ()): midnight.timestamp(),
        ("bucket_objects", ("warehouse",)): 42,
        ("bucket_size_bytes", ("warehouse",)): 6500,
    }


async def test_where_cloudwatch_is_not_permitted_the_buckets_are_listed(
    server: demo.S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>No.</Message></Error></ErrorResponse>"
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with faults.answering(head + body) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", f"http://127.0.0.1:{port}")
        listed = await run(check(server, flavour="aws", buckets=["uploads"]), "usage")
        told = await run(check(server, flavour="aws", buckets=["uploads"], usage_source="cloudwatch"), "usage")
    assert listed.value("usage_source_info", source="listing") == 1
    assert listed.notes == ("CloudWatch: access denied (403 AccessDenied): usage does not come from cloudwatch",)
    assert (told.reason, told.message) == (Reason.AUTH, "CloudWatch: access denied (403 AccessDenied)")


async def test_no_drives_where_there_is_no_minio(server: demo.S3) -> None:
    result = await run(check(server), "drives")
    assert (result.reason, result.samples, result.notes) == (Reason.OK, (), ())
