"""What a config may call an endpoint, a region and a bucket."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from probe.check import Problem
from probe.exchange.hosts import can_be_host

_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
_REGION = re.compile(r"(?!-|[0-9]+$)[A-Za-z0-9-]{1,63}(?<!-)")  # as botocore has it


def problems_of_address(endpoint: str | None, region: str | None) -> Iterator[Problem]:
    """What is wrong with where the store is said to be."""
    if endpoint is not None and not _is_endpoint(endpoint):
        yield ("endpoint",), "an endpoint is scheme, host and port, as http://minio:9000; buckets go in `buckets`"
    elif endpoint is not None and not (is_valid_endpoint_url(endpoint) or is_valid_ipv6_endpoint_url(endpoint)):
        yield ("endpoint",), 'the host of an endpoint is an IP address, or letters, digits, "-" and "."; not even "_"'
    if region is not None and not _REGION.fullmatch(region):
        yield ("region",), f'"{region}" is no region; write one as eu-central-1'


def problems_of_places(field: str, listed: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with a list of buckets, or of buckets with prefixes (`backups/daily/`)."""
    for index, entry in enumerate(listed):
        bucket = entry if field == "buckets" else entry.partition("/")[0]
        if not _BUCKET.fullmatch(bucket):
            yield (field, index), f'"{bucket}" is no name of a bucket; letters, digits, ".", "_" and "-" make one'
        if entry in listed[:index]:
            yield (field, index), f'"{entry}" stands there twice; remove one'


def _is_endpoint(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and can_be_host(parts.hostname or "")
        and parts.path in ("", "/")
        and not parts.query
    )
