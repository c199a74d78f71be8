"""What an HTTP answer of Langfuse means: its own words about itself, a refusal, a limit, or another service's page."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from probe.check import Denied, Garbled, Unhealthy
from probe.exchange.answer import Answer, excerpt


class NotOffered(Garbled):
    """404: this server has no such endpoint, as one of another generation hasn't."""


class RateLimited(Unhealthy):
    """429. `retry_after` is the header of that name, empty without one."""

    def __init__(self, text: str, retry_after: str = "") -> None:
        super().__init__(text)
        self.retry_after = retry_after


def proper(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of a good answer. Raises what any other answer means."""
    status = answer.status
    if 200 <= status < 300:
        return _object(answer)
    told = f"{status}: {words(answer)}"
    if 300 <= status < 400:
        raise Garbled(f"{status}: sent elsewhere, as by a login page in front of Langfuse; its API does not redirect")
    if status in (401, 403):
        raise Denied(f"refused ({told})")
    if status == 404:
        raise NotOffered(f"no such endpoint ({told})")
    if status == 429:
        raise RateLimited(f"rate limited ({told})", answer.headers.get("Retry-After", ""))
    raise Unhealthy(f"Langfuse answers {told}")


def words(answer: Answer) -> str:
    """What the answer says for people: its message or status, else how its body begins."""
    try:
        told = answer.json()
    except Garbled:
        told = None
    if isinstance(told, dict):
        for key in ("message", "status", "error"):
            if isinstance(told.get(key), str) and told[key]:
                return excerpt(told[key])
    return excerpt(answer.text) or "without a word"


def seconds_to_wait(retry_after: str, now: float) -> float:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; 0 when it says neither."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except Garbled:
        kind = answer.headers.get("Content-Type", "bytes without a type").partition(";")[0]
        raise Garbled(
            f"{answer.status} with {kind} instead of JSON: {words(answer)!r}; is a login page in front of Langfuse?"
        ) from None
    if not isinstance(told, dict):
        raise Garbled(f"{answer.status} with JSON that is no object: {excerpt(answer.text)}")
    return told
