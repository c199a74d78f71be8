"""Counting objects by listing them: page by page, within a budget, going on where the last survey stopped."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from botocore.exceptions import ClientError

from probe.check import Garbled, Run, Unfinished
from probe.exchange.answer import excerpt
from probe.kinds.s3.failures import is_denied, refusal

LAST_PART = 0.1
"""The part of a survey's time that is left for it to end well."""


class Place(NamedTuple):
    """What is listed: the keys of a bucket that begin with a prefix (empty: all)."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.prefix}" if self.prefix else f'bucket "{self.bucket}"'


class Tally(NamedTuple):
    """What was counted. `markers` are the empty objects that consoles make for a folder; none is ever the newest.

    `newest_at` is unix seconds, 0 when there is none; sizes are bytes.
    """

    objects: int = 0
    size: int = 0
    markers: int = 0
    newest_at: float = 0.0
    newest_size: int = 0

    def plus(self, other: "Tally") -> "Tally":
        newest = max(self, other, key=lambda tally: tally.newest_at)
        return Tally(
            self.objects + other.objects,
            self.size + other.size,
            self.markers + other.markers,
            newest.newest_at,
            newest.newest_size,
        )


class Page(NamedTuple):
    """One answer of ListObjectsV2. `token` asks for the next one; empty: this was the last."""

    tally: Tally
    last_key: str
    token: str


class Pass(NamedTuple):
    """A listing of all places that is under way: what the next survey goes on from.

    `done` are the tallies of the first places, None for one that may not be listed; `part` is of the next place up to
    its key `after`. `began` is unix seconds: nothing that was counted is older news than that.
    """

    places: tuple[Place, ...]
    began: float
    done: tuple[Tally | None, ...] = ()
    part: Tally = Tally()
    after: str = ""

    @property
    def listed(self) -> int:
        return self.part.objects + sum(tally.objects for tally in self.done if tally is not None)

    def tallies(self) -> Iterator[tuple[Place, Tally]]:
        """The places that could be listed, and what is there."""
        for place, tally in zip(self.places, self.done, strict=True):
            if tally is not None:
                yield place, tally


async def list_all(run: Run, client: Any, places: tuple[Place, ...], pages: int) -> Pass:
    """A complete pass over all places. Raises Unfinished when `pages` answers, or the time, did not do.

    A place that may not be listed is noted. Raises Unhealthy for a bucket that is not there.
    """
    so_far = run.memory if isinstance(run.memory, Pass) and run.memory.places == places else Pass(places, run.now)
    time_kept = run.remaining * LAST_PART
    token = ""
    while len(so_far.done) < len(places):
        if pages == 0 or run.remaining < time_kept:
            raise Unfinished(f"listed {so_far.listed:,} objects so far; the next survey goes on from there")
        so_far, token = await _further(run, client, so_far, token)
        run.memory = so_far
        pages -= 1
    run.memory = None
    return so_far


async def _further(run: Run, client: Any, so_far: Pass, token: str) -> tuple[Pass, str]:
    """The pass with one more page, and the token for the next."""
    place = so_far.places[len(so_far.done)]
    try:
        page = await _page(client, place, token, so_far.after)
    except ClientError as error:
        if not is_denied(error):
            raise refusal(error, str(place)) from error
        run.note(f"{place} may not be listed; grant s3:ListBucket on arn:aws:s3:::{place.bucket}")
        return so_far._replace(done=(*so_far.done, None), part=Tally(), after=""), ""
    tally = so_far.part.plus(page.tally)
    if page.token:
        return so_far._replace(part=tally, after=page.last_key), page.token
    return so_far._replace(done=(*so_far.done, tally), part=Tally(), after=""), ""


async def _page(client: Any, place: Place, token: str, after: str) -> Page:
    """The page (of 1000 objects) after a token; without one, say in a later survey, after a key (empty: the first)."""
    start = {"ContinuationToken": token} if token else {"StartAfter": after} if after else {}
    answer = await client.list_objects_v2(Bucket=place.bucket, Prefix=place.prefix, **start)
    page: Page = answer["Page"]
    return page


def read_quickly(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Reads a listing before botocore does, which would block the loop for 40 ms a page instead of 4.

    An event handler of botocore's ("before-parse"): puts a `Page` into the answer, and takes the body away.
    """
    if response_dict["status_code"] < 300:
        customized_response_dict["Page"] = page_of(response_dict["body"])
        response_dict["body"] = b""


def page_of(body: bytes) -> Page:
    """A ListObjectsV2 answer (ListBucketResult). Raises Garbled."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # botocore's parser too, of at most `MAX_BODY`
        if _name(root) != "ListBucketResult":
            raise ValueError(_name(root))
        decoded = unquote_plus if root.findtext("{*}EncodingType") == "url" else str
        tally, last_key = Tally(), ""
        for each in root.iterfind("{*}Contents"):
            entry = {_name(part): part.text or "" for part in each}
            last_key = decoded(entry["Key"])
            tally = tally.plus(_tally_of(entry, last_key))
        return Page(tally, last_key, root.findtext("{*}NextContinuationToken") or "")
    except (ElementTree.ParseError, ValueError, KeyError, OverflowError):
        said = excerpt(body.decode(errors="replace"))
        raise Garbled(f"the answer is no list of objects (ListBucketResult): {said}") from None


def _tally_of(entry: dict[str, str], key: str) -> Tally:
    size = int(entry["Size"])
    if not 0 <= size < 2**63:
        raise ValueError(size)
    if size == 0 and key.endswith("/"):
        return Tally(objects=1, markers=1)
    return Tally(1, size, 0, datetime.fromisoformat(entry["LastModified"]).timestamp(), size)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
