"""Are the buckets there, and may we use them? One HeadBucket each, which costs next to nothing."""

import asyncio
from collections.abc import Mapping

from botocore.exceptions import ClientError

from probe.check import Failure, Garbled
from probe.kinds.s3.failures import MALFORMED, refusal
from probe.kinds.s3.store import Store

AT_ONCE = 4
"""Buckets that are asked for at the same time."""

Buckets = tuple[str, ...]


async def look_at(store: Store, buckets: Buckets) -> Mapping[str, Failure | None]:
    """What is wrong with each bucket, None when it is there and may be listed. Raises what the exchange does."""
    first, others = buckets[0], buckets[1:]
    found = dict.fromkeys(buckets) | {first: await _look_at(store, first)}  # in the order of the config
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(bucket: str) -> None:
        async with gate:
            found[bucket] = await _look_at(store, bucket)

    async with asyncio.TaskGroup() as group:
        for bucket in others:
            group.create_task(look(bucket))
    return found


async def all_buckets(store: Store) -> Buckets:
    """The names of the buckets that the login may see. Raises Denied, Unhealthy, Garbled."""
    try:
        answer = await store.client.list_buckets()
        return tuple(bucket["Name"] for bucket in answer["Buckets"])
    except ClientError as error:
        raise refusal(error, "the list of buckets") from error
    except MALFORMED as error:
        raise Garbled(f"{store.endpoint} answered with something that is no list of buckets") from error


async def _look_at(store: Store, bucket: str) -> Failure | None:
    what = f'bucket "{bucket}"'
    try:
        await store.client.head_bucket(Bucket=bucket)
    except ClientError as error:
        return await _explained(store, bucket, refusal(error, what), error)
    return None


async def _explained(store: Store, bucket: str, failure: Failure, error: ClientError) -> Failure:
    """The answer to a HEAD has no body that would say why: what a GET of the same says, unless the server is unwell."""
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return failure
    try:
        await store.client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    except ClientError as told:
        return refusal(told, f'bucket "{bucket}"')
    return failure
